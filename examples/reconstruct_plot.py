"""The pictures of examples/reconstruct.py, in colours that colour-blind eyes tell apart."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from demo_plot import STYLE, save
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from hitgraph.metrics import Matching

# Okabe and Ito's colours, and a shape for each.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C6D31")
SHAPES = ("o", "s", "^", "D", "v", "P", "X")
NOISE = "#B0B0B0"
HitArray = NDArray[Any]


@dataclass
class Display:
    """One event: position (N, 3) [cm], energy (N) [GeV], labels, learned space (N, 3), β (N)."""

    position: HitArray
    energy: HitArray
    truth: HitArray
    found: HitArray
    space: HitArray
    beta: HitArray


def event_display(event: Display, path: Path) -> None:
    """Truth above prediction, along the beam, from the side, and in the learned space. A cluster
    has the colour of the shower that it shares most energy with; hits of another are ringed.
    """
    as_shower = showers_of_clusters(event)
    wrong = (as_shower != event.truth) & (as_shower >= -1)
    fake = as_shower == -2
    x, y, z = event.position.T
    first, second = principal_axes(event.space)
    views = (
        (x, y, "x [cm]", "y [cm]", "along the beam"),
        (z, np.hypot(x, y), "z [cm]", "distance from the beam [cm]", "from the side"),
        (first, second, "1st principal axis", "2nd principal axis", "learned space"),
    )
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(2, 3, figsize=(14.0, 8.6), layout="constrained")
        for column, (across, up, horizontal, vertical, title) in enumerate(views):
            for row, labels in enumerate((event.truth, as_shower)):
                place = axes[row, column]
                hits(place, across, up, event.energy, labels)
                if row == 1:
                    ring(place, across, up, event.energy, wrong & ~fake)
                place.set(xlabel=horizontal, ylabel=vertical)
                place.set_title(("truth: " if row == 0 else "found: ") + title)
                if column == 0:
                    place.set_aspect("equal", "datalim")
        points = event.beta > 0.1
        points &= is_largest(event)
        axes[1, 2].scatter(first[points], second[points], s=150, marker="*", c="black", zorder=5)
        energies = [event.energy[event.truth == label].sum() for label in shower_numbers(event)]
        figure.legend(handles=legend(energies), loc="outside lower center", ncols=6, frameon=False)
        save(figure, path)
        plt.close(figure)


def shower_numbers(event: Display) -> list[int]:
    return sorted({int(label) for label in event.truth if label >= 0})


def showers_of_clusters(event: Display) -> HitArray:
    """For every hit the shower (0, 1, …) whose colour its cluster has; -1: in no cluster, -2: in a
    cluster without a shower of its own. event.truth is numbered alike.
    """
    showers = shower_numbers(event)
    renumbered = np.full(len(event.truth), -1)
    for number, label in enumerate(showers):
        renumbered[event.truth == label] = number
    event.truth = renumbered
    clusters = np.unique(event.found[event.found >= 0])
    shared = np.array(
        [
            [event.energy[(renumbered == k) & (event.found == c)].sum() for c in clusters]
            for k in range(len(showers))
        ]
    ).reshape(len(showers), len(clusters))
    result = np.where(event.found < 0, -1, -2)
    for k, c in zip(*linear_sum_assignment(shared, maximize=True), strict=True):
        if shared[k, c] > 0:
            result[event.found == clusters[c]] = k
    return result


def is_largest(event: Display) -> HitArray:
    """Whether a hit has the largest β of its cluster: the condensation points."""
    result = np.zeros(len(event.beta), bool)
    for cluster in np.unique(event.found[event.found >= 0]):
        rows = np.flatnonzero(event.found == cluster)
        result[rows[event.beta[rows].argmax()]] = True
    return result


def principal_axes(space: HitArray) -> tuple[HitArray, HitArray]:
    centred = space - space.mean(0)
    axes = np.linalg.svd(centred, full_matrices=False)[2]
    return centred @ axes[0], centred @ axes[1]


def sizes(energy: HitArray) -> HitArray:
    area: HitArray = 6 + 60 * np.sqrt(energy / energy.max())
    return area


def hits(place: Axes, x: HitArray, y: HitArray, energy: HitArray, labels: HitArray) -> None:
    area = sizes(energy)
    noise = labels == -1
    place.scatter(x[noise], y[noise], s=area[noise], c=NOISE, marker=".", linewidths=0)
    fake = labels == -2
    place.scatter(x[fake], y[fake], s=28, c="black", marker="x", linewidths=1.0)
    for label in np.unique(labels[labels >= 0]):
        rows = labels == label
        number = label % len(COLOURS)
        place.scatter(
            x[rows], y[rows], s=area[rows], c=COLOURS[number], marker=SHAPES[number],
            linewidths=0, alpha=0.8,
        )  # fmt: skip


def ring(place: Axes, x: HitArray, y: HitArray, energy: HitArray, rows: HitArray) -> None:
    place.scatter(
        x[rows], y[rows], s=sizes(energy)[rows] + 22, facecolors="none", edgecolors="black",
        linewidths=0.6,
    )  # fmt: skip


def legend(energies: list[float]) -> list[Line2D]:
    def mark(marker: str, label: str, **style: Any) -> Line2D:
        return Line2D([], [], linestyle="", marker=marker, label=label, **style)

    marks = [
        mark(SHAPES[i % 7], f"shower of {energy:.0f} GeV", color=COLOURS[i % 7])
        for i, energy in enumerate(energies)
    ]
    marks.append(mark(".", "noise, no cluster", color=NOISE))
    marks.append(
        mark("o", "hit of another, or noise", color="black", fillstyle="none", markersize=9)
    )
    marks.append(mark("x", "cluster without a shower", color="black"))
    marks.append(mark("*", "condensation point", color="black", markersize=11))
    return marks


def learning_curve(history: list[dict[str, float]], dbscan: dict[str, float], path: Path) -> None:
    """Loss, V-measure and efficiency on the test events after every epoch."""
    epochs = np.arange(1, len(history) + 1)
    with plt.rc_context(STYLE):
        figure, (left, right) = plt.subplots(1, 2, figsize=(11.0, 4.2), layout="constrained")
        left.plot(epochs, [h["loss"] for h in history], "o-", color=COLOURS[0])
        left.set(xlabel="epoch", ylabel="training loss", title="Loss", ylim=(0, None))
        for name, colour, shape in (
            ("v_measure", COLOURS[0], "o"),
            ("efficiency", COLOURS[5], "s"),
            ("fake_rate", COLOURS[2], "^"),
        ):
            label = {"v_measure": "V-measure"}.get(name, name.replace("_", " "))
            right.plot(epochs, [h[name] for h in history], shape + "-", color=colour, label=label)
            right.axhline(dbscan[name], color=colour, linestyle=":", linewidth=1.5)
        right.plot([], [], color="black", linestyle=":", label="the best DBSCAN")
        right.set(xlabel="epoch", ylabel="score", title="Test events", ylim=(0, 1))
        right.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
        for axes in (left, right):
            axes.xaxis.get_major_locator().set_params(integer=True)
        save(figure, path)
        plt.close(figure)


def efficiency(matchings: dict[str, Matching], path: Path) -> None:
    """The share of showers that are found, by their energy, with binomial errors."""
    some = next(iter(matchings.values()))
    edges = np.quantile(some.weight, np.linspace(0, 1, 7))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(6.6, 4.4), layout="constrained")
        for (name, matching), colour, shape in zip(
            matchings.items(), (COLOURS[0], COLOURS[5]), "os", strict=True
        ):
            number = np.histogram(matching.weight, edges)[0]
            found = np.histogram(matching.weight[matching.matched], edges)[0]
            share = found / np.maximum(number, 1)
            error = np.sqrt(share * (1 - share) / np.maximum(number, 1))
            centre, half = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2
            axes.errorbar(centre, share, error, half, shape, color=colour, label=name)
        axes.set(xlabel="energy of the shower's hits [GeV]", ylabel="efficiency", ylim=(0, 1.05))
        axes.set_title("Showers found, by energy")
        axes.legend(frameon=False, loc="lower right")
        save(figure, path)
        plt.close(figure)
