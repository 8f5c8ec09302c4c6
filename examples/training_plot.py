"""The training examples' picture: some events, the learning curves, who was taken for whom."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from demo_plot import STYLE, save
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from training import Sample

matplotlib.use("Agg")  # no display is needed
import matplotlib.pyplot as plt

# Draws event number i of a sample.
DrawSamples = Callable[[Axes, Sample, int], None]
# Okabe and Ito's blue and vermilion: told apart by every kind of eye, and by marker and dashes.
LOOKS: tuple[dict[str, Any], ...] = (
    {"color": "#0072B2", "marker": "o"},
    {"color": "#D55E00", "marker": "s"},
)


def draw(results: dict[str, Any], test: Sample, draw_sample: DrawSamples, path: Path) -> None:
    """Write the picture.

    Args:
        results: what `training_command` writes.
        test: the events that were tested; the first of each class is drawn.
        draw_sample: draws one of them.
        path: the file to write; its ending chooses the format.
    """
    classes, networks = results["classes"], results["networks"]
    with plt.rc_context(STYLE):
        figure = plt.figure(figsize=(14.0, 6.9), layout="constrained")
        parts: Any = figure.subfigures(2, 1, height_ratios=[1.0, 2.4])
        above, below = parts
        label = test.label.cpu().numpy()
        for axes, kind in zip(above.subplots(1, len(classes)), range(len(classes)), strict=True):
            axes.set_title(classes[kind], loc="center", fontsize=10)
            axes.set_axis_off()
            if (label == kind).any():
                draw_sample(axes, test, int((label == kind).argmax()))
        panels = below.subplots(1, 1 + len(networks), width_ratios=[1.1] + [1.0] * len(networks))
        draw_curves(panels[0], networks)
        for axes, (name, outcome) in zip(panels[1:], networks.items(), strict=True):
            draw_confusion(axes, name, outcome, classes)
        save(figure, path)
        plt.close(figure)


def draw_curves(axes: Axes, networks: dict[str, dict[str, Any]]) -> None:
    """Accuracy behind every epoch, of each network, on either sample."""
    for (name, outcome), look in zip(networks.items(), LOOKS, strict=False):
        epochs = np.arange(1, len(outcome["test_accuracy"]) + 1)
        axes.plot(epochs, 100 * np.array(outcome["test_accuracy"]), label=f"{name}, test", **look)
        axes.plot(
            epochs,
            100 * np.array(outcome["train_accuracy"]),
            label=f"{name}, training",
            color=look["color"],
            linestyle=(0, (4, 2)),
        )
    axes.set(xlabel="epoch", ylabel="accuracy [%]", ylim=(0, 100), title="learning curves")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(color="0.9")
    axes.set_axisbelow(True)
    axes.legend(loc="lower right", frameon=True, framealpha=1.0, edgecolor="0.8", fontsize=10)


def draw_confusion(
    axes: Axes, name: str, outcome: dict[str, Any], classes: tuple[str, ...]
) -> None:
    """Of every true class, the share that was taken for each."""
    counts = np.array(outcome["confusion"], float)
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=100)
    for row, column in np.ndindex(*shares.shape):
        share = shares[row, column]
        if share >= 0.5:
            axes.text(
                column,
                row,
                f"{share:.0f}",
                ha="center",
                va="center",
                fontsize=9,
                color="white" if share > 55 else "0.15",
            )
    axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(classes)), classes)
    axes.tick_params(length=0, labelsize=9)
    axes.set(xlabel="taken for", ylabel="true class")
    axes.set_title(f"{name}: {outcome['test_accuracy'][-1]:.1%} right; numbers are %")
