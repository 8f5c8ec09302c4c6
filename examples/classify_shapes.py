"""Train DGCNN to tell shapes by their body and by the relief of their surface.

    python examples/classify_shapes.py             at most five minutes on two cores
    python examples/classify_shapes.py --quick     seconds: that it runs, no result

Nine classes of `hitgraph.datasets.shapes`: balls, cylinders and boxes, each rough, rippled or wavy,
turned around one axis. The relief shows only in how a point lies beside its neighbours, which a
network that sees every point by itself (PointNet) has to learn from all of them together. Both are
trained on the same events for as many steps. Writes classify_shapes.png and classify_shapes.json.
"""

from __future__ import annotations

import sys

import numpy as np
import torch
import training_command
from matplotlib.axes import Axes
from pointnet import PointNet
from training import Plan, Sample, Task

from hitgraph.datasets import SHAPE_CLASSES, shapes
from hitgraph.models import DGCNN


def sample_of(events: int, seed: int, points: int) -> Sample:
    """Shapes of this seed."""
    made = shapes(events, rng=seed, points=points)
    return Sample((torch.from_numpy(made.points),), torch.from_numpy(made.label))


def prepare(seed: int, quick: bool) -> Task:
    """Samples and networks."""
    points = 256 if quick else 1024
    classes = len(SHAPE_CLASSES)
    return Task(
        classes=SHAPE_CLASSES,
        train=sample_of(192 if quick else 1600, 2 * seed, points),
        test=sample_of(96 if quick else 450, 2 * seed + 1, points),
        networks={
            "DGCNN": lambda: DGCNN(
                3, classes, widths=(32, 64), embedding=128, hidden=(128,), dropout=0.3
            ),
            "PointNet": lambda: PointNet(
                3, classes, widths=(64, 64, 128), hidden=(128,), dropout=0.3
            ),
        },
        plan=Plan(epochs=2 if quick else 8, batch=16, rate=4e-3),
    )


def draw_shape(axes: Axes, test: Sample, event: int) -> None:
    """The near half of a shape, seen from a little above; what is nearer is darker."""
    x, y, z = test.inputs[0][event].cpu().numpy().T
    angle = np.deg2rad(25.0)
    depth, up = np.cos(angle) * y - np.sin(angle) * z, np.sin(angle) * y + np.cos(angle) * z
    near = depth < np.median(depth)
    axes.scatter(x[near], up[near], s=6, c=depth[near], cmap="viridis", linewidths=0)
    axes.set(xlim=(-1.5, 1.5), ylim=(-1.5, 1.5), aspect="equal")


def main(arguments: list[str] | None = None) -> int:
    return training_command.run(__doc__, "classify_shapes", prepare, draw_shape, arguments)


if __name__ == "__main__":
    sys.exit(main())
