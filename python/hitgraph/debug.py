"""Debug mode, and for tests and curiosity: the search's oracle, and the work that a search does."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from . import _C
from ._arguments import check_knn, check_search, check_tensors
from .functional import Neighbors


class checks:
    """Debug mode on, or off: ``hitgraph.debug.checks(True)``, or for the length of a ``with``.

    What only values tell (row_splits that decrease, a batch that is not sorted, an index out of
    range) is checked on the CPU always. On CUDA it is checked in debug mode, where it waits for the
    device; without it such input gives missing neighbours. The environment variable
    HITGRAPH_DEBUG=1 starts a program in debug mode. It holds for the whole process.

    Args:
        enabled: whether CUDA tensors' values are checked from now on.
    """

    def __init__(self, enabled: bool = True) -> None:
        if not isinstance(enabled, bool):
            got = type(enabled).__name__
            raise TypeError(f"hitgraph.debug.checks: expected enabled to be a bool, got {got}")
        self._before: bool = _C.debug_checks()
        _C.set_debug_checks(enabled)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        _C.set_debug_checks(self._before)


class KnnCounters(NamedTuple):
    """The work of one search; the same on every CPU, with any number of threads.

    Attributes:
        queries: queries that searched.
        candidates: real points whose distance to a query was computed.
        buckets: buckets scanned.
        nodes: nodes of the hierarchy whose children's bounds were computed.
        accepted: candidates within the limit of their moment.
        selections: times that a full pool of candidates was cut back to the k best.
        restarts: searches repeated because the guessed radius held fewer than k points.
    """

    queries: int
    candidates: int
    buckets: int
    nodes: int
    accepted: int
    selections: int
    restarts: int


class KnnStats(NamedTuple):
    index: Tensor  # type: ignore[assignment]
    distance2: Tensor
    counters: KnnCounters


def _arguments(op: str, points: Tensor, k: int, options: dict[str, Any]) -> dict[str, Any]:
    tensors = "row_splits queries query_row_splits query_mask point_mask"
    known = f"{tensors} include_self max_radius index_dtype"
    for name in options:
        if name not in known.split():
            raise TypeError(f"hitgraph.debug: unexpected argument {name!r}, expected: {known}")
    check_tensors(op, **{name: options.get(name) for name in tensors.split()})
    check_search(op, points, options.get("include_self", False), options.get("index_dtype"))
    check_knn(op, k, options.get("max_radius"))
    return {"points": points, "k": k, **options}


def knn_stats(points: Tensor, k: int, *, simd: str = "", **options: Any) -> KnnStats:
    """hitgraph.knn by the build of the search that counts its work.

    Args:
        points, k, options: as in hitgraph.knn, without the batch vectors; all but the first two by
            name.
        simd: "portable", "avx2" or "avx512"; "" for the best of this machine, and for CUDA tensors.

    On CUDA a group of queries searches together: nodes are counted once for the group.
    """
    arguments = _arguments("hitgraph::knn_stats", points, k, options)
    index, distance2, counters = torch.ops.hitgraph.knn_stats(**arguments, simd=simd)
    return KnnStats(index, distance2, KnnCounters(*counters.tolist()))


def knn_brute_force(points: Tensor, k: int, **options: Any) -> Neighbors:
    """hitgraph.knn by comparing every pair, in the same arithmetic: what tests compare with.

    Args:
        points, k, options: as in hitgraph.knn, without the batch vectors; all but the first two by
            name.
    """
    arguments = _arguments("hitgraph::knn_brute_force", points, k, options)
    return Neighbors(*torch.ops.hitgraph.knn_brute_force(**arguments))
