"""Point clouds with the distributions of learned spaces and detectors, for benchmarks and tests.

All return (n, d) float32 in random order, so that the order of the input says nothing about where a
point lies.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import arguments
from .arguments import Rng

Points = NDArray[np.float32]


class LabelledPoints(NamedTuple):
    """Points of a learned space.

    Attributes:
        points: (n, d) float32, no unit.
        truth: (n,) int64, number of the object, -1 for noise.
    """

    points: Points
    truth: NDArray[np.int64]


def uniform(n: int, d: int, *, rng: Rng) -> Points:
    """Uniform in the unit cube: the kindest case for every method, and the one that misleads."""
    where = "hitgraph.datasets.uniform"
    random = arguments.generator(where, rng)
    n, d = arguments.count(where, "n", n), arguments.count(where, "d", d, 1)
    return random.random((n, d)).astype(np.float32)


def gauss(n: int, d: int, *, rng: Rng) -> Points:
    """Standard normal in every axis."""
    where = "hitgraph.datasets.gauss"
    random = arguments.generator(where, rng)
    n, d = arguments.count(where, "n", n), arguments.count(where, "d", d, 1)
    return random.standard_normal((n, d)).astype(np.float32)


def heavy_tailed(n: int, d: int, *, rng: Rng) -> Points:
    """Cauchy in every axis: the bounding box is set by a handful of points."""
    where = "hitgraph.datasets.heavy_tailed"
    random = arguments.generator(where, rng)
    n, d = arguments.count(where, "n", n), arguments.count(where, "d", d, 1)
    return random.standard_cauchy((n, d)).astype(np.float32)


def clustered(n: int, d: int, *, rng: Rng, background: float = 0.1) -> Points:
    """Clusters of Zipf sizes and of widths over three decades in the unit cube, plus a uniform
    background.

    What object condensation makes of an event: one cluster for 300 points (at least 8), the width
    of each drawn logarithmically from 1e-4 to 0.05 and varied from axis to axis by up to a factor
    2.
    """
    where = "hitgraph.datasets.clustered"
    random = arguments.generator(where, rng)
    n, d = arguments.count(where, "n", n), arguments.count(where, "d", d, 1)
    n_background = int(n * arguments.fraction(where, "background", background))
    n_clusters = max(8, n // 300)
    share = 1.0 / np.arange(1, n_clusters + 1)
    cluster = random.choice(n_clusters, size=n - n_background, p=share / share.sum())
    centre = random.random((n_clusters, d))
    width = 10.0 ** random.uniform(-4.0, -1.3, (n_clusters, 1))
    width = width * 10.0 ** random.uniform(-0.3, 0.3, (n_clusters, d))
    members = centre[cluster] + random.standard_normal((len(cluster), d)) * width[cluster]
    points = np.concatenate([members, random.random((n_background, d))])
    return points[random.permutation(n)].astype(np.float32)


def learned_space(
    n: int = 100_000,
    d: int = 4,
    *,
    rng: Rng,
    n_objects: int = 1000,
    box: float = 10.0,
    width: tuple[float, float] = (-2.5, 0.7),
    noise: float = 0.2,
) -> LabelledPoints:
    """A learned clustering space with labels: isotropic normal clusters, log-normal in size and
    width, and uniform noise.

    Args:
        n: number of points.
        d: dimension of the space.
        rng: a seed, or a numpy Generator, which is advanced.
        n_objects: number of clusters; some may stay empty.
        box: the cluster centres and the noise fill a cube of this side.
        width: mean and standard deviation of ln(cluster width).
        noise: fraction of the points that belong to no cluster.
    """
    where = "hitgraph.datasets.learned_space"
    random = arguments.generator(where, rng)
    n, d = arguments.count(where, "n", n), arguments.count(where, "d", d, 1)
    n_objects = arguments.count(where, "n_objects", n_objects, 1)
    arguments.positive(where, "box", box)
    n_members = n - int(n * arguments.fraction(where, "noise", noise))
    share = random.lognormal(0.0, 1.0, n_objects)
    size = random.multinomial(n_members, share / share.sum())
    truth = np.concatenate([np.repeat(np.arange(n_objects), size), np.full(n - n_members, -1)])
    centre = random.uniform(0.0, box, (n_objects, d))
    cluster_width = random.lognormal(*width, n_objects)
    member = truth[:n_members]
    points = centre[member] + random.standard_normal((n_members, d)) * cluster_width[member, None]
    points = np.concatenate([points, random.uniform(0.0, box, (n - n_members, d))])
    order = random.permutation(n)
    return LabelledPoints(points[order].astype(np.float32), truth[order].astype(np.int64))


def energy_eta(n: int, *, rng: Rng, n_cells: int = 60_000) -> Points:
    """Three raw features as a space: energy [GeV], pseudorapidity, 0.

    The energy is log-normal with a Pareto tail (2 % of the hits), so a few values stretch its axis
    over orders of magnitude; the pseudorapidity takes the values of `n_cells` cells of both
    endcaps, some of them hit far more often than others; the third axis is constant. Such a space
    is what a network searches that was given unscaled features.
    """
    where = "hitgraph.datasets.energy_eta"
    random = arguments.generator(where, rng)
    n = arguments.count(where, "n", n)
    n_cells = arguments.count(where, "n_cells", n_cells, 1)
    energy = np.exp(1.2 * random.standard_normal(n) - 3.5) + 0.01
    energy += np.where(random.random(n) < 0.02, 0.5 * random.pareto(1.5, n), 0.0)
    cell_eta = random.uniform(1.5, 3.0, n_cells)
    occupancy = random.dirichlet(np.full(n_cells, 0.3))
    endcap = np.where(random.random(n) < 0.5, -1.0, 1.0)
    eta = cell_eta[random.choice(n_cells, size=n, p=occupancy)] * endcap
    return np.stack([energy, eta, np.zeros(n)], axis=1).astype(np.float32)


def detector_lattice(n: int, *, rng: Rng, pitch: float = 0.6) -> Points:
    """Hits on 50 planes of square cells, x, y, z [cm], several showers' hits in one cell as
    separate points.

    Coarser than `calo_event` in its physics, but of any size n, and with exact duplicates on top of
    the ties of the lattice.
    """
    where = "hitgraph.datasets.detector_lattice"
    random = arguments.generator(where, rng)
    n = arguments.count(where, "n", n)
    arguments.positive(where, "pitch", pitch)
    plane_z = np.concatenate([322.0 + 0.95 * np.arange(28), 355.0 + 5.2 * np.arange(22)])
    n_showers = max(10, n // 400)
    eta, phi = random.uniform(1.5, 3.0, n_showers), random.uniform(-np.pi, np.pi, n_showers)
    energy = random.pareto(1.2, n_showers) + 1.0
    shower = random.choice(n_showers, size=n, p=energy / energy.sum())
    plane = np.clip(random.gamma(4.0, 3.0, n), 0, len(plane_z) - 1).astype(np.int64)
    z = plane_z[plane]
    axis_radius = z * np.tan(2.0 * np.arctan(np.exp(-eta[shower])))
    distance = (0.3 + 0.12 * plane) * np.abs(random.standard_cauchy(n)) ** 0.8
    angle = random.uniform(0.0, 2.0 * np.pi, n)
    x = axis_radius * np.cos(phi[shower]) + distance * np.cos(angle)
    y = axis_radius * np.sin(phi[shower]) + distance * np.sin(angle)
    xy = np.clip(np.round(np.stack([x, y], axis=1) / pitch) * pitch, -250.0, 250.0)
    return np.column_stack([xy, z]).astype(np.float32)
