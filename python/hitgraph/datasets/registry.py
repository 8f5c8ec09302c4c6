"""Sets of points by name: what benchmarks and tests loop over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from . import adversarial, arguments, batches, spaces
from .arguments import Rng
from .batches import Batch
from .calorimeter import calo_event
from .spaces import Points
from .tracker import tracker_event


class _Set(NamedTuple):
    make: Callable[..., Any]
    columns: int | None = None  # None: any d
    batched: bool = False
    adversarial: bool = False


def _calo(n: int, *, rng: Rng) -> Points:
    """n hits of a calorimeter event with as many showers as it takes, in random order."""
    random = arguments.generator("hitgraph.datasets.points", rng)
    n_showers = 2 + n // 400
    event = calo_event(n_showers, rng=random, hits_per_gev=40.0)
    while len(event.position) < n:
        n_showers += 1 + n_showers // 4
        event = calo_event(n_showers, rng=random, hits_per_gev=40.0)
    return event.position[random.permutation(len(event.position))[:n]]


def _tracker(n: int, *, rng: Rng) -> Points:
    """n hits of a tracker event with as many particles as it takes, in random order."""
    random = arguments.generator("hitgraph.datasets.points", rng)
    n_particles = 10 + n // 6
    event = tracker_event(n_particles, rng=random)
    while len(event.position) < n:
        n_particles += 1 + n_particles // 4
        event = tracker_event(n_particles, rng=random)
    return event.position[:n]


def _learned(n: int, d: int, *, rng: Rng) -> Points:
    return spaces.learned_space(n, d, rng=rng, n_objects=max(1, n // 100)).points


_SETS: dict[str, _Set] = {
    "uniform": _Set(spaces.uniform),
    "gauss": _Set(spaces.gauss),
    "clustered": _Set(spaces.clustered),
    "learned": _Set(_learned),
    "calo": _Set(_calo, columns=3),
    "tracker": _Set(_tracker, columns=3),
    "energy_eta": _Set(spaces.energy_eta, columns=3),
    "detector_lattice": _Set(spaces.detector_lattice, columns=3),
    "heavy_tailed": _Set(spaces.heavy_tailed, adversarial=True),
    "identical": _Set(adversarial.identical, adversarial=True),
    "half_identical": _Set(adversarial.half_identical, adversarial=True),
    "duplicates": _Set(adversarial.duplicates, adversarial=True),
    "collapsed_with_outliers": _Set(adversarial.collapsed_with_outliers, adversarial=True),
    "line": _Set(adversarial.line, adversarial=True),
    "line_with_outlier": _Set(adversarial.line_with_outlier, adversarial=True),
    "integer_lattice": _Set(adversarial.integer_lattice, adversarial=True),
    "far_from_origin": _Set(adversarial.far_from_origin, adversarial=True),
    "jet_padding": _Set(adversarial.jet_padding, adversarial=True),
    "non_finite": _Set(adversarial.non_finite, adversarial=True),
    "overflowing": _Set(adversarial.overflowing, adversarial=True),
    "underflowing": _Set(adversarial.underflowing, adversarial=True),
    "empty_events": _Set(batches.empty_events, batched=True, adversarial=True),
    "one_huge_many_tiny": _Set(batches.one_huge_many_tiny, batched=True, adversarial=True),
    "uneven_events": _Set(batches.uneven_events, batched=True),
}


def names(
    *, d: int | None = None, batched: bool | None = None, adversarial: bool | None = None
) -> tuple[str, ...]:
    """Names of the sets, in a fixed order.

    Args:
        d: only sets that exist in d columns.
        batched: only sets of several events (True) or of one (False).
        adversarial: only sets made to break a search (True) or to resemble data (False).
    """
    return tuple(
        name
        for name, entry in _SETS.items()
        if (d is None or entry.columns in (None, d))
        and (batched is None or entry.batched == batched)
        and (adversarial is None or entry.adversarial == adversarial)
    )


def points(name: str, n: int, d: int, rng: Rng) -> Points:
    """The set `name` as one event: (n, d) float32.

    Args:
        name: one of ``names(batched=False)``.
        n: number of points.
        d: number of columns; a set of fixed width (a detector's x, y, z) has 3.
        rng: a seed, or a numpy Generator, which is advanced.
    """
    where = "hitgraph.datasets.points"
    if _entry(where, name, d).batched:
        raise ValueError(
            f"{where}: expected a set of one event, got {name!r}, which is a batch: use batch()"
        )
    return batch(name, n, d, rng).points


def batch(name: str, n: int, d: int, rng: Rng) -> Batch:
    """The set `name` as a batch: n points and the row_splits; a set of one event has the row_splits
    [0, n]. "one_huge_many_tiny" has 3000 tiny events and wants n of 8000 or more.

    Arguments as for `points`, `name` one of ``names()``.
    """
    where = "hitgraph.datasets.batch"
    entry = _entry(where, name, d)
    n = arguments.count(where, "n", n)
    made = entry.make(n, rng=rng) if entry.columns is not None else entry.make(n, d, rng=rng)
    return made if isinstance(made, Batch) else Batch(made, np.array([0, n], np.int64))


def _entry(where: str, name: str, d: int) -> _Set:
    if name not in _SETS:
        raise ValueError(f"{where}: expected one of {', '.join(_SETS)}, got {name!r}")
    entry = _SETS[name]
    if entry.columns is not None and d != entry.columns:
        raise ValueError(f"{where}: expected d = {entry.columns} for the set {name!r}, got {d}")
    return entry
