"""EdgeConv and DynamicEdgeConv against the formula with every edge written out."""

import copy

import pytest
import torch
from edge_conv_cases import KINDS, deep_network, graph_of, linear_network
from edge_conv_formula import edge_conv
from knn_reference import cloud
from torch import nn

import hitgraph
from hitgraph.nn import EdgeConv

OPS = torch.ops.hitgraph


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
