"""The fused aggregation of GravNet against tensor operations: values, gradients, bits, memory."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from aggregate_reference import aggregate_by_tensors
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck
from torch.library import opcheck

import hitgraph
from hitgraph.nn.functional import gravnet_aggregate

OPS = torch.ops.hitgraph
# 1e-6 of the sum of absolute terms, at which float32 and float64 may differ.
TOLERANCE = 1e-6


def graph(
    rows: int, k: int, points: int, *, missing: float = 0.2, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """A graph with holes anywhere, rows of holes only, and repeated neighbours."""
    random = torch.Generator().manual_seed(seed)
    index = torch.randint(0, max(points, 1), (rows, k), generator=random)
    index[torch.rand(rows, k, generator=random) < missing] = -1
    index[::9] = -1
    distance2 = torch.rand(rows, k, generator=random, dtype=torch.float64) * 3
    return index, distance2.masked_fill(index < 0, torch.inf)


def features_of(points: int, channels: int, seed: int = 1) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(points, channels, generator=random, dtype=torch.float64)


def graph_of_points(n: int, k: int, splits: list[int]) -> tuple[Tensor, Tensor]:
    """A graph as the search makes it, of points of which every third is a duplicate."""
    random = torch.Generator().manual_seed(n)
    points = torch.rand(n, 3, generator=random, dtype=torch.float64)
    points[::3] = points[0]
    return tuple(hitgraph.knn(points, k, torch.tensor(splits)))


GRAPHS = {
    "random": lambda: graph(23, 5, 17),
    "one neighbour": lambda: graph(9, 1, 4),
    "no missing": lambda: graph(12, 4, 6, missing=0.0),
    "more than the event has": lambda: graph_of_points(11, 8, [0, 4, 4, 5, 11]),
    "duplicates": lambda: graph_of_points(14, 5, [0, 14]),
    "hub": lambda: (torch.zeros(20, 3, dtype=torch.int64), torch.rand(20, 3).double()),
}


class TestGradient:
    @pytest.mark.parametrize("name", GRAPHS)
    @pytest.mark.parametrize(("divisor", "missing"), [("k", "skip"), ("count", "zero")])
    def test_gradcheck(self, name: str, divisor: str, missing: str) -> None:
        index, distance2 = GRAPHS[name]()
        features = features_of(20, 3).requires_grad_()
        present = index >= 0
        finite = distance2[present].requires_grad_()

        def aggregate(features: Tensor, finite: Tensor) -> tuple[Tensor, ...]:
            filled = torch.full_like(distance2, torch.inf).masked_scatter(present, finite)
            return gravnet_aggregate(
                features,
                index,
                filled,
                1.5,
                reduce=("mean", "max", "sum"),
                divisor=divisor,
                missing=missing,
            )

        assert gradcheck(aggregate, (features, finite))
        assert gradgradcheck(aggregate, (features, finite))

    def test_given_weights(self) -> None:
        index, distance2 = graph(15, 4, 9)
        weight = (distance2.nan_to_num(posinf=0.0) - 1).requires_grad_()  # negative ones, too
        features = features_of(9, 4).requires_grad_()
        assert gradcheck(
            lambda h, w: gravnet_aggregate(h, index, None, weight=w), (features, weight)
        )

    @pytest.mark.parametrize("reduce", [("mean",), ("max",), ("sum", "max"), ("mean", "sum")])
    @pytest.mark.parametrize("wanted", ["features", "distance2", "both"])
    def test_parts(self, reduce: tuple[str, ...], wanted: str) -> None:
        index, distance2 = graph(40, 6, 30)
        gradients = []
        for function in (gravnet_aggregate, aggregate_by_tensors):
            features, values = features_of(30, 7), distance2.clone()
            inputs = {"features": [features], "distance2": [values], "both": [features, values]}
            for tensor in inputs[wanted]:
                tensor.requires_grad_()
            outputs = function(features, index, values, 2.0, reduce=reduce)
            sum((out * (i + 1)).sum() for i, out in enumerate(outputs)).backward()
            assert (features.grad is None) == (wanted == "distance2")
            gradients.append([tensor.grad for tensor in inputs[wanted]])
        for fused, expected in zip(*gradients, strict=True):
            torch.testing.assert_close(fused, expected, rtol=1e-12, atol=1e-12)

    def test_a_result_that_nobody_uses(self) -> None:
        index, distance2 = graph(10, 3, 5)
        features = features_of(5, 2).requires_grad_()
        mean, _ = gravnet_aggregate(features, index, distance2)
        mean.sum().backward()
        used = features.grad.clone()
        features.grad = None
        gravnet_aggregate(features, index, distance2, reduce=("mean",))[0].sum().backward()
        assert torch.equal(used, features.grad)

    def test_parts_of_a_concatenation_are_read_where_they_lie(self) -> None:
        index, distance2 = graph(10, 3, 5)
        features = features_of(5, 6).requires_grad_()
        own = features_of(10, 4)
        together = torch.cat([own, *gravnet_aggregate(features, index, distance2)], dim=1)
        together.square().sum().backward()
        fused, features.grad = features.grad, None
        together = torch.cat([own, *aggregate_by_tensors(features, index, distance2)], dim=1)
        together.square().sum().backward()
        torch.testing.assert_close(fused, features.grad)


CASES = list(itertools.product([1, 3, 16, 22, 33, 128], [1, 16, 40, 300]))


def halves(channels: int, k: int, scale: float) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Pairs of (float32, float64, sum of absolute terms), results and gradients."""
    index, distance2 = graph(60, k, 50, seed=k)
    features, values = features_of(50, channels).float(), distance2.float()
    grads = [features_of(60, channels, seed).float() for seed in (5, 6)]
    runs = []
    for dtype in (torch.float32, torch.float64):
        inputs = [
            tensor.to(dtype).detach().clone().requires_grad_() for tensor in (features, values)
        ]
        function = gravnet_aggregate if dtype == torch.float32 else aggregate_by_tensors
        outputs = function(inputs[0], index, inputs[1], scale, divisor="count")
        torch.autograd.backward(outputs, [grad.to(dtype) for grad in grads])
        runs.append([*(out.detach() for out in outputs), *(x.grad for x in inputs)])
    # The sums of absolute terms, by the same formulas on absolute values.
    weight = torch.exp(-scale * values.double().masked_fill(index < 0, torch.inf))
    h = torch.cat([features.double().abs(), torch.zeros(1, channels).double()])[index]
    count = (index >= 0).sum(1, keepdim=True).clamp(min=1)
    mean = (weight.unsqueeze(-1) * h).sum(1) / count
    by_product = (grads[0].double().abs() / count + grads[1].double().abs()).unsqueeze(1)
    by_value = abs(scale) * weight * (by_product * h).sum(-1)
    by_feature = torch.zeros(51, channels).double()
    by_feature.index_add_(
        0, index.flatten() % 51, (weight.unsqueeze(-1) * by_product).flatten(0, 1)
    )
    terms = [mean, runs[1][1].abs(), by_feature[:50], by_value]
    yield from zip(*runs, terms, strict=True)


@pytest.mark.parametrize(("channels", "k"), CASES)
@pytest.mark.parametrize("scale", [1.0, 10.0, 0.1])
def test_float32_is_near_float64(channels: int, k: int, scale: float) -> None:
    for narrow, wide, terms in halves(channels, k, scale):
        error = (narrow.double() - wide).abs()
        # Below the normal numbers of float32 a weight is zero.
        assert (error <= TOLERANCE * terms + 1e-36).all(), (error / terms).nan_to_num().max()


@pytest.mark.parametrize("k", [64, 1000])
def test_sums_of_one_sign_are_near_float64(k: int) -> None:
    # Nothing cancels, every rounding goes the same way: hubs and rows of equal terms.
    index = torch.arange(k).expand(40, k) % 3
    distance2 = torch.full((40, k), 0.37)
    results = []
    for dtype in (torch.float32, torch.float64):
        features = torch.full((3, 33), 0.7).to(dtype).requires_grad_()
        values = distance2.to(dtype).clone().requires_grad_()
        function = gravnet_aggregate if dtype == torch.float32 else aggregate_by_tensors
        (mean,) = function(features, index, values, 1.0, reduce=("mean",))
        mean.backward(torch.full_like(mean, 0.3))
        results.append((mean.detach(), features.grad, values.grad))
    for narrow, wide in zip(*results, strict=True):
        assert ((narrow - wide).abs() <= TOLERANCE * wide.abs()).all()


class TestBits:
    def results(self, transposed: bool = False) -> list[Tensor]:
        index, distance2 = graph(3000, 40, 2000)
        index[:, :3] = 7  # hubs: 3000 edges, parts of several shares
        features = features_of(2000, 22).float().requires_grad_()
        values = distance2.float().masked_fill(index == 7, 0.5).requires_grad_()
        given = hitgraph.transpose_graph(index, 2000) if transposed else None
        outputs = gravnet_aggregate(features, index, values, transposed=given)
        random = torch.Generator().manual_seed(2)
        torch.autograd.backward(
            outputs, [torch.randn(out.shape, generator=random) for out in outputs]
        )
        return [*outputs, features.grad, values.grad]

    def test_twice(self) -> None:
        assert all(torch.equal(a, b) for a, b in zip(self.results(), self.results(), strict=True))

    def test_threads(self) -> None:
        before = torch.get_num_threads()
        runs = []
        try:
            for threads in (1, 2, 3):
                torch.set_num_threads(threads)
                runs.append(self.results())
        finally:
            torch.set_num_threads(before)
        for run in runs[1:]:
            assert all(torch.equal(a, b) for a, b in zip(runs[0], run, strict=True))

    def test_a_given_transposed_graph(self) -> None:
        for made, given in zip(self.results(), self.results(True), strict=True):
            assert torch.equal(made, given)

    @pytest.mark.parametrize("level", ["portable", "avx2", "avx512"])
    def test_simd_levels(self, level: str, tmp_path: Path) -> None:
        if level not in hitgraph._C.build_info()["simd_available"]:
            pytest.skip(f"this machine has no {level}")
        script = (
            "import torch, sys; sys.path.insert(0, sys.argv[1])\n"
            "from test_gravnet_fused import TestBits\n"
            "torch.save(TestBits().results()[:2], sys.argv[2])"
        )
        file = tmp_path / "results.pt"
        subprocess.run(
            [sys.executable, "-c", script, Path(__file__).parent, file],
            check=True,
            env={**os.environ, "HITGRAPH_SIMD": level},
        )
        for there, here in zip(torch.load(file), self.results()[:2], strict=True):
            assert torch.equal(there, here)


class TestSpecialValues:
    def test_the_first_of_equal_products_wins_and_so_does_the_first_nan(self) -> None:
        features = torch.tensor([[1.0], [1.0], [torch.nan], [-torch.inf], [2.0]])
        index = torch.tensor([[0, 1, -1], [4, 2, 2], [3, 3, -1], [-1, 3, 3]])
        weight = torch.ones(4, 3)
        total, maximum, slot = OPS.gravnet_aggregate(features, index, weight, None)
        assert slot.flatten().tolist() == [0, 1, 0, 1] and slot.dtype == torch.uint8
        assert maximum.flatten().tolist()[::2] == [1.0, -torch.inf]
        assert maximum[1].isnan() and total[1].isnan()

    def test_slots_of_missing_neighbours(self) -> None:
        features = torch.tensor([[-1.0, 1.0]])
        index = torch.tensor([[0, -1, -1], [-1, -1, -1]])
        slots = {
            missing: OPS.gravnet_aggregate(
                features, index, torch.ones(2, 3), None, missing=missing
            )[2].tolist()
            for missing in ("skip", "zero")
        }
        assert slots == {"skip": [[0, 0], [255, 255]], "zero": [[1, 0], [0, 0]]}

    def test_slots_of_many_neighbours_are_int32(self) -> None:
        features = torch.arange(300.0).view(300, 1)
        index = torch.arange(300).expand(2, 300).clone()
        index[1] = -1
        slot = OPS.gravnet_aggregate(features, index, torch.ones(2, 300), None)[2]
        assert slot.dtype == torch.int32 and slot.flatten().tolist() == [299, -1]

    def test_an_infinite_weight_touches_only_what_it_won(self) -> None:
        features = torch.tensor([[1.0, -1.0], [1.0, 1.0]], requires_grad=True)
        weight = torch.tensor([[torch.inf, 1.0]])
        (maximum,) = gravnet_aggregate(
            features, torch.tensor([[0, 1]]), None, weight=weight, reduce=("max",)
        )
        maximum.sum().backward()
        assert features.grad.tolist() == [[torch.inf, 0.0], [0.0, 1.0]]

    def test_far_neighbours_have_weight_zero(self) -> None:
        features = torch.ones(2, 1)
        distance2 = torch.tensor([[86.9, 87.1], [1e30, torch.inf]])
        total = OPS.gravnet_aggregate(
            features, torch.tensor([[0, 1], [0, 1]]), distance2, 1.0, True, False, "one"
        )[0]
        expected = torch.exp(torch.tensor([-86.9], dtype=torch.float64)).float()
        torch.testing.assert_close(total[0], expected, rtol=2e-6, atol=0.0)
        assert total[1].item() == 0.0


class TestOperators:
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
    @pytest.mark.parametrize("scale", [None, 1.0])
    def test_opcheck(self, dtype: torch.dtype, scale: float | None) -> None:
        index, distance2 = graph(12, 3, 8)
        values = distance2.nan_to_num(posinf=1.0).to(torch.float32)
        features = features_of(8, 4).to(dtype).requires_grad_()
        opcheck(OPS.gravnet_aggregate.default, (features, index, values.requires_grad_(), scale))
        slot = OPS.gravnet_aggregate(features, index, values, scale)[2]
        grad = features_of(12, 4).to(dtype)
        transposed = hitgraph.transpose_graph(index, 8)
        opcheck(
            OPS.gravnet_aggregate_backward.default,
            (grad, grad, features.detach(), index, values.detach(), slot, scale),
            transposed._asdict(),
        )

    def test_compiles_without_a_break(self) -> None:
        compiled = torch.compile(
            lambda *a: torch.cat(gravnet_aggregate(*a, 1.0), 1), fullgraph=True, dynamic=True
        )
        for rows in (10, 40):
            index, distance2 = graph(rows, 4, 8)
            features, twin = (features_of(8, 6).requires_grad_() for _ in range(2))
            expected = torch.cat(gravnet_aggregate(features, index, distance2, 1.0), 1)
            result = compiled(twin, index, distance2)
            assert torch.equal(result, expected)
            expected.square().sum().backward()
            result.square().sum().backward()
            torch.testing.assert_close(twin.grad, features.grad)

    def test_knn_with_transposed(self) -> None:
        points = torch.rand(300, 3, dtype=torch.float64)
        splits = torch.tensor([0, 100, 100, 300])
        results = []
        for op in (OPS.knn, OPS.knn_with_transposed):
            own = points.clone().requires_grad_()
            index, distance2, *transposed = op(own, 6, splits)
            distance2.square().sum().backward()
            results.append((index, distance2.detach(), own.grad))
        for plain, both in zip(*results, strict=True):
            assert torch.equal(plain, both)
        *made, order = transposed
        for got, expected in zip(made, OPS.transpose_graph(index, 300)[:2], strict=True):
            assert torch.equal(got, expected)
        assert torch.equal(order.sort().values, torch.arange(300, dtype=torch.int32))
        with torch.no_grad():
            assert len(OPS.knn_with_transposed(points, 6, splits)) == 5

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_the_order_is_that_of_the_search(self, dtype: torch.dtype) -> None:
        points = torch.rand(9000, 3, dtype=dtype)
        points[::7] = torch.nan
        splits = torch.tensor([0, 100, 100, 4000, 9000])
        order = hitgraph.knn_with_transposed(points, 6, splits)[1].order.long()
        for begin, end in itertools.pairwise(splits.tolist()):
            part = order[begin:end]
            assert torch.equal(part.sort().values, torch.arange(begin, end))
            there = points[part, 0].isfinite()
            assert torch.equal(there, there.sort(descending=True).values)
        # Of 32 points in turn, a bucket, the box is small.
        buckets = points[order[4000:8000]].view(125, 32, 3)
        assert (buckets.amax(1) - buckets.amin(1)).median() < 0.4

    def test_queries_that_are_not_points_have_no_order_of_their_own(self) -> None:
        points = torch.rand(50, 2)
        for queries in (torch.rand(30, 2), torch.rand(50, 2)):
            order = hitgraph.knn_with_transposed(points, 3, queries=queries)[1].order
            assert torch.equal(order, torch.arange(50, dtype=torch.int32))

    def test_no_result_depends_on_the_order(self) -> None:
        points = torch.rand(9000, 4)
        found, transposed = hitgraph.knn_with_transposed(points, 12)
        identity = torch.arange(9000, dtype=torch.int32)
        results = []
        for order in (transposed.order, identity, identity.flip(0), identity[:0], None):
            features = features_of(9000, 256).float().requires_grad_()
            graph = transposed._replace(order=order)
            outputs = gravnet_aggregate(features, *found, 10.0, transposed=graph)
            by_values = torch.ones_like(found.distance2)
            random = torch.Generator().manual_seed(2)
            grads = [torch.randn(out.shape, generator=random) for out in outputs]
            torch.autograd.backward(outputs, grads)
            by_points = OPS.distance2_backward(by_values, points, points, found.index, *graph)
            results.append((*outputs, features.grad, *by_points))
        for other in results[1:]:
            assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))

    def test_the_transposed_graph_of_another_is_refused_in_debug_mode(self) -> None:
        index = torch.tensor([[0, 1], [1, -1]])
        other = hitgraph.transpose_graph(torch.tensor([[1, 0], [0, 1]]), 2)
        mean, _ = gravnet_aggregate(
            torch.ones(2, 1, requires_grad=True), index, torch.ones(2, 2), transposed=other
        )
        with (
            hitgraph.debug.checks(True),
            pytest.raises(ValueError, match="expected the transposed graph of this index, got"),
        ):
            mean.sum().backward()

    @pytest.mark.parametrize(
        ("change", "exception", "sentence"),
        [
            ({"offsets": None}, ValueError, "offsets and edges together"),
            ({"offsets": torch.zeros(3).long()}, ValueError, r"offsets of shape \(6\), got \[3\]"),
            ({"edges": torch.zeros(3).int()}, ValueError, r"edges of shape \(8\), got \[3\]"),
            ({"edges": torch.zeros(8)}, TypeError, "edges to be int64 or int32"),
            ({"offsets": torch.zeros(6).int()}, TypeError, "offsets to be int64"),
            ({"offsets": torch.tensor([0, 9, 9, 9, 9, 9])}, ValueError, "that do not ascend"),
            ({"edges": torch.full((8,), 8).int()}, ValueError, "that do not exist"),
            ({"order": torch.zeros(3).int()}, ValueError, r"order of shape \(5\), or empty, got"),
            ({"order": torch.arange(5)}, TypeError, "order to be int32, got int64"),
            ({"order": torch.zeros(5).int()}, ValueError, "order to name every point once"),
            ({"order": torch.arange(1, 6).int()}, ValueError, "order to name every point once"),
            ({"slot": torch.full((4, 3), 9).byte()}, ValueError, "slot below 2"),
            ({"slot": torch.zeros(4, 3).int()}, TypeError, "slot to be uint8"),
            ({"slot": torch.zeros(4, 2).byte()}, ValueError, r"slot of shape \(4, 3\)"),
            ({"grad_total": torch.zeros(4, 2)}, ValueError, r"grad_total of shape \(4, 3\)"),
            ({"grad_maximum": torch.zeros(4, 3).int()}, TypeError, "grad_maximum to be floating"),
        ],
    )
    def test_the_backward_refuses(
        self, change: dict[str, object], exception: type[Exception], sentence: str
    ) -> None:
        index = torch.tensor([[0, 1], [2, 3], [4, -1], [-1, -1]])
        offsets, edges, order = hitgraph.transpose_graph(index, 5)
        arguments = {
            "grad_total": torch.ones(4, 3),
            "grad_maximum": torch.ones(4, 3),
            "features": torch.ones(5, 3),
            "index": index,
            "values": torch.ones(4, 2),
            "slot": torch.zeros(4, 3).byte(),
            "scale": 1.0,
            "offsets": offsets,
            "edges": edges,
            "order": order,
        }
        with pytest.raises(exception, match=sentence) as raised:
            OPS.gravnet_aggregate_backward(**{**arguments, **change})
        assert str(raised.value).startswith("hitgraph::gravnet_aggregate_backward: expected ")
