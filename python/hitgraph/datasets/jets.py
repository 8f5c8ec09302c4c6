"""Toy jets of few or many prongs: particles around the jet's axis, padded to one length."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import arguments
from .adversarial import JET_PADDING
from .arguments import Rng

FloatArray = NDArray[np.float64]
PRONGS = {"3 prongs": 3, "6 prongs": 6, "12 prongs": 12, "24 prongs": 24, "no prongs": 0}
JET_CLASSES = tuple(PRONGS)
"""What `jets` draws."""
JET_FEATURES = ("Δη", "Δφ", "ln pT", "ln E", "ln pT share", "ln E share", "ΔR")
"""Columns of `Jets.features`, those of arXiv:1902.08570 without charge and identity."""

MULTIPLICITY = 40.0  # mean number of particles
FEWEST = 2  # particles of a jet
SPREAD = 0.25  # of the prongs around the jet's axis, standard deviation in η and φ
WIDTH = 0.05  # of a prong
ETA = 2.0  # largest of a jet's axis


class Jets(NamedTuple):
    """n jets of p slots, of which the first are particles in descending order of pT.

    Attributes:
        coordinates: (n, p, 2) float32, η and φ relative to the jet's axis; 1e9 (JET_PADDING) where
            there is no particle.
        features: (n, p, 7) float32, columns as JET_FEATURES, pT and E in GeV; 0 where there is no
            particle.
        mask: (n, p) bool, where there is one.
        label: (n,) int64, index in JET_CLASSES.
    """

    coordinates: NDArray[np.float32]
    features: NDArray[np.float32]
    mask: NDArray[np.bool_]
    label: NDArray[np.int64]


def jets(
    n: int,
    *,
    rng: Rng,
    particles: int = 64,
    transverse_momentum: tuple[float, float] = (500.0, 1000.0),
) -> Jets:
    """Jets that differ in the number of their prongs and, particle by particle, in nothing else.

    About 40 particles share the jet's transverse momentum at random. Prongs lie around the jet's
    axis, normally distributed, and every particle near one of them; in a jet of "no prongs" each
    has one of its own. So a single particle is distributed alike in all classes (up to the shift
    to the jet's axis, the mean weighted by p_T), and the number of prongs shows only in how
    particles lie together.

    Known deviation: no shower, no masses, no colour, no pile-up, no detector: a sample to try
    networks on, no simulation.

    Args:
        n: number of jets, from 0; their classes are drawn at random.
        rng: a seed, or a numpy Generator, which is advanced.
        particles: slots of a jet; softer particles are left out.
        transverse_momentum: range of the jets' p_T [GeV], uniform.
    """
    where = "hitgraph.datasets.jets"
    random = arguments.generator(where, rng)
    n = arguments.count(where, "n", n)
    particles = arguments.count(where, "particles", particles, 1)
    low, high = arguments.interval(where, "transverse_momentum", transverse_momentum)
    arguments.positive(where, "the lower end of transverse_momentum", low)

    label = random.integers(0, len(JET_CLASSES), n)
    result = Jets(
        np.full((n, particles, 2), JET_PADDING, np.float32),
        np.zeros((n, particles, len(JET_FEATURES)), np.float32),
        np.zeros((n, particles), np.bool_),
        label,
    )
    for jet, kind in enumerate(label):
        count = max(FEWEST, int(random.poisson(MULTIPLICITY)))
        shares = np.sort(random.dirichlet(np.ones(count)))[::-1]
        place = _places(random, count, PRONGS[JET_CLASSES[kind]])
        place -= np.average(place, axis=0, weights=shares)
        features = _features(shares * random.uniform(low, high), place, random.uniform(-ETA, ETA))
        kept = min(count, particles)
        result.coordinates[jet, :kept] = place[:kept]
        result.features[jet, :kept] = features[:kept]
        result.mask[jet, :kept] = True
    return result


def _places(random: np.random.Generator, count: int, prongs: int) -> FloatArray:
    """(count, 2) in η and φ; 0 prongs: one for each particle."""
    centre = random.normal(0.0, SPREAD, (prongs or count, 2))
    chosen = random.integers(0, prongs, count) if prongs else np.arange(count)
    place: FloatArray = centre[chosen] + random.normal(0.0, WIDTH, (count, 2))
    return place


def _features(pt: FloatArray, place: FloatArray, eta: float) -> FloatArray:
    """(count, 7) of a jet's particles."""
    pt = np.maximum(pt, 1e-6)  # a logarithm follows
    energy = pt * np.cosh(eta + place[:, 0])
    columns = (pt, energy, pt / pt.sum(), energy / energy.sum())
    return np.column_stack([place, *np.log(columns), np.hypot(*place.T)])
