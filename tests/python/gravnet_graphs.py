"""Graphs for the tests of GravNet's aggregation."""

from __future__ import annotations

import torch
from torch import Tensor

import hitgraph


def graph(
    rows: int, k: int, points: int, *, missing: float = 0.2, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """A graph with holes anywhere, rows of holes only, and repeated neighbours."""
    random = torch.Generator().manual_seed(seed)
    index = torch.randint(0, max(points, 1), (rows, k), generator=random)
    index[torch.rand(rows, k, generator=random) < missing] = -1
    index[::9] = -1
    distance2 = torch.rand(rows, k, generator=random, dtype=torch.float64) * 3
    return index, distance2.masked_fill(index < 0, torch.inf)


def features_of(points: int, channels: int, seed: int = 1) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(points, channels, generator=random, dtype=torch.float64)


def graph_of_points(n: int, k: int, splits: list[int]) -> tuple[Tensor, Tensor]:
    """A graph as the search makes it, of points of which every third is a duplicate."""
    random = torch.Generator().manual_seed(n)
    points = torch.rand(n, 3, generator=random, dtype=torch.float64)
    points[::3] = points[0]
    return tuple(hitgraph.knn(points, k, torch.tensor(splits)))


GRAPHS = {
    "random": lambda: graph(23, 5, 17),
    "one neighbour": lambda: graph(9, 1, 4),
    "no missing": lambda: graph(12, 4, 6, missing=0.0),
    "more than the event has": lambda: graph_of_points(11, 8, [0, 4, 4, 5, 11]),
    "duplicates": lambda: graph_of_points(14, 5, [0, 14]),
    "hub": lambda: (torch.zeros(20, 3, dtype=torch.int64), torch.rand(20, 3).double()),
}
