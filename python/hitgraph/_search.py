"""The arguments that every search has, on their way to the operators."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ._arguments import check_int, check_search, check_tensors


def search_options(
    op: str,
    points: Tensor,
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
    index_dtype: torch.dtype = torch.int64,
) -> tuple[Any, ...]:
    """The operators' arguments from row_splits to include_self, types checked, batches as
    row_splits; index_dtype is only checked.
    """
    check_search(op, points, include_self, index_dtype)
    check_tensors(
        op,
        row_splits=row_splits,
        batch=batch,
        queries=queries,
        query_row_splits=query_row_splits,
        query_batch=query_batch,
        query_mask=query_mask,
        point_mask=point_mask,
    )
    if batch is not None or query_batch is not None:
        _check_batch(op, batch, "batch", points, "points")
        _check_batch(op, query_batch, "query_batch", queries, "queries")
        row_splits, query_row_splits = _splits_of_batches(
            op, row_splits, batch, batch_size, query_row_splits, query_batch
        )
    elif batch_size is not None:
        raise ValueError(f"{op}: expected batch_size only together with batch")
    return row_splits, queries, query_row_splits, query_mask, point_mask, include_self


def event_splits(
    op: str,
    rows: Tensor,
    row_splits: Tensor | None,
    batch: Tensor | None,
    batch_size: int | None,
    rows_name: str = "coordinates",
) -> Tensor:
    """The events of `rows`, said by row_splits, by batch, or not at all: one event."""
    check_tensors(op, row_splits=row_splits, batch=batch)
    if batch is None:
        if batch_size is not None:
            raise ValueError(f"{op}: expected batch_size only together with batch")
        if row_splits is None:
            # Made there: to copy the two from the host would be to wait.
            return torch.arange(2, device=rows.device) * rows.shape[0]
        return row_splits
    if row_splits is not None:
        raise ValueError(f"{op}: expected batch or its row_splits, got both for the same rows")
    _check_batch(op, batch, "batch", rows, rows_name)
    return offsets_of_batch(batch, batch_size, "batch")


def offsets_of_batch(batch: Tensor, batch_size: int | None, name: str) -> Tensor:
    if batch_size is not None:
        check_int("hitgraph::row_splits_from_batch", "batch_size", batch_size)
    offsets: Tensor = torch.ops.hitgraph.row_splits_from_batch(batch, batch_size, name)
    return offsets


def _check_batch(op: str, batch: Tensor | None, name: str, rows: Tensor | None, of: str) -> None:
    """One number a row. What it becomes, row_splits, could only be told to end at the wrong row."""
    if batch is None:
        return
    if rows is None:
        raise ValueError(f"{op}: expected {name} only together with {of}")
    if batch.device != rows.device:
        raise RuntimeError(f"{op}: expected {name} on {rows.device} like {of}, got {batch.device}")
    if batch.dim() == 1 and rows.dim() == 2 and batch.shape[0] != rows.shape[0]:
        raise ValueError(
            f"{op}: expected {name} to have {rows.shape[0]} elements, a row of {of} each, "
            f"got {batch.shape[0]}"
        )


def _splits_of_batches(
    op: str,
    row_splits: Tensor | None,
    batch: Tensor | None,
    batch_size: int | None,
    query_row_splits: Tensor | None,
    query_batch: Tensor | None,
) -> tuple[Tensor | None, Tensor | None]:
    for splits, numbers, name in (
        (row_splits, batch, "batch"),
        (query_row_splits, query_batch, "query_batch"),
    ):
        if splits is not None and numbers is not None:
            raise ValueError(f"{op}: expected {name} or its row_splits, got both for the same rows")
    if batch_size is None and batch is not None and query_batch is not None:
        # Points and queries must agree on the number of segments, whichever ends first.
        first = offsets_of_batch(batch, None, "batch")
        second = offsets_of_batch(query_batch, None, "query_batch")
        batch_size = torch.sym_max(first.shape[0], second.shape[0]) - 1
    given = row_splits if row_splits is not None else query_row_splits
    if batch_size is None and given is not None and given.dim() == 1 and given.shape[0] > 0:
        batch_size = given.shape[0] - 1
    if batch is not None:
        row_splits = offsets_of_batch(batch, batch_size, "batch")
    if query_batch is not None:
        query_row_splits = offsets_of_batch(query_batch, batch_size, "query_batch")
    return row_splits, query_row_splits
