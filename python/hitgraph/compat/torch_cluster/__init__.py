"""torch-cluster's neighbour searches, answered by hitgraph. A program is switched by one line::

    import hitgraph.compat.torch_cluster as torch_cluster

Signatures, shapes, order and dtypes are torch-cluster's, and TorchScript compiles the functions.
Where torch-cluster is wrong (docs/torch_cluster.md has the list) these are right. Neighbours come
nearest first, ties by the smaller row number, on every device; a row with a NaN or an infinity has
no edges and changes nobody else's. Edges have no gradient; distances recomputed from them do.

In every function a batch is sorted graph numbers from 0, int64 or int32, one a row; numbers may be
missing. Rows are (n, d), or (n) for d = 1, of float32, float64, float16, bfloat16 (searched in
float32) or integers (searched in float64). `num_workers` is ignored, as torch-cluster does: the
threads are those of torch.set_num_threads.

fps, grid_cluster, graclus_cluster, random_walk and neighbor_sampler are the installed
torch-cluster's.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from hitgraph._arguments import check_tensors
from hitgraph.compat import _original

__version__ = "1.6.3"  # whose functions these are

__all__ = [
    "__version__",
    "fps",
    "graclus_cluster",
    "grid_cluster",
    "knn",
    "knn_graph",
    "nearest",
    "neighbor_sampler",
    "radius",
    "radius_graph",
    "random_walk",
]


def _check_arguments(
    function: str,
    x: Tensor,
    y: Tensor,
    batch_x: Tensor | None,
    batch_y: Tensor | None,
    batch_size: int | None,
) -> None:
    """What torch-cluster asserts. The operators check the rest."""
    if not torch.jit.is_scripting():  # type: ignore[attr-defined]
        check_tensors(f"torch_cluster.{function}", x=x, y=y, batch_x=batch_x, batch_y=batch_y)
    if batch_x is None and batch_y is None and batch_size is None:
        return
    if x.numel() == 0 or y.numel() == 0:
        return
    graphs = 1
    if batch_size is not None:
        assert batch_size > 0, (
            f"torch_cluster.{function}: expected batch_size to be at least 1, got {batch_size}"
        )
        graphs = batch_size
    if batch_x is not None:
        assert batch_x.numel() == x.size(0), (
            f"torch_cluster.{function}: expected batch_x to have {x.size(0)} elements, a row of x "
            f"each, got {batch_x.numel()}"
        )
    if batch_y is not None:
        assert batch_y.numel() == y.size(0), (
            f"torch_cluster.{function}: expected batch_y to have {y.size(0)} elements, a row of y "
            f"each, got {batch_y.numel()}"
        )
    if batch_x is None:
        if batch_y is not None and batch_size is None:
            graphs = int(batch_y.max()) + 1
        assert graphs == 1, (
            f"torch_cluster.{function}: expected batch_x for {graphs} graphs, got None"
        )
    elif batch_y is None:
        if batch_size is None:
            graphs = int(batch_x.max()) + 1
        assert graphs == 1, (
            f"torch_cluster.{function}: expected batch_y for {graphs} graphs, got None"
        )


def _source_first(function: str, flow: str) -> bool:
    if flow != "source_to_target" and flow != "target_to_source":
        raise AssertionError(
            f"torch_cluster.{function}: expected flow to be 'source_to_target' or "
            f"'target_to_source', got '{flow}'"
        )
    return flow == "source_to_target"


def knn(
    x: Tensor,
    y: Tensor,
    k: int,
    batch_x: Tensor | None = None,
    batch_y: Tensor | None = None,
    cosine: bool = False,
    num_workers: int = 1,
    batch_size: int | None = None,
) -> Tensor:
    """For every row of y its k nearest rows of x, in the same graph.

    Args:
        x: (n, d) who is found.
        y: (m, d) who asks.
        k: how many; fewer come back where the graph has fewer. Any number from 0.
        batch_x: (n) the graph of every row of x.
        batch_y: (m) the graph of every row of y.
        cosine: nearest in 1 - x·y / (|x| |y|) instead of in Euclidean distance. A null vector has
            no direction and so no edges. Parallel vectors tie.
        num_workers: ignored.
        batch_size: the number of graphs; without it, the largest number in the batches plus one.

    Returns:
        (2, E) int64, contiguous, on the device of x: rows of y above rows of x, by row of y,
        nearest first.

    Raises:
        AssertionError: a batch of another length, a batch on one side only of several graphs,
            batch_size below 1.
        ValueError: a batch that is not sorted or has numbers from batch_size on, shapes or k that
            do not fit.
        TypeError: an argument or dtype of another type.
        RuntimeError: tensors on different devices.
    """
    _check_arguments("knn", x, y, batch_x, batch_y, batch_size)
    edges: Tensor = torch.ops.hitgraph.knn_edges(
        x, y, k, batch_x, batch_y, batch_size, True, cosine, False
    )
    return edges


def knn_graph(
    x: Tensor,
    k: int,
    batch: Tensor | None = None,
    loop: bool = False,
    flow: str = "source_to_target",
    cosine: bool = False,
    num_workers: int = 1,
    batch_size: int | None = None,
) -> Tensor:
    """The edges between every row of x and its k nearest others, in the same graph.

    Without loop a row is left out by its number, so that rows in the same place have k edges, too:
    min(k, n - 1) in a graph of n.

    Args:
        x: (n, d).
        k: edges of every row.
        batch: (n) the graph of every row.
        loop: whether a row is among its own neighbours; it is one of the k then.
        flow: "source_to_target": neighbours above the rows whose neighbours they are;
            "target_to_source": below.
        cosine, num_workers, batch_size: as in `knn`.

    Returns:
        (2, E) int64, by the row whose neighbours they are, nearest first.

    Raises:
        AssertionError: flow is neither; and as in `knn`.
        ValueError, TypeError, RuntimeError: as in `knn`.
    """
    source_first = _source_first("knn_graph", flow)
    _check_arguments("knn_graph", x, x, batch, batch, batch_size)
    edges: Tensor = torch.ops.hitgraph.knn_edges(
        x, None, k, batch, batch, batch_size, loop, cosine, source_first
    )
    return edges


def radius(
    x: Tensor,
    y: Tensor,
    r: float,
    batch_x: Tensor | None = None,
    batch_y: Tensor | None = None,
    max_num_neighbors: int = 32,
    num_workers: int = 1,
    batch_size: int | None = None,
    ignore_same_index: bool = False,
) -> Tensor:
    """For every row of y the rows of x nearer than r, in the same graph.

    Args:
        x: (n, d) who is found.
        y: (m, d) who asks.
        r: the distance that an edge stays below, at least 0.
        batch_x, batch_y: as in `knn`.
        max_num_neighbors: at most so many of each row, the nearest. 0: none; negative: all.
        num_workers, batch_size: as in `knn`.
        ignore_same_index: row i of y is not joined to row i of x.

    Returns:
        (2, E) int64, contiguous: rows of y above rows of x, by row of y, nearest first.

    Raises:
        AssertionError, ValueError, TypeError, RuntimeError: as in `knn`.
    """
    _check_arguments("radius", x, y, batch_x, batch_y, batch_size)
    edges: Tensor = torch.ops.hitgraph.radius_edges(
        x, y, r, batch_x, batch_y, batch_size, max_num_neighbors, not ignore_same_index, False
    )
    return edges


def radius_graph(
    x: Tensor,
    r: float,
    batch: Tensor | None = None,
    loop: bool = False,
    max_num_neighbors: int = 32,
    flow: str = "source_to_target",
    num_workers: int = 1,
    batch_size: int | None = None,
) -> Tensor:
    """The edges between the rows of x that are nearer to each other than r, in the same graph.

    Args:
        x: (n, d).
        r: the distance that an edge stays below, at least 0.
        batch: (n) the graph of every row.
        loop: whether a row is its own neighbour; it counts to max_num_neighbors then.
        max_num_neighbors: as in `radius`.
        flow: as in `knn_graph`.
        num_workers, batch_size: as in `knn`.

    Returns:
        (2, E) int64, by the row whose neighbours they are, nearest first.

    Raises:
        AssertionError: flow is neither; and as in `knn`.
        ValueError, TypeError, RuntimeError: as in `knn`.
    """
    source_first = _source_first("radius_graph", flow)
    _check_arguments("radius_graph", x, x, batch, batch, batch_size)
    edges: Tensor = torch.ops.hitgraph.radius_edges(
        x, None, r, batch, batch, batch_size, max_num_neighbors, loop, source_first
    )
    return edges


def nearest(
    x: Tensor,
    y: Tensor,
    batch_x: Tensor | None = None,
    batch_y: Tensor | None = None,
) -> Tensor:
    """For every row of x the nearest row of y, in the same graph.

    Args:
        x: (n, d) who asks.
        y: (m, d) who is found.
        batch_x, batch_y: the graph of every row. Without one, its rows are in graph 0.

    Returns:
        (n) int64, rows of y; -1 for a row with a NaN or an infinity.

    Raises:
        ValueError: a batch that is not sorted, a graph that only one batch has, no rows in y.
        AssertionError: a batch of another length, another number of columns.
        TypeError, RuntimeError: as in `knn`.
    """
    if not torch.jit.is_scripting():  # type: ignore[attr-defined]
        check_tensors("torch_cluster.nearest", x=x, y=y, batch_x=batch_x, batch_y=batch_y)
    if x.dim() in [1, 2] and y.dim() in [1, 2]:
        columns_x = x.size(1) if x.dim() == 2 else 1
        columns_y = y.size(1) if y.dim() == 2 else 1
        assert columns_x == columns_y, (
            f"torch_cluster.nearest: expected x to have {columns_y} columns like y, got {columns_x}"
        )
    if batch_x is not None and batch_x.numel() != x.size(0):
        _refuse_length("batch_x", batch_x, x.size(0), "x")
    if batch_y is not None and batch_y.numel() != y.size(0):
        _refuse_length("batch_y", batch_y, y.size(0), "y")
    rows: Tensor = torch.ops.hitgraph.nearest_rows(x, y, batch_x, batch_y)
    return rows


def _refuse_length(name: str, batch: Tensor, rows: int, of: str) -> None:
    """torch-cluster looks at the order first."""
    if bool((batch[1:] < batch[:-1]).any()):
        raise ValueError(f"torch_cluster.nearest: expected {name} to be sorted")
    raise AssertionError(
        f"torch_cluster.nearest: expected {name} to have {rows} elements, a row of {of} each, "
        f"got {batch.numel()}"
    )


def __getattr__(name: str) -> Any:
    if name in _original.PASSED:
        return _original.function(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
