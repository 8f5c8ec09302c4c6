"""GravNet on CUDA tensors: the CPU's bits, deterministic gradients, streams, graphs, memory."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable

import pytest
import torch
from benchmarks.gpu_check.gravnet_bits import forward_is_the_cpus, special_values
from benchmarks.gpu_check.gravnet_problem import (
    OPS,
    Problem,
    aggregate,
    differentiate,
    gradient_error,
    random_grads,
    random_problem,
    same_bits,
    searched_problem,
)
from benchmarks.peak_memory import aggregate_peak_on_gpu
from torch import Tensor, nn

import hitgraph
from hitgraph import debug
from hitgraph.functional import knn_with_transposed
from hitgraph.models import GravNetModel
from hitgraph.nn import GravNet
from hitgraph.nn.functional import gravnet_aggregate

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available() or not hitgraph._C.build_info()["cuda"],
    reason="needs a GPU and a build with CUDA kernels",
)

CUDA = "cuda"
SPLITS = [0, 0, 700, 701, 2000]


class TestForward:
    @pytest.mark.parametrize("index_dtype", [torch.int64, torch.int32])
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    @pytest.mark.parametrize("weights", [False, True])
    def test_the_bits_of_the_cpu(
        self, dtype: torch.dtype, index_dtype: torch.dtype, weights: bool
    ) -> None:
        for channels, k in itertools.product((1, 22, 32, 128), (1, 17, 64, 300)):
            problem = random_problem(
                900, k, 400, channels, dtype=dtype, index_dtype=index_dtype, weights=weights
            )
            assert forward_is_the_cpus(problem, CUDA), (channels, k)

    def test_special_values(self) -> None:
        assert special_values(CUDA)

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    def test_half_features(self, dtype: torch.dtype) -> None:
        for channels in (22, 32):
            problem = random_problem(900, 20, 400, channels)
            problem = problem._replace(features=problem.features.to(dtype))
            assert aggregate(problem).total.dtype == dtype
            assert forward_is_the_cpus(problem, CUDA)

    def test_rows_that_begin_where_no_vector_may(self) -> None:
        problem = random_problem(900, 20, 400, 32)
        there = problem.to(CUDA)
        memory = torch.empty(1 + there.features.numel(), device=CUDA)
        shifted = memory[1:].view_as(there.features).copy_(there.features)
        for got, expected in zip(
            aggregate(there._replace(features=shifted)), aggregate(problem), strict=True
        ):
            assert same_bits(got, expected)

    @pytest.mark.parametrize(("rows", "points", "channels"), [(0, 5, 3), (7, 0, 3), (7, 5, 0)])
    def test_nothing(self, rows: int, points: int, channels: int) -> None:
        index = torch.full((rows, 4), -1 if points == 0 else 0)
        problem = Problem(torch.ones(points, channels), index, torch.ones(rows, 4), 1.0)
        assert forward_is_the_cpus(problem, CUDA)
        there = problem.to(CUDA)
        found = differentiate(there, aggregate(there), random_grads(there))
        assert found.features.shape == (points, channels) and found.values.shape == (rows, 4)


class TestBackward:
    @pytest.mark.parametrize("hubs", [False, True])
    @pytest.mark.parametrize("divisor", ["one", "k", "count"])
    @pytest.mark.parametrize("channels", [22, 32, 128])
    def test_near_the_exact_gradient_and_deterministic(
        self, channels: int, divisor: str, hubs: bool
    ) -> None:
        problem = searched_problem(6000, 40, channels, CUDA, hubs=hubs)
        results, grads = aggregate(problem, divisor), random_grads(problem)
        transposed = hitgraph.transpose_graph(problem.index, 6000)
        found = differentiate(problem, results, grads, transposed, divisor)
        assert gradient_error(problem, results, grads, found, divisor) <= 1e-6
        for graph in (transposed, None):
            again = differentiate(problem, results, grads, graph, divisor)
            assert all(torch.equal(a, b) for a, b in zip(found, again, strict=True))

    def test_gradcheck_and_second_derivatives(self) -> None:
        features, index, values, _ = random_problem(12, 4, 9, 3, dtype=torch.float64).to(CUDA)
        inputs = (
            features.requires_grad_(),
            values.masked_fill(index < 0, 1.0).requires_grad_(),
        )

        def function(features: Tensor, distance2: Tensor) -> tuple[Tensor, ...]:
            return gravnet_aggregate(features, index, distance2, 1.5, divisor="count")

        assert torch.autograd.gradcheck(function, inputs)
        # Second derivatives are made of torch's sums over an index, which are not deterministic.
        assert torch.autograd.gradgradcheck(function, inputs, nondet_tol=1e-9)

    def test_parts_of_a_concatenation_are_read_where_they_lie(self) -> None:
        gradients = []
        for device in ("cpu", CUDA):
            features, index, values, _ = random_problem(900, 9, 300, 32).to(device)
            features.requires_grad_()
            own = torch.ones(900, 3, device=device)
            together = torch.cat([own, *gravnet_aggregate(features, index, values)], dim=1)
            together.square().sum().backward()
            gradients.append(features.grad.cpu())
        torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-5, atol=1e-5)


def test_knn_with_transposed() -> None:
    points, splits = torch.rand(2000, 4), torch.tensor(SPLITS)
    found, transposed = knn_with_transposed(points.to(CUDA), 12, splits.to(CUDA))
    expected = knn_with_transposed(points, 12, splits)
    made = (*found, transposed.offsets, transposed.edges)
    for got, there in zip(made, (*expected[0], *expected[1][:2]), strict=True):
        assert same_bits(got, there)
    assert transposed.order.numel() == 0


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32])
def test_an_index_out_of_range_is_missing_and_debug_mode_says_so(dtype: torch.dtype) -> None:
    problem = random_problem(800, 12, 50, 32, index_dtype=dtype)
    missing = problem.index < 0
    large = 2**40 if dtype == torch.int64 else 2**31 - 1
    strange = torch.tensor([50, -7, large, -(2**31)]).repeat(800 * 3).view(800, 12)
    wrong = problem._replace(index=torch.where(missing, strange.to(dtype), problem.index)).to(CUDA)
    grads = random_grads(problem)
    there = (grads[0].to(CUDA), grads[1].to(CUDA))
    with debug.checks(False):
        results = aggregate(wrong)
        for got, expected in zip(results, aggregate(problem), strict=True):
            assert same_bits(got, expected)
        found = differentiate(wrong, results, there)
        assert (found.values[missing.to(CUDA)] == 0).all()
        right = differentiate(problem.to(CUDA), results, there)
        assert all(torch.equal(a, b) for a, b in zip(found, right, strict=True))
    with debug.checks(True):
        with pytest.raises(ValueError, match="hitgraph::gravnet_aggregate: expected index from"):
            aggregate(wrong)
        with pytest.raises(ValueError, match="gravnet_aggregate_backward: expected index from"):
            differentiate(wrong, results, there)
        aggregate(problem.to(CUDA))


def test_strange_slots_and_transposed_graphs_are_named_in_debug_mode() -> None:
    problem = random_problem(20, 3, 9, 4).to(CUDA)
    results, grads = aggregate(problem), random_grads(problem)
    offsets, edges, _ = hitgraph.transpose_graph(problem.index, 9)
    other = hitgraph.TransposedGraph(offsets, torch.full_like(edges, 60))
    with debug.checks(True):
        with pytest.raises(ValueError, match="expected slot below 3"):
            differentiate(problem, results._replace(slot=results.slot * 0 + 3), grads)
        with pytest.raises(ValueError, match="transpose_graph for this index"):
            differentiate(problem, results, grads, other)


def test_tensors_of_another_device_are_refused() -> None:
    features, index, values, scale = random_problem(20, 3, 9, 4)
    with pytest.raises(RuntimeError, match="expected index on cuda:0 like features, got cpu"):
        OPS.gravnet_aggregate(features.to(CUDA), index, values.to(CUDA), scale)


def loss(features: Tensor, graph: tuple[Tensor, Tensor]) -> Tensor:
    return sum(out.square().sum() for out in gravnet_aggregate(features, *graph))


def test_nothing_waits_for_the_device() -> None:
    features, *graph, _ = random_problem(3000, 16, 3000, 32).to(CUDA)
    features.requires_grad_()
    loss(features, graph).backward()
    torch.cuda.set_sync_debug_mode("error")
    try:
        loss(features, graph).backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_a_side_stream_is_used() -> None:
    problem = random_problem(30_000, 16, 30_000, 32)
    expected, there = aggregate(problem), problem.to(CUDA)
    source, features = there.features, torch.zeros_like(there.features)
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        # The copy is queued behind a long wait: launches on another stream would see zeros.
        torch.cuda._sleep(50_000_000)
        features.copy_(source)
        got = aggregate(there._replace(features=features))
        found = differentiate(there._replace(features=features), got, random_grads(there))
    stream.synchronize()
    assert all(same_bits(a, b) for a, b in zip(got, expected, strict=True))
    again = differentiate(there, got, random_grads(there))
    assert all(torch.equal(a, b) for a, b in zip(found, again, strict=True))


def test_a_cuda_graph_captures_both_passes_and_replays_on_new_numbers() -> None:
    fresh = random_problem(3000, 16, 2000, 32, seed=8)
    there, grads = random_problem(3000, 16, 2000, 32).to(CUDA), random_grads(fresh.to(CUDA))
    differentiate(there, aggregate(there), grads)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        results = aggregate(there)
        found = differentiate(there, results, grads)
    for captured, tensor in zip(there[:3], fresh[:3], strict=True):
        captured.copy_(tensor)
    graph.replay()
    torch.cuda.synchronize()
    assert all(same_bits(a, b) for a, b in zip(results, aggregate(fresh), strict=True))
    again = differentiate(fresh.to(CUDA), results, grads)
    assert all(torch.equal(a, b) for a, b in zip(found, again, strict=True))


def test_memory() -> None:
    torch.cuda.empty_cache()
    assert 0.9 < aggregate_peak_on_gpu(30_000, 64, 64) <= 1.3
    assert aggregate_peak_on_gpu(30_000, 64, 64, transposed_given=False) <= 1.7


def results_and_gradients(module: nn.Module, x: Tensor, splits: Tensor) -> list[Tensor]:
    module.zero_grad()
    x = x.detach().requires_grad_()
    y = module(x, splits)
    y.square().mean().backward()
    gradients = [parameter.grad.clone() for parameter in module.parameters()]
    return [y.detach(), x.grad, *gradients]


MODULES: dict[str, Callable[[], nn.Module]] = {
    **{
        preset: lambda preset=preset: GravNet.preset(preset, 12, 9, k=16)
        for preset in ("paper", "talk", "pyg", "hgcalml")
    },
    "model": lambda: GravNetModel(12, 3, propagate_features=6, k=8, hidden_features=16, blocks=2),
}


# In float64, where another rounding of a dense layer chooses no other neighbour.
@pytest.mark.parametrize("name", MODULES)
def test_the_layer_and_the_model_are_those_of_the_cpu(name: str) -> None:
    torch.manual_seed(0)
    module, splits = MODULES[name]().double(), torch.tensor(SPLITS)
    x = torch.randn(2000, 12, dtype=torch.float64)
    expected = results_and_gradients(module, x, splits)
    there = copy.deepcopy(module).to(CUDA)
    got = results_and_gradients(there, x.to(CUDA), splits.to(CUDA))
    for mine, theirs in zip(got, expected, strict=True):
        torch.testing.assert_close(mine.cpu(), theirs, rtol=1e-7, atol=1e-10)
    again = results_and_gradients(there, x.to(CUDA), splits.to(CUDA))
    assert torch.equal(got[0], again[0])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_autocast_keeps_the_geometry_in_float32(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    layer, x = GravNet(12, 9, k=16).to(CUDA), torch.randn(2000, 12, device=CUDA)
    _, graph = layer(x, return_graph=True)
    with torch.autocast(CUDA, dtype=dtype):
        low, low_graph = layer(x, return_graph=True)
    low.float().sum().backward()
    assert low.dtype == dtype and low_graph.coordinates.dtype == torch.float32
    assert torch.equal(low_graph.index, graph.index)
    assert all(parameter.grad.isfinite().all() for parameter in layer.parameters())


class TestCompile:
    def test_the_aggregation(self) -> None:
        features, *graph, _ = random_problem(900, 9, 300, 22).to(CUDA)
        mine, theirs = (features.clone().requires_grad_() for _ in range(2))
        compiled = torch.compile(loss, fullgraph=True)
        torch.testing.assert_close(compiled(mine, graph), loss(theirs, graph))
        compiled(mine, graph).backward()
        loss(theirs, graph).backward()
        torch.testing.assert_close(mine.grad, theirs.grad)

    @pytest.mark.parametrize("name", ["talk", "model"])
    def test_the_layer_and_the_model(self, name: str) -> None:
        torch.manual_seed(0)
        module, splits = MODULES[name]().double().to(CUDA), torch.tensor(SPLITS, device=CUDA)
        x = torch.randn(2000, 12, dtype=torch.float64, device=CUDA)
        expected = results_and_gradients(module, x, splits)
        # Not by inductor, which takes minutes of a small machine: a break would show as well.
        module.compile(fullgraph=True, backend="aot_eager")
        for mine, theirs in zip(results_and_gradients(module, x, splits), expected, strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-7, atol=1e-10)
