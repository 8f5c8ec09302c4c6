"""GravNet's operators: their orders of work, torch.compile, and what they refuse."""

from __future__ import annotations

import itertools

import pytest
import torch
from gravnet_graphs import features_of, graph
from torch.library import opcheck

import hitgraph
from hitgraph.nn.functional import gravnet_aggregate

OPS = torch.ops.hitgraph


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
