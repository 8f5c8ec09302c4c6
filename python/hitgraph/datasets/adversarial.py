"""Point clouds that break searches: degenerate, collapsed, tied, far away, not finite.

All return (n, d) float32. Each has been the input on which some published search was wrong, slow or
crashed.
"""

from __future__ import annotations

import numpy as np

from . import arguments
from .arguments import Rng
from .spaces import Points

JET_PADDING = 1e9
"""Coordinate of the slots that pad a jet to a fixed length (ParticleNet's convention)."""


def _start(name: str, n: int, d: int, rng: Rng) -> tuple[int, int, np.random.Generator]:
    where = f"hitgraph.datasets.{name}"
    random = arguments.generator(where, rng)
    return arguments.count(where, "n", n), arguments.count(where, "d", d, 1), random


def identical(n: int, d: int, *, rng: Rng) -> Points:
    """All points in one place: every distance is 0, only the index orders them, no split separates
    them.
    """
    n, d, random = _start("identical", n, d, rng)
    return np.tile(random.random((1, d)).astype(np.float32), (n, 1))


def half_identical(n: int, d: int, *, rng: Rng) -> Points:
    """Half of the points in one place, the others uniform around it: one bin holds half of
    everything.
    """
    n, d, random = _start("half_identical", n, d, rng)
    points = random.random((n, d)).astype(np.float32)
    points[: n // 2] = 0.5
    return points[random.permutation(n)]


def duplicates(n: int, d: int, *, rng: Rng, fraction: float = 0.1) -> Points:
    """Uniform points, of which a fraction are exact copies of others: the wrong one is dropped as
    "self".
    """
    n, d, random = _start("duplicates", n, d, rng)
    n_copies = int(n * arguments.fraction("hitgraph.datasets.duplicates", "fraction", fraction))
    n_originals = n - n_copies
    if n_copies and not n_originals:
        raise ValueError(
            "hitgraph.datasets.duplicates: expected fraction to leave an original, got 1"
        )
    originals = random.random((n_originals, d)).astype(np.float32)
    copies = originals[random.integers(0, n_originals, n_copies)] if n_copies else originals[:0]
    return np.concatenate([originals, copies])[random.permutation(n)]


def collapsed_with_outliers(n: int, d: int, *, rng: Rng, n_outliers: int = 10) -> Points:
    """One cluster of width 1e-3 and a few outliers at 1e3: the bounding box is a million times the
    cluster.

    A space at the start of training, or a diverging one. All of the cluster falls into one cell of
    a uniform grid.
    """
    n, d, random = _start("collapsed_with_outliers", n, d, rng)
    n_outliers = min(
        n, arguments.count("hitgraph.datasets.collapsed_with_outliers", "n_outliers", n_outliers)
    )
    points = 1e-3 * random.standard_normal((n, d))
    direction = random.standard_normal((n_outliers, d))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    points[:n_outliers] = 1e3 * direction
    return points[random.permutation(n)].astype(np.float32)


def line(n: int, d: int, *, rng: Rng) -> Points:
    """Uniform on a straight line that is parallel to no axis: d columns, one dimension."""
    n, d, random = _start("line", n, d, rng)
    direction = random.uniform(0.5, 1.5, d)
    return (random.random((n, 1)) * direction).astype(np.float32)


def line_with_outlier(n: int, d: int, *, rng: Rng) -> Points:
    """A line of length about 1 and one point at 1e4: cells as wide as the outlier asks for hold the
    whole line.
    """
    n, d, random = _start("line_with_outlier", n, d, rng)
    points = line(n, d, rng=random)
    if n:
        points[random.integers(n)] = 1e4
    return points


def integer_lattice(n: int, d: int, *, rng: Rng) -> Points:
    """n sites of an integer lattice, each once: the distances take few values, nearly every row
    ends in a tie.
    """
    n, d, random = _start("integer_lattice", n, d, rng)
    side = 1
    while side**d < n:
        side += 1
    site = random.permutation(side**d)[:n] if side**d <= 4 * n else _distinct(random, side**d, n)
    points = np.empty((n, d), np.float32)
    for axis in range(d):
        site, points[:, axis] = np.divmod(site, side)
    return points


def _distinct(random: np.random.Generator, total: int, n: int) -> np.ndarray:
    """n distinct numbers below total, without listing all (2^64 sites in d = 64 are too many)."""
    total = min(total, 2**62)
    found = np.unique(random.integers(0, total, 2 * n + 8))
    while len(found) < n:
        found = np.unique(np.concatenate([found, random.integers(0, total, n)]))
    return random.permutation(found)[:n]


def far_from_origin(n: int, d: int, *, rng: Rng) -> Points:
    """A cluster of width 0.05 at (1000, …): |x|² + |y|² − 2xy loses all digits here, direct
    differences do not.
    """
    n, d, random = _start("far_from_origin", n, d, rng)
    return (1000.0 + 0.05 * random.standard_normal((n, d))).astype(np.float32)


def jet_padding(n: int, d: int, *, rng: Rng, padded: float = 0.3) -> Points:
    """Normal points of which a fraction sits at 1e9, as jets are padded: neighbours to be found,
    not a sentinel.

    The padded points differ by multiples of 64, the spacing of float32 at 1e9, so that most of them
    have distances of their own.
    """
    n, d, random = _start("jet_padding", n, d, rng)
    points = random.standard_normal((n, d)).astype(np.float32)
    n_padded = int(n * arguments.fraction("hitgraph.datasets.jet_padding", "padded", padded))
    points[n - n_padded :] = JET_PADDING + 64.0 * random.integers(0, 100, (n_padded, d))
    return points


def non_finite(n: int, d: int, *, rng: Rng, fraction: float = 0.05) -> Points:
    """Uniform points with NaN, +inf or −inf in one coordinate of a fraction of them (at least one
    of each if n ≥ 4).
    """
    n, d, random = _start("non_finite", n, d, rng)
    points = random.random((n, d)).astype(np.float32)
    n_bad = int(n * arguments.fraction("hitgraph.datasets.non_finite", "fraction", fraction))
    n_bad = max(n_bad, 3) if n >= 4 and fraction > 0 else n_bad
    rows = random.permutation(n)[:n_bad]
    values = np.array([np.nan, np.inf, -np.inf], np.float32)
    points[rows, random.integers(0, d, n_bad)] = values[np.arange(n_bad) % 3]
    return points


def overflowing(n: int, d: int, *, rng: Rng) -> Points:
    """Uniform in ±1e20: most squared distances overflow float32, and such a neighbour counts as
    missing.
    """
    n, d, random = _start("overflowing", n, d, rng)
    points = random.uniform(-1e20, 1e20, (n, d))
    near = random.random(n) < 0.5  # half of them have finite distances to one another
    points[near] *= 1e-3
    return points.astype(np.float32)


def underflowing(n: int, d: int, *, rng: Rng) -> Points:
    """Uniform in ±1e-22: distinct points whose squared distances are subnormal or 0 in float32."""
    n, d, random = _start("underflowing", n, d, rng)
    return random.uniform(-1e-22, 1e-22, (n, d)).astype(np.float32)
