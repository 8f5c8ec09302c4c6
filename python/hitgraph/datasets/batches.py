"""Batches of events whose sizes break searches: empty, tiny, one that outweighs all others."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import arguments
from .arguments import Rng
from .spaces import Points, clustered


class Batch(NamedTuple):
    """Points of B events, one after the other.

    Attributes:
        points: (N, d) float32.
        row_splits: (B+1,) int64, from 0 to N; event b is points[row_splits[b] : row_splits[b+1]].
    """

    points: Points
    row_splits: NDArray[np.int64]


def batch_of_sizes(sizes: list[int] | NDArray[np.int64], d: int, *, rng: Rng) -> Batch:
    """Events of the given sizes, all in the same clustered space, so that points of other events
    are near.
    """
    where = "hitgraph.datasets.batch_of_sizes"
    random = arguments.generator(where, rng)
    counts = np.array([arguments.count(where, "a size", size) for size in sizes], np.int64)
    row_splits = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Batch(clustered(int(row_splits[-1]), d, rng=random), row_splits)


def empty_events(n: int, d: int, *, rng: Rng) -> Batch:
    """n points in four events with empty ones first, last and in a row between them."""
    where = "hitgraph.datasets.empty_events"
    random = arguments.generator(where, rng)
    n = arguments.count(where, "n", n)
    a, b, c, e = random.multinomial(n, [0.4, 0.3, 0.2, 0.1])
    return batch_of_sizes([0, 0, a, 0, b, 0, 0, 0, c, e, 0], d, rng=random)


def one_huge_many_tiny(n: int, d: int, *, rng: Rng, n_tiny: int = 3000) -> Batch:
    """Thousands of events of 0 to 5 points and, somewhere between them, one with all the rest of
    the n points.
    """
    where = "hitgraph.datasets.one_huge_many_tiny"
    random = arguments.generator(where, rng)
    n = arguments.count(where, "n", n)
    tiny = random.integers(0, 6, arguments.count(where, "n_tiny", n_tiny))
    if tiny.sum() > n:
        raise ValueError(
            f"{where}: expected n to be at least {tiny.sum()}, the points of the tiny events, "
            f"got {n}"
        )
    place = int(random.integers(0, len(tiny) + 1))
    return batch_of_sizes(np.insert(tiny, place, n - tiny.sum()), d, rng=random)


def uneven_events(n: int, d: int, *, rng: Rng, n_events: int = 16) -> Batch:
    """Events whose sizes follow a log-normal distribution of width 1, as in collision data."""
    where = "hitgraph.datasets.uneven_events"
    random = arguments.generator(where, rng)
    n = arguments.count(where, "n", n)
    share = random.lognormal(0.0, 1.0, arguments.count(where, "n_events", n_events, 1))
    return batch_of_sizes(random.multinomial(n, share / share.sum()), d, rng=random)
