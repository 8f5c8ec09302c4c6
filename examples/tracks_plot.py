"""The picture of examples/tracks.py: purity against efficiency, and both graphs in a sector."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from demo_plot import STYLE, save
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from hitgraph.metrics import EdgeScores

TRUE, FALSE, HIT = "#0072B2", "#E69F00", "#404040"  # of Okabe and Ito
SECTOR = (0.35, 0.6)  # azimuth [rad]
FARTHEST = 520.0  # from the beam [mm]


def draw(
    position: NDArray[Any],
    truth: NDArray[Any],
    scores: dict[str, dict[float, EdgeScores]],
    chosen: dict[str, float],
    graphs: dict[str, NDArray[Any]],
    path: Path,
) -> None:
    """Write the picture.

    Args:
        position: (N, 3) [mm].
        truth: (N,) particle, -1: noise.
        scores: of every setting of every graph.
        chosen: the setting whose graph is drawn.
        graphs: (2, E) edges.
        path: the file to write.
    """
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, 3, figsize=(16.0, 5.6), layout="constrained")
        curves(axes[0], scores, chosen)
        for place, (name, edges) in zip(axes[1:], graphs.items(), strict=True):
            sector(place, position, truth, edges)
            place.set_title(f"{name}: {chosen[name]:g}")
        save(figure, path)
        plt.close(figure)


def curves(
    axes: Axes, scores: dict[str, dict[float, EdgeScores]], chosen: dict[str, float]
) -> None:
    for (name, found), colour, shape in zip(scores.items(), (TRUE, FALSE), "os", strict=True):
        efficiency = [s.efficiency for s in found.values()]
        purity = [s.purity for s in found.values()]
        axes.plot(efficiency, purity, shape + "-", color=colour, label=name)
        best = found[chosen[name]]
        axes.plot(best.efficiency, best.purity, shape, color=colour, markersize=13, alpha=0.4)
    axes.set(
        xlabel="edge efficiency: true neighbours along a track that are joined",
        ylabel="edge purity: edges within one particle",
        xlim=(0, 1.02),
    )
    axes.set_ylim(0, 1.3 * axes.get_ylim()[1])  # room for the legend
    axes.set_title("Each point a radius or a k")
    axes.legend(frameon=False, loc="upper right")


def sector(axes: Axes, position: NDArray[Any], truth: NDArray[Any], edges: NDArray[Any]) -> None:
    x, y, _ = position.T
    radius, azimuth = np.hypot(x, y), np.arctan2(y, x)
    place = np.stack([radius, azimuth], axis=1)
    inside = (azimuth > SECTOR[0]) & (azimuth < SECTOR[1]) & (radius < FARTHEST)
    first, second = edges[:, inside[edges[0]] & inside[edges[1]]]
    good = (truth[first] == truth[second]) & (truth[first] >= 0)
    for rows, colour, width, name in (
        (~good, FALSE, 0.5, "false"),
        (good, TRUE, 1.1, "within one particle"),
    ):
        ends = np.stack([place[first[rows]], place[second[rows]]], axis=1)
        axes.add_collection(
            LineCollection(list(ends), colors=colour, linewidths=width, label=f"edge, {name}")
        )
    axes.scatter(
        place[inside, 0], place[inside, 1], s=7, c=HIT, linewidths=0, zorder=3, label="hit"
    )
    axes.set(
        xlabel="distance from the beam [mm]",
        ylabel="azimuth [rad]",
        xlim=(0, FARTHEST),
        ylim=(SECTOR[0], SECTOR[1] + 0.25 * (SECTOR[1] - SECTOR[0])),  # room for the legend
    )
    axes.legend(
        frameon=False, loc="upper left", ncols=3, columnspacing=0.8, handlelength=1.2, fontsize=9
    )
