"""The events of examples/reconstruct.py: a few overlapping showers each, ready for a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hitgraph.datasets import calo_event

SHOWERS = (3, 6)
ENERGY = (8.0, 40.0)  # GeV
ETA, PHI = (1.8, 2.6), (0.0, 0.7)
HITS_PER_GEV, NOISE = 4.0, 0.1
FEWEST_HITS = 6  # of a shower; smaller ones are noise
N_FEATURES = 6


@dataclass
class Events:
    """B events of N hits in all.

    Attributes:
        position: (N, 3) float32, x, y, z [cm].
        energy: (N,) float32 [GeV].
        truth: (N,) int64, the shower of every hit, -1: noise.
        row_splits: (B+1,) int64.
        features: (N, 6) float32, what the network sees.
    """

    position: Tensor
    energy: Tensor
    truth: Tensor
    row_splits: Tensor
    features: Tensor

    def __len__(self) -> int:
        return len(self.row_splits) - 1

    def take(self, numbers: list[int], device: torch.device | str = "cpu") -> Events:
        """These events, in this order."""
        rows = torch.cat(
            [torch.arange(int(self.row_splits[b]), int(self.row_splits[b + 1])) for b in numbers]
        )
        sizes = self.row_splits.diff()[numbers]
        splits = torch.cat([torch.zeros(1, dtype=torch.int64), sizes.cumsum(0)])
        columns = (self.position, self.energy, self.truth)
        position, energy, truth = (column[rows].to(device) for column in columns)
        return Events(position, energy, truth, splits.to(device), self.features[rows].to(device))


def generate(number: int, seed: int) -> Events:
    """Seeded events with at least two showers each."""
    random = np.random.default_rng(seed)
    positions, energies, truths, sizes = [], [], [], [0]
    while len(sizes) <= number:
        event = calo_event(
            int(random.integers(SHOWERS[0], SHOWERS[1] + 1)),
            rng=random,
            hits_per_gev=HITS_PER_GEV,
            noise=NOISE,
            energy=ENERGY,
            eta=ETA,
            phi=PHI,
        )
        truth = event.truth
        assert truth is not None
        counts = np.bincount(truth + 1, minlength=SHOWERS[1] + 1)
        truth = np.where(counts[truth + 1] < FEWEST_HITS, -1, truth)
        if len(np.unique(truth[truth >= 0])) < 2:
            continue
        positions.append(event.position)
        energies.append(event.energy)
        truths.append(truth)
        sizes.append(len(truth))
    position = torch.from_numpy(np.concatenate(positions))
    energy = torch.from_numpy(np.concatenate(energies))
    return Events(
        position,
        energy,
        torch.from_numpy(np.concatenate(truths)),
        torch.tensor(sizes).cumsum(0),
        features_of(position, energy),
    )


def features_of(position: Tensor, energy: Tensor) -> Tensor:
    """(N, 6): ln E / 3, pseudorapidity, azimuth, z, x and y, each of order 1."""
    x, y, z = position.unbind(1)
    r = torch.hypot(x, y)
    return torch.stack(
        [
            energy.clamp(min=1e-4).log() / 3,
            (torch.asinh(z / r) - 2.2) / 0.3,
            (torch.atan2(y, x) - 0.35) / 0.25,
            (z - 380) / 50,
            x / 50,
            y / 50,
        ],
        dim=1,
    )
