"""Events of a layered endcap calorimeter: overlapping showers on a cell lattice."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import arguments
from .arguments import Rng

# 28 electromagnetic and 22 hadronic layers, fine cells in front of coarse ones: the proportions of
# a high-granularity endcap calorimeter.
LAYER_Z = np.concatenate([322.0 + 1.45 * np.arange(28), 368.0 + 6.2 * np.arange(22)])  # cm
LAYER_PITCH = np.where(np.arange(50) < 36, 1.0, 3.0)  # cm
N_LAYERS = len(LAYER_Z)
NOISE_ENERGY = 0.02  # mean energy of a noise hit [GeV]


class CaloEvent(NamedTuple):
    """One calorimeter event of N hits, in descending order of energy.

    Attributes:
        position: (N, 3) float32, x, y, z [cm]; the beam is the z axis.
        energy: (N,) float32 [GeV].
        truth: (N,) int64, number of the shower that left most energy in the cell, -1 for noise;
            None for a recorded event without labels.
    """

    position: NDArray[np.float32]
    energy: NDArray[np.float32]
    truth: NDArray[np.int64] | None


class _Deposits(NamedTuple):
    """Energy depositions before they are collected in cells."""

    xy: NDArray[np.float64]  # (M, 2) [cm]
    layer: NDArray[np.int64]
    energy: NDArray[np.float64]
    truth: NDArray[np.int64]


def calo_event(
    n_showers: int = 40,
    *,
    rng: Rng,
    hits_per_gev: float = 25.0,
    noise: float = 0.1,
    energy: tuple[float, float] = (2.0, 100.0),
    eta: tuple[float, float] = (1.6, 2.9),
    phi: tuple[float, float] = (0.1, 0.45),
) -> CaloEvent:
    """An endcap calorimeter event with overlapping showers, half of them hadronic.

    A shower of E GeV has Poisson(hits_per_gev · E) + 3 depositions. Their depth follows a gamma
    distribution (a hadronic shower starts later and is longer), their distance from the shower's
    axis the sum of two exponentials that widen with depth. Depositions are collected in square
    cells; a cell's hit sits at the centre of the cell.

    Settings: ``n_showers=120, hits_per_gev=40`` gives 54 000 to 69 000 hits, depending on the seed
    (the size of a recorded endcap); ``n_showers=60`` about 24 000; ``n_showers=500, phi=(-π, π)``
    about 200 000.

    Known deviation: square cells tie more often than a detector's hexagons. 58 % of the hits have
    an exact tie at their 40th neighbour, 11 to 12 % in recorded events; as a test of ties this is
    the harder case.

    Args:
        n_showers: number of showers, from 0 (an event of no hits).
        rng: a seed, or a numpy Generator, which is advanced.
        hits_per_gev: depositions per GeV.
        noise: noise hits, as a fraction of the depositions.
        energy: range of the shower energies [GeV], logarithmically uniform.
        eta: range of pseudorapidity, uniform.
        phi: range of azimuth [rad], uniform.
    """
    where = "hitgraph.datasets.calo_event"
    random = arguments.generator(where, rng)
    n_showers = arguments.count(where, "n_showers", n_showers)
    arguments.positive(where, "hits_per_gev", hits_per_gev)
    arguments.fraction(where, "noise", noise)
    energy = arguments.interval(where, "energy", energy)
    arguments.positive(where, "the lower end of energy", energy[0])
    eta = arguments.interval(where, "eta", eta)
    arguments.positive(where, "the lower end of eta", eta[0])
    phi = arguments.interval(where, "phi", phi)

    showers = _showers(random, n_showers, hits_per_gev, energy, eta, phi)
    noise_hits = _noise(random, int(noise * len(showers.layer)), eta, phi)
    return _collect_in_cells(
        _Deposits(*(np.concatenate(both) for both in zip(showers, noise_hits, strict=True)))
    )


def _on_layer(
    eta: NDArray[np.float64], phi: NDArray[np.float64], layer: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(M, 2): where the ray from the origin with this direction crosses the layer [cm]."""
    radius = LAYER_Z[layer] * np.tan(2.0 * np.arctan(np.exp(-eta)))
    return np.stack([radius * np.cos(phi), radius * np.sin(phi)], axis=1)


def _showers(
    random: np.random.Generator,
    n_showers: int,
    hits_per_gev: float,
    energy: tuple[float, float],
    eta: tuple[float, float],
    phi: tuple[float, float],
) -> _Deposits:
    shower_energy = np.exp(random.uniform(np.log(energy[0]), np.log(energy[1]), n_showers))
    hadronic = random.random(n_showers) < 0.5
    shower_eta, shower_phi = random.uniform(*eta, n_showers), random.uniform(*phi, n_showers)
    start = np.where(hadronic, random.exponential(8.0, n_showers), 0.0)  # first layer

    shower = np.repeat(np.arange(n_showers), random.poisson(hits_per_gev * shower_energy) + 3)
    depth = start[shower] + random.gamma(4.0, np.where(hadronic, 4.5, 2.6)[shower])
    inside = depth < N_LAYERS  # the rest leaks out of the back
    shower, layer = shower[inside], depth[inside].astype(np.int64)

    in_halo = random.random(len(shower)) < np.where(hadronic, 0.35, 0.25)[shower]
    core_width, halo_width = np.where(hadronic, 2.5, 0.9), np.where(hadronic, 10.0, 4.0)  # cm
    width = np.where(in_halo, halo_width[shower], core_width[shower]) * (0.5 + layer / 20.0)
    distance = random.exponential(width)
    angle = random.uniform(0.0, 2.0 * np.pi, len(shower))
    offset = np.stack([distance * np.cos(angle), distance * np.sin(angle)], axis=1)

    mean_energy = shower_energy / np.maximum(np.bincount(shower, minlength=n_showers), 1)
    return _Deposits(
        xy=_on_layer(shower_eta[shower], shower_phi[shower], layer) + offset,
        layer=layer,
        energy=random.exponential(mean_energy[shower]),
        truth=shower,
    )


def _noise(
    random: np.random.Generator, n: int, eta: tuple[float, float], phi: tuple[float, float]
) -> _Deposits:
    layer = random.integers(0, N_LAYERS, n)
    return _Deposits(
        xy=_on_layer(random.uniform(*eta, n), random.uniform(*phi, n), layer),
        layer=layer,
        energy=random.exponential(NOISE_ENERGY, n),
        truth=np.full(n, -1),
    )


def _collect_in_cells(deposits: _Deposits) -> CaloEvent:
    pitch = LAYER_PITCH[deposits.layer]
    cell_of_deposit = np.floor(deposits.xy / pitch[:, None]).astype(np.int64)
    cells, cell = np.unique(
        np.column_stack([deposits.layer, cell_of_deposit]), axis=0, return_inverse=True
    )
    cell = cell.ravel()  # NumPy 2.0 alone returns it as a column

    # A cell belongs to the shower that deposited most in it, summed over its depositions (noise
    # counts as one shower).
    pairs, pair = np.unique(np.column_stack([cell, deposits.truth]), axis=0, return_inverse=True)
    pair_energy = np.bincount(pair.ravel(), deposits.energy, minlength=len(pairs))
    order = np.lexsort((-pair_energy, pairs[:, 0]))
    _, first = np.unique(pairs[order, 0], return_index=True)
    truth = pairs[order[first], 1]

    layer = cells[:, 0]
    centre = (cells[:, 1:] + 0.5) * LAYER_PITCH[layer][:, None]
    position = np.column_stack([centre, LAYER_Z[layer]]).astype(np.float32)
    energy = np.bincount(cell, deposits.energy, minlength=len(cells)).astype(np.float32)
    by_energy = np.argsort(-energy, kind="stable")
    return CaloEvent(position[by_energy], energy[by_energy], truth[by_energy])
