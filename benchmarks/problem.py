"""What a search is asked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class Problem:
    """Points and what is wanted of them.

    Attributes:
        points: (n, d) float32.
        row_splits: (B+1) int64, the events; neighbours are of the same event.
        k: how many neighbours, without the point itself; 0 where r is asked.
        r: the radius; 0 where k is asked.
        queries: (m, d) of another set than the points, which then are one event.
    """

    points: Tensor
    row_splits: Tensor
    k: int = 0
    r: float = 0.0
    queries: Tensor | None = None

    @property
    def asks(self) -> Tensor:
        """Who asks: the queries, or the points."""
        return self.points if self.queries is None else self.queries

    @property
    def n_queries(self) -> int:
        return len(self.asks)

    @property
    def events(self) -> int:
        return len(self.row_splits) - 1

    @property
    def with_self(self) -> int:
        """How many a search has to be asked for that finds the point itself, too."""
        return self.k + (self.queries is None)

    @cached_property
    def pairs(self) -> int:
        """What comparing everybody with everybody of the same event costs."""
        if self.queries is not None:
            return len(self.queries) * len(self.points)
        return int(self.row_splits.diff().double().square().sum())

    @cached_property
    def array(self) -> NDArray[np.float32]:
        """The points in the memory of the host."""
        return self.points.cpu().numpy()

    @cached_property
    def query_array(self) -> NDArray[np.float32]:
        return self.array if self.queries is None else self.queries.cpu().numpy()

    @cached_property
    def exact(self) -> NDArray[np.float64]:
        return self.array.astype(np.float64)

    @cached_property
    def batch(self) -> Tensor:
        """(n) int64: the event of every point."""
        sizes = self.row_splits.diff()
        return torch.repeat_interleave(torch.arange(len(sizes), device=sizes.device), sizes)

    @cached_property
    def _splits(self) -> list[int]:
        splits: list[int] = self.row_splits.tolist()
        return splits

    @cached_property
    def known(self) -> dict[int, NDArray[np.float64]]:
        """Distances that the oracle has computed: for every peer the same."""
        return {}

    def event_of(self, point: int) -> tuple[int, int]:
        """Where the event of a point begins and ends."""
        event = int(np.searchsorted(self._splits, point, side="right")) - 1
        return self._splits[event], self._splits[event + 1]


class Row(NamedTuple):
    """What a search says of one query, without the query itself: rows of points, and their squared
    distances if it has them.
    """

    index: NDArray[np.int64]  # type: ignore[assignment]  # hides tuple.index
    distance2: NDArray[np.float64] | None = None
