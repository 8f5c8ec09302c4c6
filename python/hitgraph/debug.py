"""For tests and curiosity: the search's oracle, and the work that a search does."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from ._arguments import check_search, check_tensors
from .functional import Neighbors


class KnnCounters(NamedTuple):
    """The work of one search; the same on every machine, with any number of threads.

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
    others = options.get("include_self", False), options.get("max_radius")
    check_search(op, points, k, *others, options.get("index_dtype"))
    return {"points": points, "k": k, **options}


def knn_stats(points: Tensor, k: int, *, simd: str = "", **options: Any) -> KnnStats:
    """hitgraph.knn by the build of the search that counts its work.

    Args:
        points, k, options: as in hitgraph.knn, without the batch vectors; all but the first two by
            name.
        simd: "portable", "avx2" or "avx512"; "" for the best of this machine.
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
