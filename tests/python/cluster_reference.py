"""What torch-cluster's contract asks of an edge list, checked against every pair in extended
precision. It knows nothing of either library.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

# Of the type in which torch-cluster adds up the distances; those of integers are exact.
EPSILON = {torch.float16: 2.0**-10, torch.bfloat16: 2.0**-7, torch.float32: 2.0**-23}


def epsilon(dtype: torch.dtype) -> float:
    return EPSILON.get(dtype, 2.0**-52)


def rows_of(x: Tensor) -> np.ndarray:
    wide = x.double() if x.is_floating_point() else x.long()
    return wide.numpy().astype(np.longdouble).reshape(len(x), -1)


def graph_numbers(batch: Tensor | None, rows: int) -> np.ndarray:
    return np.zeros(rows, np.int64) if batch is None else batch.numpy()


def all_distance2(
    x: Tensor, y: Tensor, batch_x: Tensor | None, batch_y: Tensor | None
) -> np.ndarray:
    """(m, n), infinite between graphs."""
    there, here = rows_of(x), rows_of(y)
    distance2 = np.square(here[:, None] - there[None]).sum(-1)
    foreign = graph_numbers(batch_y, len(y))[:, None] != graph_numbers(batch_x, len(x))[None]
    distance2[foreign] = np.inf
    return distance2


def rows_found(edges: Tensor, queries: int, points: int) -> list[np.ndarray]:
    """The neighbours of every query, after a look at the edge list as such."""
    assert edges.dtype == torch.int64 and edges.dim() == 2 and edges.shape[0] == 2
    assert edges.is_contiguous()
    query, neighbour = edges.numpy()
    assert (np.diff(query) >= 0).all(), "not grouped by query"
    if edges.shape[1]:
        assert query.min() >= 0 and query.max() < queries
        assert neighbour.min() >= 0 and neighbour.max() < points
    found = [neighbour[query == row] for row in range(queries)]
    assert all(len(set(row.tolist())) == len(row) for row in found), "a neighbour twice"
    return found


def assert_nearest(edges: Tensor, distance2: np.ndarray, k: int, tolerance: float) -> None:
    """The k nearest of every query, slot by slot: of near ties either may come first."""
    for row, found in enumerate(rows_found(edges, *distance2.shape)):
        present = distance2[row][np.isfinite(distance2[row])]
        expected = np.sort(present)[:k]
        assert len(found) == len(expected), f"query {row}: {len(found)} of {len(expected)}"
        error = np.abs(distance2[row][found] - expected)
        assert (error <= tolerance * expected).all(), f"query {row}: {error.max()}"


def assert_within(
    edges: Tensor, distance2: np.ndarray, r: float, most: int | None, tolerance: float
) -> None:
    """All pairs nearer than r, or as many of them as `most` lets through. What is within rounding
    of r may be in or out.
    """
    bound = np.longdouble(r) ** 2
    for row, found in enumerate(rows_found(edges, *distance2.shape)):
        surely = set(np.flatnonzero(distance2[row] < bound * (1 - tolerance)).tolist())
        perhaps = set(np.flatnonzero(distance2[row] < bound * (1 + tolerance)).tolist())
        assert set(found.tolist()) <= perhaps, f"query {row}"
        if most is None:
            assert surely <= set(found.tolist()), f"query {row}"
        else:
            assert min(most, len(surely)) <= len(found) <= min(most, len(perhaps)), f"query {row}"
