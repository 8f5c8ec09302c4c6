"""Everybody with everybody: torch.cdist, FAISS, cuVS, KeOps, PyTorch3D."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from ..problem import Problem, Row
from .base import Peer, rows_of_matrix

CHUNK = 2**26  # distances at once


class Cdist(Peer):
    """A chunk of queries after another, in clouds of the same size if there are several."""

    name = "cdist + topk"
    modules = ("torch",)
    install = "pip install torch"
    devices = ("cpu", "cuda")
    events = True
    every_pair = True
    mode: ClassVar[str] = "donot_use_mm_for_euclid_dist"

    def refuses(self, problem: Problem) -> str | None:
        even = len(set(problem.row_splits.diff().tolist())) == 1
        return None if even else "events of one size"

    def knn(self, problem: Problem, index: Any) -> tuple[Tensor, Tensor]:
        x = problem.points.unflatten(0, (problem.events, -1))
        asks = problem.asks.unflatten(0, (problem.events, -1))
        k = min(problem.with_self, x.shape[1])
        found = []
        for rows in asks.split(max(1, CHUNK // max(len(problem.points), 1)), dim=1):
            distance = torch.cdist(rows, x, compute_mode=self.mode)
            found.append(distance.topk(k, largest=False))
        distance = torch.cat([part.values for part in found], 1)
        local = torch.cat([part.indices for part in found], 1)
        rows = local + problem.row_splits[:-1, None, None]
        return distance.flatten(0, 1), rows.flatten(0, 1)

    def knn_rows(self, problem: Problem, found: Any, queries: Sequence[int]) -> list[Row]:
        return rows_of_matrix(problem, queries, found[1], found[0].square())


class CdistByProduct(Cdist):
    """As torch.cdist computes unless told otherwise: |x|² + |y|² − 2xy."""

    name = "cdist (product) + topk"
    mode = "use_mm_for_euclid_dist"


class Faiss(Peer):
    name = "FAISS flat"
    modules: ClassVar[tuple[str, ...]] = ("faiss",)
    install = "pip install faiss-cpu"
    every_pair = True
    index = True

    def build(self, problem: Problem) -> Any:
        import faiss

        index = faiss.IndexFlatL2(problem.points.shape[1])
        index.add(problem.array)
        return index

    def knn(self, problem: Problem, index: Any) -> Any:
        return index.search(problem.query_array, problem.with_self)

    def knn_rows(self, problem: Problem, found: Any, queries: Sequence[int]) -> list[Row]:
        return rows_of_matrix(problem, queries, found[1], found[0])


class FaissGpu(Faiss):
    name = "FAISS flat, GPU"
    modules = ("faiss", "faiss.contrib.torch_utils")
    install = "pip install faiss-gpu-cu12"
    devices = ("cuda",)
    index = False

    def version(self) -> str | None:
        found = super().version()
        if found is None:
            return None
        import faiss

        return found if hasattr(faiss, "StandardGpuResources") else None

    def build(self, problem: Problem) -> Any:
        import faiss

        return faiss.StandardGpuResources()

    def refuses(self, problem: Problem) -> str | None:
        return "k at most 2048" if problem.with_self > 2048 else None

    def knn(self, problem: Problem, index: Any) -> Any:
        import faiss

        return faiss.knn_gpu(index, problem.asks, problem.points, problem.with_self)


class CuVs(Peer):
    name = "cuVS brute force"
    modules = ("cuvs", "cuvs.neighbors.brute_force")
    install = "pip install cuvs-cu12 --extra-index-url https://pypi.nvidia.com"
    devices = ("cuda",)
    every_pair = True
    index = True

    def build(self, problem: Problem) -> Any:
        from cuvs.neighbors import brute_force

        return brute_force.build(problem.points, metric="sqeuclidean")

    def knn(self, problem: Problem, index: Any) -> Any:
        from cuvs.neighbors import brute_force

        return brute_force.search(index, problem.asks, problem.with_self)

    def knn_rows(self, problem: Problem, found: Any, queries: Sequence[int]) -> list[Row]:
        distance2, rows = (torch.as_tensor(x, device="cuda") for x in found)
        return rows_of_matrix(problem, queries, rows, distance2)


class KeOps(Peer):
    name = "KeOps"
    modules = ("pykeops", "pykeops.torch")
    install = "pip install pykeops"
    devices = ("cpu", "cuda")
    every_pair = True

    def knn(self, problem: Problem, index: Any) -> Tensor:
        from pykeops.torch import LazyTensor

        asks, points = LazyTensor(problem.asks[:, None]), LazyTensor(problem.points[None])
        found: Tensor = ((asks - points) ** 2).sum(-1).argKmin(problem.with_self, dim=1)
        return found

    def knn_rows(self, problem: Problem, found: Any, queries: Sequence[int]) -> list[Row]:
        return rows_of_matrix(problem, queries, found)


class PyTorch3d(Peer):
    name = "PyTorch3D"
    modules = ("pytorch3d", "pytorch3d.ops")
    install = "pip install git+https://github.com/facebookresearch/pytorch3d --no-build-isolation"
    devices = ("cpu", "cuda")
    every_pair = True

    def knn(self, problem: Problem, index: Any) -> Any:
        from pytorch3d.ops import knn_points

        return knn_points(problem.asks[None], problem.points[None], K=problem.with_self)

    def knn_rows(self, problem: Problem, found: Any, queries: Sequence[int]) -> list[Row]:
        return rows_of_matrix(problem, queries, found.idx[0], found.dists[0])
