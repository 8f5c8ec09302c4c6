"""hitgraph itself, and in torch-cluster's place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

import hitgraph

from ..problem import Problem, Row
from .base import Peer, array, rows_of_matrix


class Hitgraph(Peer):
    name = "hitgraph"
    modules = ("hitgraph",)
    install = "pip install ."
    devices = ("cpu", "cuda")
    tasks = ("knn", "radius")
    events = True

    @staticmethod
    def options(problem: Problem) -> dict[str, Any]:
        if problem.queries is None:
            return {"row_splits": problem.row_splits}
        return {"queries": problem.queries}

    def knn(self, problem: Problem, index: Any) -> hitgraph.Neighbors:
        return hitgraph.knn(problem.points, problem.k, **self.options(problem))

    def knn_rows(self, problem: Problem, found: Any, queries: Sequence[int]) -> list[Row]:
        return rows_of_matrix(problem, queries, found.index, found.distance2)

    def radius(self, problem: Problem, index: Any) -> hitgraph.RadiusNeighbors:
        return hitgraph.radius(problem.points, problem.r, **self.options(problem))

    def radius_rows(self, problem: Problem, found: Any, queries: Sequence[int]) -> list[Row]:
        splits, index, distance2 = (array(x) for x in found)
        slices = [slice(splits[query], splits[query + 1]) for query in queries]
        return [Row(index[part], distance2[part].astype("f8")) for part in slices]


def build_alone(problem: Problem) -> Callable[[], object]:
    """The index that a search of all points by themselves makes, with nobody asking: there is no
    call that builds and does not search, and for few queries bins are coarser.
    """
    nobody = problem.points.new_zeros(len(problem.points), dtype=torch.bool)
    return lambda: hitgraph.radius(problem.points, 0.0, query_mask=nobody, max_neighbors=1)


def work(problem: Problem) -> dict[str, float]:
    """Candidates a query, counted: points whose distance to it was computed."""
    counters = hitgraph.debug.knn_stats(
        problem.points, problem.k, **Hitgraph.options(problem)
    ).counters
    return {"candidates": counters.candidates / max(counters.queries, 1)}


def gradient(problem: Problem) -> tuple[torch.Tensor, ...]:
    """Forward and backward: the gradient of the sum of all squared distances."""
    points = problem.points.detach().requires_grad_()
    hitgraph.knn(points, problem.k, problem.row_splits).distance2.sum().backward()
    assert points.grad is not None
    return (points.grad,)
