"""torch-cluster; hitgraph behind the same calls; pyg-lib, which replaces it."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any, ClassVar

from ..problem import Problem, Row
from .base import Peer, rows_of_edges


class TorchCluster(Peer):
    name = "torch-cluster"
    modules: ClassVar[tuple[str, ...]] = ("torch_cluster",)
    install = "pip install torch_cluster --no-build-isolation"
    devices = ("cpu", "cuda")
    tasks = ("knn", "radius")
    events = True

    def arguments(self, problem: Problem) -> tuple[Any, ...]:
        batch = problem.batch if problem.events > 1 else None
        return batch, batch

    def refuses(self, problem: Problem) -> str | None:
        if problem.points.is_cuda and problem.with_self > 100:
            return "k at most 100 on cuda"
        return None

    def knn(self, problem: Problem, index: Any) -> Any:
        module = importlib.import_module(self.modules[0])
        arguments = self.arguments(problem)
        return module.knn(problem.points, problem.asks, problem.with_self, *arguments)

    def knn_rows(self, problem: Problem, found: Any, queries: Sequence[int]) -> list[Row]:
        return rows_of_edges(problem, queries, found[0], found[1], problem.k)

    def radius(self, problem: Problem, index: Any) -> Any:
        module = importlib.import_module(self.modules[0])
        arguments = self.arguments(problem)
        n = len(problem.points)
        return module.radius(
            problem.points, problem.asks, problem.r, *arguments, max_num_neighbors=n
        )

    def radius_rows(self, problem: Problem, found: Any, queries: Sequence[int]) -> list[Row]:
        return rows_of_edges(problem, queries, found[0], found[1])


class InItsPlace(TorchCluster):
    name = "hitgraph, edge list"
    modules = ("hitgraph.compat.torch_cluster",)
    install = "pip install ."

    def refuses(self, problem: Problem) -> str | None:
        return None


class PygLib(TorchCluster):
    name = "pyg-lib"
    modules = ("pyg_lib",)
    install = "pip install pyg_lib -f https://data.pyg.org/whl/torch-<version>+<cpu|cuda>.html"

    def knn(self, problem: Problem, index: Any) -> Any:
        ops = importlib.import_module("pyg_lib.ops")
        splits = problem.row_splits if problem.events > 1 else None
        return ops.knn(problem.points, problem.asks, problem.with_self, splits, splits)

    def radius(self, problem: Problem, index: Any) -> Any:
        ops = importlib.import_module("pyg_lib.ops")
        splits = problem.row_splits if problem.events > 1 else None
        n = len(problem.points)
        return ops.radius(
            problem.points, problem.asks, problem.r, splits, splits, max_num_neighbors=n
        )
