"""Toy jets: prongs that shower, seen as particles around the jet's axis, padded to one length."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import arguments
from .adversarial import JET_PADDING
from .arguments import Rng

FloatArray = NDArray[np.float64]
JET_CLASSES = ("quark", "gluon", "two prongs", "three prongs", "four prongs")
"""What `jets` draws."""
JET_FEATURES = ("Δη", "Δφ", "ln pT", "ln E", "ln pT share", "ln E share", "ΔR")
"""Columns of `Jets.features`, those of arXiv:1902.08570 without charge and identity."""

COLOUR = {"quark": 4 / 3, "gluon": 3.0}
COUPLING = 0.12  # α_s, at all scales
SMALLEST_SHARE = 0.005  # of an emission
SMALLEST_ANGLE = 0.004
SMALLEST_KT = 1.0  # GeV, of an emission
HADRON_KT = 0.3  # GeV, of a particle around its parton
RADIUS = 0.8  # of a jet, and the largest angle of an emission
MASS = (120.0, 250.0)  # GeV, of what decays into prongs
ETA = 2.0


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


class _Prong(NamedTuple):
    """A parton, where it is in (η, φ) and the largest angle of what it emits."""

    pt: float
    place: FloatArray  # (2)
    kind: str
    angle: float


def jets(
    n: int,
    *,
    rng: Rng,
    particles: int = 64,
    transverse_momentum: tuple[float, float] = (500.0, 1000.0),
) -> Jets:
    """Jets of one to four prongs.

    A quark or gluon emits gluons whose share of momentum z and angle θ are uniform in ln z and ln θ
    with density 2 α C / π (C = 4/3 or 3), as long as z θ p_T is above 1 GeV; these emit at smaller
    angles. What has emitted breaks into particles around it. Two prongs are the quarks of
    something that decays, three and four those of decays in a row, at angles m / (p_T √(z (1 − z)))
    in a plane that is drawn at random. The mass m is drawn anew for every jet that decays, from
    120 to 250 GeV whatever the number of its prongs, so that the mass does not tell it.

    Known deviation: small angles, no running coupling, no recoil, no pile-up, no detector, and
    colour connects nobody: a sample to try networks on, no simulation.

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
        pt, place = _particles(random, JET_CLASSES[kind], random.uniform(low, high))
        axis, eta = np.average(place, axis=0, weights=pt), random.uniform(-ETA, ETA)
        place -= axis
        inside = np.flatnonzero(np.hypot(*place.T) < RADIUS)
        kept = inside[np.argsort(-pt[inside], kind="stable")][:particles]
        count = len(kept)
        result.coordinates[jet, :count] = place[kept]
        result.features[jet, :count] = _features(pt[kept], place[kept], eta)
        result.mask[jet, :count] = True
    return result


def _features(pt: FloatArray, place: FloatArray, eta: float) -> FloatArray:
    """(count, 7) of a jet's particles."""
    energy = pt * np.cosh(eta + place[:, 0])
    columns = (pt, energy, pt / pt.sum(), energy / energy.sum())
    return np.column_stack([place, *np.log(columns), np.hypot(*place.T)])


def _particles(random: np.random.Generator, kind: str, pt: float) -> tuple[FloatArray, FloatArray]:
    """pT (count) and places (count, 2) of a jet's particles."""
    hard: list[tuple[float, FloatArray]] = []
    for prong in _prongs(random, kind, pt):
        _shower(random, prong, hard)
    parts = [_hadrons(random, pt, place) for pt, place in hard]
    return np.concatenate([p for p, _ in parts]), np.concatenate([x for _, x in parts])


def _prongs(random: np.random.Generator, kind: str, pt: float) -> list[_Prong]:
    centre, mass = np.zeros(2), random.uniform(*MASS)
    if kind in COLOUR:
        return [_Prong(pt, centre, kind, RADIUS)]
    first, second = _decay(random, _Prong(pt, centre, "quark", RADIUS), mass)
    if kind == "two prongs":
        return [first, second]
    pairs = [_decay(random, first, mass * random.uniform(0.4, 0.6))]
    if kind == "three prongs":
        return [*pairs[0], second]
    pairs.append(_decay(random, second, mass * random.uniform(0.4, 0.6)))
    return [prong for pair in pairs for prong in pair]


def _decay(random: np.random.Generator, parent: _Prong, mass: float) -> tuple[_Prong, _Prong]:
    """Two prongs of a parent of this mass [GeV], around its place."""
    share = random.uniform(0.3, 0.7)
    angle = min(mass / (parent.pt * np.sqrt(share * (1 - share))), RADIUS)
    across = angle * _direction(random)
    return (
        _Prong(parent.pt * share, parent.place + (1 - share) * across, "quark", angle),
        _Prong(parent.pt * (1 - share), parent.place - share * across, "quark", angle),
    )


def _direction(random: np.random.Generator) -> FloatArray:
    angle = random.uniform(0.0, 2 * np.pi)
    return np.array([np.cos(angle), np.sin(angle)])


def _shower(
    random: np.random.Generator, prong: _Prong, found: list[tuple[float, FloatArray]]
) -> None:
    """Appends what is left of the prong and of all that it emits: pT and place."""
    spans = np.log(prong.angle / SMALLEST_ANGLE), np.log(0.5 / SMALLEST_SHARE)
    pt = prong.pt
    if min(spans) > 0:
        density = 2 * COUPLING * COLOUR[prong.kind] / np.pi
        emissions = random.poisson(density * spans[0] * spans[1])
        angles = prong.angle * np.exp(-spans[0] * np.sort(random.random(emissions)))  # widest first
        shares = 0.5 * np.exp(-spans[1] * random.random(emissions))
        for angle, share in zip(angles, shares, strict=True):
            if share * angle * pt < SMALLEST_KT:
                continue
            place = prong.place + angle * _direction(random)
            _shower(random, _Prong(share * pt, place, "gluon", angle), found)
            pt *= 1 - share
    found.append((pt, prong.place))


def _hadrons(
    random: np.random.Generator, pt: float, place: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """pT (count) and places (count, 2) of the particles that a parton becomes."""
    count = 1 + random.poisson(np.log1p(pt))
    pts = pt * random.dirichlet(np.ones(count))
    return pts, place + random.normal(0.0, 1.0, (count, 2)) * (HADRON_KT / (pts + 0.5))[:, None]
