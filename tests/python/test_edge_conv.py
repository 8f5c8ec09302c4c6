"""EdgeConv and DynamicEdgeConv against the formula with every edge written out."""

import copy

import pytest
import torch
from edge_conv_formula import edge_conv
from knn_reference import cloud, offsets
from refusals import assert_raises
from torch import nn
from torch.library import opcheck

import hitgraph
from hitgraph.nn import DynamicEdgeConv, EdgeConv

OPS = torch.ops.hitgraph


def graph_of(n, k, *, points=None, seed=0):
    """(n, k) neighbours with holes, a row of one and a row of none, and a hub."""
    random = torch.Generator().manual_seed(seed)
    index = torch.randint(points or n, (n, k), generator=random)
    index[torch.rand(n, k, generator=random) < 0.1] = -1
    index[:, 0] = 3
    index[1, 1:], index[2] = -1, -1
    return index


def linear_network(kind, f, c, seed=1):
    torch.manual_seed(seed)
    parts = {
        "linear": [],
        "relu": [nn.ReLU()],
        "norm": [nn.BatchNorm1d(c), nn.LeakyReLU(0.2)],
        "norm without parameters": [nn.BatchNorm1d(c, affine=False), nn.ReLU()],
        "norm without memory": [nn.BatchNorm1d(c, track_running_stats=False)],
        "cumulative norm": [nn.BatchNorm1d(c, momentum=None), nn.LeakyReLU(0.2)],
    }[kind]
    network = nn.Sequential(nn.Linear(2 * f, c, bias=kind != "norm"), *parts)
    for module in network:
        if isinstance(module, nn.BatchNorm1d) and module.affine:
            nn.init.normal_(module.weight)  # negative ones turn the maximum into a minimum
            nn.init.normal_(module.bias)
    return network


KINDS = (
    "linear",
    "relu",
    "norm",
    "norm without parameters",
    "norm without memory",
    "cumulative norm",
)


def deep_network(f, c):
    torch.manual_seed(2)
    return nn.Sequential(
        nn.Linear(2 * f, 8, bias=False),
        nn.BatchNorm1d(8),
        nn.ReLU(),
        nn.Sequential(nn.Linear(8, 6), nn.BatchNorm1d(6), nn.Tanh()),
        nn.Linear(6, c),
    )


def assert_same_layer(ours, plain, x, index, tolerance, *, centers=None, rounds=2):
    """Results, all gradients and running statistics, for some training steps and evaluation."""
    layer_order, aggr = ours.order, ours.aggr
    for step in range(rounds + 1):
        if step == rounds:
            ours.eval(), plain.eval()
        mine, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
        pairs = [(mine, theirs)]
        both = None
        if centers is not None:
            both = centers.clone().requires_grad_(), centers.clone().requires_grad_()
            pairs.append(both)
        got = ours(mine if both is None else (mine, both[0]), index)
        expected = edge_conv(
            plain, theirs, index, aggr=aggr, order=layer_order, centers=both and both[1]
        )
        torch.testing.assert_close(got, expected, rtol=tolerance, atol=tolerance)
        weights = torch.randn(
            got.shape, dtype=got.dtype, generator=torch.Generator().manual_seed(step)
        )
        ours.zero_grad(), plain.zero_grad()
        (got * weights).sum().backward()
        (expected * weights).sum().backward()
        pairs += zip(ours.nn.parameters(), plain.parameters(), strict=True)
        for a, b in pairs:
            # Sums over the rows: that of a bias before a norm is 0 and what rounding leaves.
            scale = b.grad.abs().max().clamp_min(len(index) / 2)
            torch.testing.assert_close(a.grad / scale, b.grad / scale, rtol=0, atol=tolerance)
        for a, b in zip(ours.nn.buffers(), plain.buffers(), strict=True):
            torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", ["own_first", "difference_first"])
def test_fused_against_the_formula(kind, order, dtype):
    # More than one block of channels, and a rest that fills no vector.
    x, index = cloud(60, 5, seed=1, dtype=dtype), graph_of(60, 7)
    plain = linear_network(kind, 5, 70).to(dtype)
    layer = EdgeConv(copy.deepcopy(plain), order=order)
    assert layer.path() == "fused"
    assert_same_layer(layer, plain, x, index, 1e-9 if dtype == torch.float64 else 1e-4)


@pytest.mark.parametrize("kind", ["linear", "norm"])
def test_other_centers(kind):
    x, centers = (
        cloud(40, 4, seed=2, dtype=torch.float64),
        cloud(25, 4, seed=3, dtype=torch.float64),
    )
    index = graph_of(25, 6, points=40)
    plain = linear_network(kind, 4, 9).double()
    for network in (plain, nn.Sequential(plain, nn.Tanh())):
        layer = EdgeConv(copy.deepcopy(network))
        assert_same_layer(layer, copy.deepcopy(network), x, index, 1e-9, centers=centers)


@pytest.mark.parametrize("slice_bytes", [1, 20_000, 1 << 25])
@pytest.mark.parametrize("aggr", ["max", "mean", "sum"])
@pytest.mark.parametrize("order", ["own_first", "difference_first"])
def test_slices_against_the_formula(aggr, order, slice_bytes):
    x, index = cloud(30, 3, seed=4, dtype=torch.float64), graph_of(30, 5)
    plain = deep_network(3, 4).double()
    layer = EdgeConv(copy.deepcopy(plain), aggr, order=order, slice_bytes=slice_bytes)
    assert layer.path() == "slices"
    assert_same_layer(layer, plain, x, index, 1e-9)


@pytest.mark.parametrize("aggr", ["max", "mean", "sum"])
@pytest.mark.parametrize("slice_bytes", [1000, 1 << 25])
def test_slices_in_single_precision(aggr, slice_bytes):
    x, index = cloud(60, 5, seed=4), graph_of(60, 7)
    plain = deep_network(5, 4)
    layer = EdgeConv(copy.deepcopy(plain), aggr, slice_bytes=slice_bytes)
    assert_same_layer(layer, plain, x, index, 1e-4)


@pytest.mark.parametrize("aggr", ["max", "mean", "sum"])
def test_one_slice_without_looking_at_its_edges(aggr, monkeypatch):
    """On CUDA and in a compiled graph missing edges stay where they are, with a weight of 0."""
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    x, index = cloud(30, 3, seed=4, dtype=torch.float64), graph_of(30, 5)
    plain = deep_network(3, 4).double()
    layer = EdgeConv(copy.deepcopy(plain), aggr)
    assert_same_layer(layer, plain, x, index, 1e-9)


def test_one_slice_makes_its_edges_once():
    calls = []
    network = deep_network(3, 4)
    network[0].register_forward_hook(lambda module, given, result: calls.append(len(result)))
    index = graph_of(30, 5)
    EdgeConv(network, "mean")(cloud(30, 3, seed=4), index)
    assert calls == [(index >= 0).sum()]


def test_both_ways_agree():
    x, index = cloud(50, 4, seed=5, dtype=torch.float64), graph_of(50, 6)
    network = linear_network("norm", 4, 12).double()
    fused, sliced = EdgeConv(copy.deepcopy(network)), EdgeConv(copy.deepcopy(network))
    sliced.path = lambda device="cpu": "slices"
    torch.testing.assert_close(fused(x, index), sliced(x, index), rtol=1e-10, atol=1e-10)
    for a, b in zip(fused.buffers(), sliced.buffers(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("way", ["fused", "one slice", "slices"])
def test_statistics_far_from_zero(way):
    """Mean much larger than the spread: sums of squares would lose the variance."""
    x, index = 1e-2 * cloud(400, 3, seed=6), hitgraph.knn(cloud(400, 3, seed=6), 8).index
    network = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16))
    with torch.no_grad():
        network[0].bias.add_(300)
    if way != "fused":
        network.append(nn.Tanh())
    size = 20_000 if way == "slices" else 1 << 25
    layer = EdgeConv(copy.deepcopy(network), slice_bytes=size)
    plain = copy.deepcopy(network).double()
    layer(x, index)
    edge_conv(plain, x.double(), index)
    torch.testing.assert_close(
        layer.nn[1].running_mean.double(), plain[1].running_mean, rtol=1e-6, atol=0
    )
    # Values near 300 are rounded to 3e-5, a hundredth of their spread.
    mine, exact = layer.nn[1].running_var.double() - 0.9, plain[1].running_var - 0.9
    torch.testing.assert_close(mine, exact, rtol=2e-2, atol=1e-6)


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


def test_ties_go_to_the_first_and_nan_wins():
    features = torch.tensor([[1.0], [2.0], [2.0], [float("nan")]])
    weight = torch.tensor([[0.0, 1.0]])
    index = torch.tensor([[1, 2, 0], [2, 1, -1], [-1, -1, -1], [0, -1, 0]])
    out, slot, _, _ = OPS.edge_conv_max(features, index, weight)
    assert slot[:2].flatten().tolist() == [0, 0]
    assert slot[2].item() == 255 and out[2].item() == 0
    index[0, 2] = 3
    out, slot, _, _ = OPS.edge_conv_max(features, index, weight)
    assert out[0].isnan().item() and slot[0].item() == 2


def test_threads_and_repetition_give_the_same_bits():
    x, index = cloud(3000, 8, seed=9), hitgraph.knn(cloud(3000, 3, seed=9), 12).index
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3, 2):
            torch.set_num_threads(threads)
            layer = EdgeConv(linear_network("norm", 8, 40))
            leaf = x.clone().requires_grad_()
            out = layer(leaf, index)
            out.square().sum().backward()
            results.append((out, layer.nn[1].running_var, layer.nn[1].weight.grad, leaf.grad))
    finally:
        torch.set_num_threads(before)
    # The products are torch's, whose bits may depend on its threads: within rounding there.
    for a, b in zip(results[1], results[3], strict=True):
        assert torch.equal(a, b)
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_many_neighbours_have_wide_slots():
    x, index = (
        cloud(400, 3, seed=10, dtype=torch.float64),
        hitgraph.knn(cloud(400, 2, seed=10), 300).index,
    )
    network = linear_network("norm", 3, 5).double()
    assert_same_layer(EdgeConv(copy.deepcopy(network)), network, x, index.int(), 1e-8, rounds=1)


@pytest.mark.parametrize("rows", [0, 1])
def test_empty(rows):
    for network in (linear_network("norm", 3, 5), deep_network(3, 5)):
        layer = EdgeConv(network)
        x = torch.zeros(rows, 3, requires_grad=True)
        y = layer(x, torch.full((rows, 4), -1))
        assert y.shape == (rows, 5) and y.abs().sum() == 0
        y.sum().backward()
        assert x.grad.shape == x.shape


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
