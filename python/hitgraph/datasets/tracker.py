"""Events of a barrel tracker: helices of charged particles through cylindrical layers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import arguments
from .arguments import Rng

# Four pixel layers, four short-strip and two long-strip layers, in TrackML's proportions [mm].
LAYER_RADIUS = np.array([32.0, 72.0, 116.0, 172.0, 260.0, 360.0, 500.0, 660.0, 820.0, 1020.0])
LAYER_HALF_LENGTH = np.array([490.0] * 4 + [1080.0] * 6)
RESOLUTION_RPHI = np.array([0.015] * 4 + [0.04] * 4 + [0.1] * 2)
RESOLUTION_Z = np.array([0.05] * 4 + [0.6] * 4 + [3.0] * 2)
HIT_EFFICIENCY = 0.98
BEAM_SPOT_LENGTH = 55.0  # standard deviation of the vertices along the beam [mm]


class TrackerEvent(NamedTuple):
    """One tracker event of N hits, in random order.

    Attributes:
        position: (N, 3) float32, x, y, z [mm]; the beam is the z axis.
        truth: (N,) int64, number of the particle, -1 for noise.
        layer: (N,) int64, 0 (innermost) to 9.
        transverse_momentum: (n_particles,) float32 [GeV], of the particle that truth names.
    """

    position: NDArray[np.float32]
    truth: NDArray[np.int64]
    layer: NDArray[np.int64]
    transverse_momentum: NDArray[np.float32]


def tracker_event(
    n_particles: int = 10_000, *, rng: Rng, magnetic_field: float = 2.0, noise: float = 0.15
) -> TrackerEvent:
    """Helices of charged particles from a beam spot through ten barrel layers, smeared by the
    layers' resolution.

    The radius of a helix is ρ = p_T / (0.3 B), ρ in metres, p_T in GeV, B in tesla. At layer radius
    r the particle has turned by α = arcsin(r / 2ρ) and is at z = z0 + 2ρ α sinh(η); a particle with
    2ρ ≤ r does not reach the layer.

    Settings: ``n_particles=12_000`` gives about 92 000 hits (a full TrackML event),
    ``n_particles=500`` about 3 700.

    Known deviation: a barrel only, no endcaps, no scattering, no energy loss; low-momentum
    particles do not come back.

    Args:
        n_particles: number of charged particles, from 0.
        rng: a seed, or a numpy Generator, which is advanced.
        magnetic_field: B [T], along the beam.
        noise: noise hits of a layer, as a fraction of its particles' hits.
    """
    where = "hitgraph.datasets.tracker_event"
    random = arguments.generator(where, rng)
    n_particles = arguments.count(where, "n_particles", n_particles)
    arguments.positive(where, "magnetic_field", magnetic_field)
    arguments.fraction(where, "noise", noise)

    momentum = 0.15 + random.exponential(0.6, n_particles)
    charge = random.choice([-1.0, 1.0], n_particles)
    azimuth = random.uniform(-np.pi, np.pi, n_particles)
    eta = random.uniform(-2.5, 2.5, n_particles)
    vertex_z = random.normal(0.0, BEAM_SPOT_LENGTH, n_particles)
    helix_radius = 1000.0 * momentum / (0.3 * magnetic_field)  # mm

    position, truth = [], []
    for layer, radius in enumerate(LAYER_RADIUS):
        turn = np.arcsin(np.clip(radius / (2.0 * helix_radius), 0.0, 1.0))
        z = vertex_z + 2.0 * helix_radius * turn * np.sinh(eta)
        reaches = (radius < 2.0 * helix_radius) & (np.abs(z) < LAYER_HALF_LENGTH[layer])
        seen = np.flatnonzero(reaches & (random.random(n_particles) < HIT_EFFICIENCY))
        n_noise = int(noise * len(seen))

        phi = (azimuth - charge * turn)[seen]
        phi += random.normal(0.0, RESOLUTION_RPHI[layer] / radius, len(seen))
        phi = np.concatenate([phi, random.uniform(-np.pi, np.pi, n_noise)])
        z = z[seen] + random.normal(0.0, RESOLUTION_Z[layer], len(seen))
        length = LAYER_HALF_LENGTH[layer]
        z = np.concatenate([z, random.uniform(-length, length, n_noise)])
        position.append(np.stack([radius * np.cos(phi), radius * np.sin(phi), z], axis=1))
        truth.append(np.concatenate([seen, np.full(n_noise, -1)]))

    layer_of_hit = np.repeat(np.arange(len(LAYER_RADIUS)), [len(t) for t in truth])
    order = random.permutation(len(layer_of_hit))
    return TrackerEvent(
        np.concatenate(position)[order].astype(np.float32),
        np.concatenate(truth)[order].astype(np.int64),
        layer_of_hit[order],
        momentum.astype(np.float32),
    )
