"""The functional interface: graphs from points."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from ._arguments import check_int, check_knn, check_tensors, operator_dtype
from ._search import offsets_of_batch, search_options


class Neighbors(NamedTuple):
    """The k nearest neighbours of m queries.

    Attributes:
        index: (m, k) int64 or int32, the neighbours' row numbers in ``points``; -1 where missing.
        distance2: (m, k) squared Euclidean distances; +inf where missing. Float32, or float64 for
            float64 points. Differentiable.
    """

    index: Tensor  # type: ignore[assignment]  # hides tuple.index, as the contract names it
    distance2: Tensor


class TransposedGraph(NamedTuple):
    """A graph's edges by the point that they reach. What gradients by the neighbours are summed
    along; made once, it serves every layer that uses the graph.

    Attributes:
        offsets: (n+1,) int64: the edges that reach point j are at offsets[j] to offsets[j + 1] - 1.
        edges: (m·k,) int32, int64 from 2^31 edges: their numbers row · k + column, ascending for
            each point; the edges that do not exist come last.
        order: (n,) int32 on the CPU, a permutation of the points in which neighbours come one after
            another; empty on other devices. In that order they are worked on; no result depends
            on it. May be None.
    """

    offsets: Tensor
    edges: Tensor
    order: Tensor | None = None


def transpose_graph(index: Tensor, points: int) -> TransposedGraph:
    """The edges of a graph by the point that they reach.

    Args:
        index: (m, k) int64 or int32, the point at the end of every edge; -1 where there is none.
        points: how many points there are.

    Returns:
        TransposedGraph(offsets, edges, order); offsets and edges are the same on every device and
        for any number of threads.

    Raises:
        TypeError, ValueError: index or points is not that.
    """
    check_tensors("hitgraph::transpose_graph", index=index)
    check_int("hitgraph::transpose_graph", "points", points)
    return TransposedGraph(*torch.ops.hitgraph.transpose_graph(index, points))


def knn(
    points: Tensor,
    k: int,
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
    max_radius: float | None = None,
    index_dtype: torch.dtype = torch.int64,
) -> Neighbors:
    """The exact k nearest neighbours of every point, or of every query.

    distance2(x, y) = sum over axes of (x_a - y_a)^2, computed from the differences with one fused
    multiply-add an axis, axes in order, in float32 (float64 for float64 points). Each row ascends
    by (distance2, index): of points at equal distance the one with the smaller row number comes
    first. What is missing, because the segment or the radius holds fewer than k points, is at the
    end of the row with index -1 and distance2 +inf.

    A row with a NaN or an infinity is nobody's neighbour and has none; a point so far away that
    distance2 overflows counts as missing. Segments may be empty, and so may everything.

    The gradient of distance2 is exact, deterministic and zero where two points coincide; index has
    none. Derivatives of higher order work. The transforms of torch.func that differentiate, and
    derivatives of forward mode, are refused by torch, as for every operator whose gradient is
    written in C++.

    Args:
        points: (n, d) float32, float64, float16 or bfloat16, d at least 1, any unit. 16-bit
            coordinates are searched in float32.
        k: number of neighbours, at least 1.
        row_splits: (B+1) int64 or int32 from 0 to n, not decreasing: segment b is
            points[row_splits[b] : row_splits[b + 1]]. Neighbours are of the same segment. Without
            it all points are one segment.
        batch: (n) sorted segment numbers from 0, instead of row_splits.
        batch_size: the number of segments that batch and query_batch speak of; without it, the
            largest number in them plus one.
        queries: (m, d) who asks, of the type of points; without it the points ask.
        query_row_splits: (B+1) as row_splits, for the queries.
        query_batch: (m) as batch, for the queries.
        query_mask: (m) bool, or (n) without queries: False gets no neighbours.
        point_mask: (n) bool: False is not found.
        include_self: whether a point is its own neighbour, at distance 0 and in its place by
            index; k counts what is returned. No meaning with queries, which exclude nobody.
        max_radius: neighbours beyond it are missing; inclusive, in the unit of the points. The
            bound on distance2 is its square, both rounded to the type of the search.
        index_dtype: torch.int64 or torch.int32.

    Returns:
        Neighbors(index, distance2), each (m, k), or (n, k) without queries.

    Raises:
        TypeError: an argument of the wrong type or dtype.
        ValueError: a wrong shape or value.
        RuntimeError: tensors on different devices, or on one that this build cannot search on.

    Example:
        >>> points = torch.tensor([[0.0], [1.0], [3.0]])
        >>> hitgraph.knn(points, k=1).index.tolist()
        [[1], [0], [1]]
    """
    options = search_options(
        "hitgraph::knn",
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
    arguments = _knn_arguments(points, k, options, max_radius, index_dtype)
    return Neighbors(*torch.ops.hitgraph.knn(*arguments))


def _knn_arguments(
    points: Tensor,
    k: int,
    options: tuple[Any, ...],
    max_radius: float | None,
    index_dtype: torch.dtype,
) -> tuple[Any, ...]:
    """Those of the operators, from what search_options returns; types checked."""
    check_knn("hitgraph::knn", k, max_radius)
    return points, k, *options, max_radius, operator_dtype(index_dtype)


def knn_with_transposed(
    points: Tensor,
    k: int,
    row_splits: Tensor | None = None,
    *,
    max_radius: float | None = None,
    index_dtype: torch.dtype = torch.int64,
    **options: Any,
) -> tuple[Neighbors, TransposedGraph]:
    """The exact k nearest neighbours, and the transposed graph that their gradient uses.

    For training, where layers on the graph use it, too (``transposed=`` of
    `hitgraph.nn.functional.gravnet_aggregate`): it is made once, in the forward pass.

    Args:
        points, k, row_splits, max_radius, index_dtype, options: the arguments of `hitgraph.knn`.

    Returns:
        The neighbours, and `hitgraph.transpose_graph(neighbours.index, n)`, whose order is that of
        the search here: better than what is found in a graph alone, and free.

    Raises:
        TypeError, ValueError, RuntimeError: as `hitgraph.knn`.
    """
    found = search_options("hitgraph::knn", points, row_splits, index_dtype=index_dtype, **options)
    arguments = _knn_arguments(points, k, found, max_radius, index_dtype)
    index, distance2, *transposed = torch.ops.hitgraph.knn_with_transposed(*arguments)
    return Neighbors(index, distance2), TransposedGraph(*transposed)


class Nearest(NamedTuple):
    """The nearest neighbour of m queries.

    Attributes:
        index: (m) int64 or int32, its row number in ``points``; -1 where there is none.
        distance2: (m) the squared Euclidean distance; +inf where there is none. Differentiable.
    """

    index: Tensor  # type: ignore[assignment]
    distance2: Tensor


def nearest(points: Tensor, row_splits: Tensor | None = None, **options: Any) -> Nearest:
    """The exact nearest neighbour of every point, or of every query: `hitgraph.knn` with k = 1.

    Args:
        points, row_splits, options: the arguments of `hitgraph.knn` without k.

    Raises:
        TypeError, ValueError, RuntimeError: as `hitgraph.knn`.

    Example:
        >>> points, queries = torch.tensor([[0.0], [4.0]]), torch.tensor([[1.0], [3.0]])
        >>> hitgraph.nearest(points, queries=queries).index.tolist()
        [0, 1]
    """
    if "k" in options:
        raise TypeError("hitgraph::nearest: expected no k, which is 1, got one")
    index, distance2 = knn(points, 1, row_splits, **options)
    return Nearest(index.squeeze(1), distance2.squeeze(1))


def row_splits_from_batch(batch: Tensor, batch_size: int | None = None) -> Tensor:
    """The offsets of the segments that a sorted vector of segment numbers describes.

    Args:
        batch: (n) int64 or int32, sorted, numbers from 0.
        batch_size: how many segments there are; without it, as many as the last number says.

    Returns:
        (B+1) int64 from 0 to n, on the device of batch.

    Raises:
        TypeError, ValueError: batch is not such a vector, or holds a number not below batch_size.
    """
    check_tensors("hitgraph::row_splits_from_batch", batch=batch)
    return offsets_of_batch(batch, batch_size, "batch")
