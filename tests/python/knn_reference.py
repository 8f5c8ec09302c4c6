"""What the tests of the search compare with: the contract written out in NumPy, and exact equality.

`reference_knn` knows nothing of the library. It computes in float64, so its result has the very
bits of the contract where float32 is exact: for integer coordinates below about a thousand.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def reference_knn(
    points: Tensor,
    k: int,
    row_splits: Tensor | None = None,
    *,
    queries: Tensor | None = None,
    query_row_splits: Tensor | None = None,
    query_mask: Tensor | None = None,
    point_mask: Tensor | None = None,
    include_self: bool = False,
    max_radius: float | None = None,
) -> tuple[Tensor, Tensor]:
    """Index (m, k) int64 and distance2 (m, k) float64, by comparing every pair."""
    there = points.double().numpy()
    here = there if queries is None else queries.double().numpy()
    splits = [0, len(there)] if row_splits is None else row_splits.tolist()
    query_splits = splits
    if queries is not None:
        query_splits = [0, len(here)] if query_row_splits is None else query_row_splits.tolist()
    index = np.full((len(here), k), -1, np.int64)
    distance2 = np.full((len(here), k), np.inf)
    for s in range(len(splits) - 1):
        for row in range(query_splits[s], query_splits[s + 1]):
            if query_mask is not None and not query_mask[row]:
                continue
            found = []
            for j in range(splits[s], splits[s + 1]):
                if point_mask is not None and not point_mask[j]:
                    continue
                if queries is None and not include_self and j == row:
                    continue
                if not (np.isfinite(there[j]).all() and np.isfinite(here[row]).all()):
                    continue
                d2 = float(((here[row] - there[j]) ** 2).sum())
                if max_radius is None or d2 <= max_radius**2:
                    found.append((d2, j))
            for column, (d2, j) in enumerate(sorted(found)[:k]):
                index[row, column], distance2[row, column] = j, d2
    return torch.from_numpy(index), torch.from_numpy(distance2)


def assert_same_bits(got: tuple[Tensor, Tensor], expected: tuple[Tensor, Tensor]) -> None:
    """Index and distance2 are equal, bit for bit, shape and dtype included."""
    for name, a, b in (
        ("index", got[0], expected[0]),
        ("distance2", got[1], expected[1]),
    ):
        assert a.dtype == b.dtype and a.shape == b.shape, f"{name}: {a.dtype} {a.shape}"
        if not torch.equal(a, b):
            rows = (a != b).any(dim=1).nonzero().flatten()
            row = int(rows[0])
            raise AssertionError(
                f"{name} differs in {len(rows)} of {len(a)} rows, first in row {row}:\n"
                f"got      {got[0][row].tolist()} {got[1][row].tolist()}\n"
                f"expected {expected[0][row].tolist()} {expected[1][row].tolist()}"
            )


def assert_equals_reference(got: tuple[Tensor, Tensor], points: Tensor, k: int, **options) -> None:
    """The search's result is that of `reference_knn`: for coordinates that are small integers."""
    index, distance2 = reference_knn(points, k, **options)
    assert_same_bits(got, (index.to(got[0].dtype), distance2.to(got[1].dtype)))


def lattice(n: int, d: int, *, seed: int, side: int = 4, dtype=torch.float32) -> Tensor:
    """(n, d) random integers from 0 to side - 1: full of ties and of coincident points."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, side, (n, d), generator=generator).to(dtype)


def cloud(n: int, d: int, *, seed: int, dtype=torch.float32) -> Tensor:
    """(n, d) uniform in the unit cube."""
    return torch.rand(n, d, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def mask(n: int, *, seed: int, share: float = 0.7) -> Tensor:
    """(n) bool, True for about this share."""
    return torch.rand(n, generator=torch.Generator().manual_seed(seed)) < share


def offsets(*sizes: int) -> Tensor:
    """The row_splits of segments of these sizes."""
    return torch.tensor([0, *np.cumsum(sizes).tolist()], dtype=torch.int64)
