"""k-d trees for the CPU: SciPy, pykdtree, scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..problem import Problem, Row
from .base import Peer, rows_of_lists, rows_of_matrix


class SciPy(Peer):
    name = "SciPy cKDTree"
    modules = ("scipy", "scipy.spatial")
    install = "pip install scipy"
    tasks = ("knn", "radius")
    index = True

    def build(self, problem: Problem) -> Any:
        from scipy.spatial import cKDTree

        return cKDTree(problem.array)

    def knn(self, problem: Problem, index: Any) -> Any:
        k = range(1, problem.with_self + 1)  # a list keeps the second axis for one neighbour
        return index.query(problem.query_array, k=k, workers=-1)

    def knn_rows(self, problem: Problem, found: Any, queries: Sequence[int]) -> list[Row]:
        distance, rows = found
        missing = ~np.isfinite(distance)
        return rows_of_matrix(problem, queries, np.where(missing, -1, rows), distance**2)

    def radius(self, problem: Problem, index: Any) -> Any:
        return index.query_ball_point(problem.query_array, problem.r, workers=-1)

    def radius_rows(self, problem: Problem, found: Any, queries: Sequence[int]) -> list[Row]:
        return rows_of_lists(problem, queries, found)


class PyKdTree(Peer):
    name = "pykdtree"
    modules = ("pykdtree", "pykdtree.kdtree")
    install = "pip install pykdtree"
    index = True

    def refuses(self, problem: Problem) -> str | None:
        return None if problem.points.shape[1] < 128 else "at most 127 dimensions"

    def build(self, problem: Problem) -> Any:
        from pykdtree.kdtree import KDTree

        return KDTree(problem.array)

    def knn(self, problem: Problem, index: Any) -> Any:
        return index.query(problem.query_array, k=problem.with_self, sqr_dists=True)

    def knn_rows(self, problem: Problem, found: Any, queries: Sequence[int]) -> list[Row]:
        distance2, rows = (x.reshape(problem.n_queries, -1) for x in found)
        rows = np.where(np.isfinite(distance2), rows.astype(np.int64), -1)
        return rows_of_matrix(problem, queries, rows, distance2)


class ScikitLearn(Peer):
    name = "scikit-learn"
    modules = ("sklearn", "sklearn.neighbors")
    install = "pip install scikit-learn"
    tasks = ("knn", "radius")
    index = True

    def build(self, problem: Problem) -> Any:
        from sklearn.neighbors import NearestNeighbors

        return NearestNeighbors(algorithm="kd_tree", n_jobs=-1).fit(problem.array)

    def knn(self, problem: Problem, index: Any) -> Any:
        return index.kneighbors(problem.query_array, problem.with_self)

    def knn_rows(self, problem: Problem, found: Any, queries: Sequence[int]) -> list[Row]:
        return rows_of_matrix(problem, queries, found[1], found[0] ** 2)

    def radius(self, problem: Problem, index: Any) -> Any:
        return index.radius_neighbors(problem.query_array, problem.r)

    def radius_rows(self, problem: Problem, found: Any, queries: Sequence[int]) -> list[Row]:
        return rows_of_lists(problem, queries, found[1])
