"""EdgeConv and the search in many dimensions on CUDA tensors: the CPU's rows, gradients, memory."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from benchmarks.gpu_check.edge_conv import cloud, layer_error, same_rows, splits_of
from benchmarks.gpu_check.timing import captured, peak_bytes
from torch import Tensor, nn

import hitgraph
from hitgraph.nn import EdgeConv

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available() or not hitgraph._C.build_info()["cuda"],
    reason="needs a GPU and a build with CUDA kernels",
)

CUDA = "cuda"
OPS = torch.ops.hitgraph


def network(inputs: int, outputs: int, dtype: torch.dtype = torch.float32) -> nn.Sequential:
    torch.manual_seed(1)
    modules = nn.Linear(2 * inputs, outputs), nn.BatchNorm1d(outputs), nn.LeakyReLU(0.2)
    return nn.Sequential(*modules).to(dtype)


class TestSearch:
    @pytest.mark.parametrize("kind", ["normal", "surface", "tight"])
    @pytest.mark.parametrize(("clouds", "points"), [(8, 700), (1, 9000)])
    @pytest.mark.parametrize("d", [9, 16, 64, 130])
    def test_the_bits_of_the_cpu(self, d: int, clouds: int, points: int, kind: str) -> None:
        assert same_rows(cloud(kind, clouds * points, d), splits_of(clouds, points), CUDA)

    @pytest.mark.parametrize("k", [1, 100, 300, 700])
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_any_k(self, dtype: torch.dtype, k: int) -> None:
        x = cloud("normal", 1200, 20).to(dtype).round()  # ties
        splits = torch.tensor([0, 0, 300, 1200])
        options: dict[str, Any] = {"index_dtype": torch.int32, "max_radius": 6.0}
        expected = hitgraph.knn(x, k, splits, **options)
        got = hitgraph.knn(x.to(CUDA), k, splits.to(CUDA), **options)
        assert torch.equal(got.index.cpu(), expected.index)
        assert torch.equal(got.distance2.cpu(), expected.distance2)

    def test_masks_and_other_queries(self) -> None:
        x, queries = cloud("normal", 900, 33), cloud("normal", 300, 33)
        mask = torch.arange(900) % 3 != 0
        for asking in (queries, None):
            expected = hitgraph.knn(x, 12, queries=asking, point_mask=mask)
            there = None if asking is None else asking.to(CUDA)
            got = hitgraph.knn(x.to(CUDA), 12, queries=there, point_mask=mask.to(CUDA))
            assert torch.equal(got.index.cpu(), expected.index)
            assert torch.equal(got.distance2.cpu(), expected.distance2)

    @pytest.mark.parametrize("points", [1024, 9000])
    def test_nothing_waits(self, points: int) -> None:
        x, splits = cloud("normal", 2 * points, 64).to(CUDA), splits_of(2, points).to(CUDA)
        expected = hitgraph.knn(x, 20, splits)
        torch.cuda.set_sync_debug_mode("error")
        try:
            hitgraph.knn(x, 20, splits)
        finally:
            torch.cuda.set_sync_debug_mode("default")
        results: list[Any] = []
        captured(lambda: results.append(hitgraph.knn(x, 20, splits))).replay()
        assert torch.equal(results[0].index, expected.index)


class TestEdgeConv:
    @pytest.mark.parametrize("training", [False, True])
    @pytest.mark.parametrize(("inputs", "outputs"), [(3, 22), (64, 64), (16, 256)])
    def test_near_the_cpu(self, inputs: int, outputs: int, training: bool) -> None:
        assert layer_error(inputs, outputs, training, CUDA) < 1e-9

    def test_selects_as_the_cpu(self) -> None:
        """Small integers: no product is rounded, so the selection must be the same."""
        features = torch.randint(-3, 4, (500, 5)).float()
        index = torch.randint(-1, 500, (500, 300))
        weight = torch.randint(-3, 4, (33, 10)).float()
        for k in (20, 255, 300):
            expected = OPS.edge_conv_max(features, index[:, :k], weight)
            got = OPS.edge_conv_max(features.to(CUDA), index[:, :k].to(CUDA), weight.to(CUDA))
            assert torch.equal(got[0].cpu(), expected[0])
            assert torch.equal(got[1].cpu(), expected[1])

    def test_gradcheck(self) -> None:
        layer = EdgeConv(network(3, 4, torch.float64)).to(CUDA)
        index = torch.randint(-1, 12, (12, 4), device=CUDA)
        x = torch.randn(12, 3, dtype=torch.float64, device=CUDA, requires_grad=True)
        centers = torch.randn(12, 3, dtype=torch.float64, device=CUDA, requires_grad=True)
        assert torch.autograd.gradcheck(lambda a, b: layer((a, b), index), (x, centers))

    def test_every_run_gives_the_same_bits(self) -> None:
        x, splits = cloud("normal", 4 * 512, 64).to(CUDA), splits_of(4, 512).to(CUDA)
        graph = hitgraph.knn(x, 20, splits)
        layer = EdgeConv(network(64, 128)).to(CUDA)
        runs = []
        for _ in range(2):
            leaf = x.clone().requires_grad_()
            y = layer(leaf, graph)
            runs.append((y, *torch.autograd.grad(y.square().sum(), [leaf, *layer.parameters()])))
        assert all(torch.equal(a, b) for a, b in zip(*runs, strict=True))

    def test_a_layer_trains_within_200_mb(self) -> None:
        x = cloud("normal", 32 * 1024, 128).to(CUDA).requires_grad_()
        splits = splits_of(32, 1024).to(CUDA)
        found = hitgraph.knn(x.detach(), 20, splits)
        transposed = hitgraph.transpose_graph(found.index, len(x))
        graph = hitgraph.nn.GravNetGraph(*found, x.detach(), transposed)
        layer = EdgeConv(network(128, 256)).to(CUDA)

        def step() -> None:
            y: Tensor = layer(x, graph)
            torch.autograd.grad(y, [x, *layer.parameters()], torch.ones_like(y))

        step()
        assert peak_bytes(step) <= 200e6

    def test_no_sync_in_evaluation_and_in_training(self) -> None:
        x = cloud("normal", 1000, 16).to(CUDA).requires_grad_()
        graph = hitgraph.knn(x.detach(), 20)
        layer = EdgeConv(network(16, 64)).to(CUDA)
        assert layer.path(CUDA) == "fused"
        for training in (True, False):
            layer.train(training)
            layer(x, graph).sum().backward()
            torch.cuda.set_sync_debug_mode("error")
            try:
                layer(x, graph).sum().backward()
            finally:
                torch.cuda.set_sync_debug_mode("default")
