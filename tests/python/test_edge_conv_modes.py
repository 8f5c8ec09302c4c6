"""EdgeConv's derivatives, its own graph, autocast, torch.compile, and what it refuses."""

import copy

import pytest
import torch
from edge_conv_cases import deep_network, graph_of, linear_network
from edge_conv_formula import edge_conv
from knn_reference import cloud, offsets
from refusals import assert_raises
from torch import nn
from torch.library import opcheck

import hitgraph
from hitgraph.nn import DynamicEdgeConv, EdgeConv

OPS = torch.ops.hitgraph


@pytest.mark.parametrize("kind", ["linear", "norm"])
def test_gradcheck(kind):
    network = linear_network(kind, 3, 4).double()
    index = graph_of(12, 4)
    x, centers = (
        cloud(12, 3, seed=7, dtype=torch.float64),
        cloud(12, 3, seed=8, dtype=torch.float64),
    )
    linear = network[0]
    scale, shift = (network[1].weight, network[1].bias) if kind == "norm" else (None, None)

    def call(x, weight, bias, scale, shift, centers):
        return OPS.edge_conv_max(x, index, weight, bias, scale, shift, slope=0.2, centers=centers)[
            0
        ]

    leaves = [x, linear.weight, linear.bias, scale, shift, centers]
    if linear.bias is None:
        leaves[2] = torch.randn(4, dtype=torch.float64)
    leaves = [t if t is None else t.detach().clone().requires_grad_() for t in leaves]
    assert torch.autograd.gradcheck(call, leaves)


@pytest.mark.parametrize("slice_bytes", [300, 1 << 25])
@pytest.mark.parametrize("aggr", ["max", "mean", "sum"])
def test_gradcheck_of_slices(aggr, slice_bytes):
    network, index = deep_network(3, 4).double(), graph_of(12, 4)
    layer = EdgeConv(network, aggr, slice_bytes=slice_bytes)
    x = cloud(12, 3, seed=7, dtype=torch.float64).requires_grad_()
    weights = [p for p in network.parameters() if p.dim() > 1]

    def call(x, *_):
        return layer(x, index)

    assert torch.autograd.gradcheck(call, (x, *weights))


def test_evaluation_is_differentiated_too():
    network = linear_network("norm", 3, 4).double().eval()
    norm, index = network[1], graph_of(12, 4)
    norm.running_mean.normal_()
    x = cloud(12, 3, seed=7, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: EdgeConv(network)(x, index), (x,))


@pytest.mark.parametrize("include_self", [True, False])
def test_dynamic(include_self):
    x, splits = cloud(90, 6, seed=11, dtype=torch.float64), offsets(20, 0, 70)
    network = linear_network("norm", 6, 10).double()
    layer = DynamicEdgeConv(copy.deepcopy(network), 8, include_self=include_self)
    y, graph = layer(x, splits, return_graph=True)
    index = hitgraph.knn(x, 8, splits, include_self=include_self).index
    assert torch.equal(graph.index, index)
    torch.testing.assert_close(y, edge_conv(network, x, index), rtol=1e-9, atol=1e-9)
    batch = torch.repeat_interleave(splits.diff())
    again = DynamicEdgeConv(copy.deepcopy(network), 8, include_self=include_self)
    assert torch.equal(again(x, batch=batch, batch_size=3), y)
    # Of some columns only, and without padding at 1e9.
    mask = torch.arange(90) % 9 != 0
    x = x.masked_fill(~mask[:, None], 1e9)
    again = DynamicEdgeConv(copy.deepcopy(network), 8, include_self=include_self)
    y = again(x, splits, coordinates=x[:, 2:4].contiguous(), mask=mask)
    index = hitgraph.knn(
        x[:, 2:4], 8, splits, include_self=include_self, query_mask=mask, point_mask=mask
    ).index
    expected = edge_conv(network, x, index)
    torch.testing.assert_close(y[mask], expected[mask], rtol=1e-8, atol=1e-8)
    assert y[~mask].abs().sum() == 0


def test_trains_on_its_own_graph():
    torch.manual_seed(0)
    layers = nn.ModuleList(
        [
            DynamicEdgeConv(linear_network("norm", 3, 16), 5),
            DynamicEdgeConv(linear_network("relu", 16, 4), 5),
        ]
    )
    x, target = cloud(200, 3, seed=12), cloud(200, 4, seed=13)
    optimizer = torch.optim.Adam(layers.parameters(), 1e-2)
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = (layers[1](layers[0](x)) - target).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


def test_autocast_and_inference_mode():
    x, index = cloud(50, 3, seed=14), graph_of(50, 4)
    layer = EdgeConv(linear_network("norm", 3, 8)).eval()
    plain = layer(x, index)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(layer(x.bfloat16(), index), layer(x.bfloat16().float(), index))
    with torch.inference_mode():
        assert torch.equal(layer(x, index), plain)


def test_compiles():
    x, index = cloud(50, 3, seed=15), hitgraph.knn(cloud(50, 3, seed=15), 4).index
    layer = EdgeConv(linear_network("norm", 3, 8))
    same = copy.deepcopy(layer)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
    compiled(a, index).square().sum().backward()
    same(b, index).square().sum().backward()
    torch.testing.assert_close(a.grad, b.grad)
    torch.testing.assert_close(layer.nn[1].running_var, same.nn[1].running_var)


def test_opcheck():
    x, index = cloud(20, 3, seed=16, dtype=torch.float64), graph_of(20, 4)
    weight, scale = torch.randn(5, 6, dtype=torch.float64), torch.ones(5, dtype=torch.float64)
    utils = ("test_schema", "test_faketensor", "test_autograd_registration")
    for kwargs in ({}, {"scale": scale}, {"scale": scale, "mean": scale, "variance": scale}):
        for tensor in (x, x.clone().requires_grad_()):
            opcheck(OPS.edge_conv_max.default, (tensor, index, weight), kwargs, test_utils=utils)


def test_second_derivatives_are_refused():
    x = cloud(20, 3, seed=17).requires_grad_()
    y = EdgeConv(linear_network("linear", 3, 4))(x, graph_of(20, 4))
    assert_raises(
        NotImplementedError,
        "no derivative of second order",
        lambda: torch.autograd.grad(y.sum(), x, create_graph=True),
    )


REFUSALS = {
    "graph is a list": (lambda x, i: ((x, [[0]]), TypeError, "graph to be a Tensor")),
    "other rows": (
        lambda x, i: ((x, i[:5]), ValueError, r"a row for each of the 20 points|20 rows")
    ),
    "index out of range": (lambda x, i: ((x, i + 20), ValueError, "index from -1 to 19")),
    "index of floats": (lambda x, i: ((x, i.float()), (TypeError, ValueError), "int64 or int32")),
    "features 1-D": (lambda x, i: ((x[0], i), ValueError, r"2-D \(n, f\)")),
}


@pytest.mark.parametrize("name", REFUSALS)
@pytest.mark.parametrize("fused", [True, False])
def test_refusals(name, fused):
    network = linear_network("linear", 3, 4)
    layer = EdgeConv(network if fused else nn.Sequential(network, nn.Tanh()))
    arguments, exception, pattern = REFUSALS[name](cloud(20, 3, seed=18), graph_of(20, 4))
    assert_raises(exception, pattern, lambda: layer(*arguments), "hitgraph")


def test_constructors_refuse():
    network = nn.Linear(6, 4)
    assert_raises(ValueError, "aggr to be one of", lambda: EdgeConv(network, "min"), "EdgeConv")
    assert_raises(
        ValueError, "order to be one of", lambda: EdgeConv(network, order="x"), "EdgeConv"
    )
    assert_raises(TypeError, "nn to be a Module", lambda: EdgeConv(lambda x: x), "EdgeConv")
    assert_raises(ValueError, "k to be at least 1", lambda: DynamicEdgeConv(network, 0), "EdgeConv")
