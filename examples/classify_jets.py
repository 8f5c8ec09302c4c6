"""Train ParticleNet to count the prongs of toy jets.

    python examples/classify_jets.py             at most five minutes on two cores
    python examples/classify_jets.py --quick     seconds: that it runs, no result

Five classes of `hitgraph.datasets.jets`: particles of the same distribution in few prongs, in many
or in none, padded. ParticleNet's light version beside a network that sees every particle by itself
(PointNet, here much like a particle-flow network), both trained on the same jets for as many steps.
Writes classify_jets.png and classify_jets.json.
"""

from __future__ import annotations

import sys

import numpy as np
import torch
import training_command
from matplotlib.axes import Axes
from pointnet import PointNet
from torch import Tensor, nn
from training import Plan, Sample, Task

from hitgraph.datasets import JET_CLASSES, JET_FEATURES, jets
from hitgraph.models import ParticleNet

PARTICLES = 48
COLUMNS, CLASSES = len(JET_FEATURES), len(JET_CLASSES)


class WithGraph(nn.Module):
    """ParticleNet on a sample's inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.network = ParticleNet(COLUMNS, CLASSES, size="lite")

    def forward(self, coordinates: Tensor, features: Tensor, mask: Tensor) -> Tensor:
        result: Tensor = self.network(coordinates, features, mask=mask)
        return result


class WithoutGraph(nn.Module):
    """PointNet on a sample's inputs; the coordinates are among the features, too."""

    def __init__(self) -> None:
        super().__init__()
        self.network = PointNet(COLUMNS, CLASSES, widths=(64, 64, 128), hidden=(128,), dropout=0.1)

    def forward(self, coordinates: Tensor, features: Tensor, mask: Tensor) -> Tensor:
        result: Tensor = self.network(features, mask)
        return result


def sample_of(events: int, seed: int) -> Sample:
    """Jets of this seed."""
    made = jets(events, rng=seed, particles=PARTICLES)
    inputs = tuple(torch.from_numpy(x) for x in (made.coordinates, made.features, made.mask))
    return Sample(inputs, torch.from_numpy(made.label))


def prepare(seed: int, quick: bool) -> Task:
    """Samples and networks."""
    return Task(
        classes=JET_CLASSES,
        train=sample_of(640 if quick else 8000, 2 * seed),
        test=sample_of(200 if quick else 2000, 2 * seed + 1),
        networks={"ParticleNet": WithGraph, "PointNet": WithoutGraph},
        plan=Plan(epochs=2 if quick else 8, batch=64, rate=5e-3),
    )


def draw_jet(axes: Axes, test: Sample, event: int) -> None:
    """A jet's particles in (η, φ), their area by transverse momentum."""
    coordinates, features, mask = (x[event].cpu().numpy() for x in test.inputs)
    eta, phi = coordinates[mask].T
    size = 1.5 * np.exp(features[mask, 2]) ** 0.8
    axes.scatter(eta, phi, s=np.maximum(size, 3.0), c="#0072B2", alpha=0.6, linewidths=0)
    axes.set(xlim=(-0.8, 0.8), ylim=(-0.8, 0.8), aspect="equal")


def main(arguments: list[str] | None = None) -> int:
    return training_command.run(__doc__, "classify_jets", prepare, draw_jet, arguments)


if __name__ == "__main__":
    sys.exit(main())
