"""FastGraphCompute: a uniform grid, searched in shells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..problem import Problem, Row
from .base import Peer, rows_of_matrix


class FastGraphCompute(Peer):
    name = "FastGraphCompute"
    modules = ("fastgraphcompute",)
    install = "pip install git+https://github.com/jkiesele/FastGraphCompute --no-build-isolation"
    devices = ("cpu", "cuda")
    events = True
    queries = False

    def refuses(self, problem: Problem) -> str | None:
        d = problem.points.shape[1]
        return None if 2 <= d <= 10 else "2 to 10 dimensions"

    def knn(self, problem: Problem, index: Any) -> Any:
        from fastgraphcompute import binned_select_knn

        return binned_select_knn(problem.with_self, problem.points, problem.row_splits)

    def knn_rows(self, problem: Problem, found: Any, queries: Sequence[int]) -> list[Row]:
        return rows_of_matrix(problem, queries, found[0], found[1])
