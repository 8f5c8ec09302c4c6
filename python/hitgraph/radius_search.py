"""All neighbours within a radius, as rows of a compressed list."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ._arguments import check_bool, check_float, check_int, operator_dtype
from ._search import search_options


class RadiusNeighbors(NamedTuple):
    """The neighbours of m queries, E in all. Those of query q are the elements from
    ``row_splits[q]`` to ``row_splits[q + 1] - 1``, nearest first.

    Attributes:
        row_splits: (m+1) int64 from 0 to E, not decreasing.
        index: (E) int64 or int32, the neighbours' row numbers in ``points``.
        distance2: (E) squared Euclidean distances. Float32, or float64 for float64 points.
            Differentiable.
    """

    row_splits: Tensor
    index: Tensor  # type: ignore[assignment]  # hides tuple.index, as the contract names it
    distance2: Tensor


def radius(
    points: Tensor,
    r: float,
    row_splits: Tensor | None = None,
    *,
    batch: Tensor | None = None,
    batch_size: int | None = None,
    queries: Tensor | None = None,
    query_row_splits: Tensor | None = None,
    query_batch: Tensor | None = None,
    query_mask: Tensor | None = None,
    point_mask: Tensor | None = None,
    include_self: bool = False,
    max_neighbors: int | None = None,
    inclusive: bool = True,
    index_dtype: torch.dtype = torch.int64,
) -> RadiusNeighbors:
    """All points within r of every point, or of every query, nearest first.

    Distances, their order, ties, segments, masks, rows with a NaN or an infinity, and gradients are
    those of `hitgraph.knn`. How many neighbours there are is in the data: on CUDA the call waits
    for the device once. ``hitgraph.knn(points, k, max_radius=r)`` does not, and gives k columns.

    Args:
        points: (n, d) float32, float64, float16 or bfloat16, d at least 1, any unit.
        r: the radius, not negative, in the unit of the points. The bound on distance2 is its
            square, both rounded to the type of the search.
        row_splits, batch, batch_size, queries, query_row_splits, query_batch, query_mask,
        point_mask, include_self, index_dtype: as `hitgraph.knn`.
        max_neighbors: at most this many for each query, the nearest; at least 0. All without it.
        inclusive: whether a point with distance2 = r^2 is within.

    Returns:
        RadiusNeighbors(row_splits (m+1), index (E), distance2 (E)), m = n without queries.

    Raises:
        TypeError: an argument of the wrong type or dtype.
        ValueError: a wrong shape or value.
        RuntimeError: tensors on different devices, or on one that this build cannot search on.

    Example:
        >>> points = torch.tensor([[0.0], [1.0], [3.0]])
        >>> row_splits, index, distance2 = hitgraph.radius(points, 2.0)
        >>> row_splits.tolist(), index.tolist()
        ([0, 1, 3, 4], [1, 0, 2, 1])
    """
    op = "hitgraph::radius"
    options = search_options(
        op,
        points,
        row_splits,
        batch=batch,
        batch_size=batch_size,
        queries=queries,
        query_row_splits=query_row_splits,
        query_batch=query_batch,
        query_mask=query_mask,
        point_mask=point_mask,
        include_self=include_self,
        index_dtype=index_dtype,
    )
    check_float(op, "r", r)
    check_bool(op, "inclusive", inclusive)
    if max_neighbors is not None:
        check_int(op, "max_neighbors", max_neighbors)
    found = torch.ops.hitgraph.radius(
        points, r, *options, max_neighbors, inclusive, operator_dtype(index_dtype)
    )
    return RadiusNeighbors(*found)
