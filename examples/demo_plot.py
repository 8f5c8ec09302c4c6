"""The picture of the demo: the event, the graph in its densest shower, the graph in numbers."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

import hitgraph
from hitgraph.datasets import CaloEvent

matplotlib.use("Agg")  # no display is needed
import matplotlib.pyplot as plt

# What is drawn of the graph: hits around one hit, in a thin slab.
DEPTH = (-15.0, 25.0)  # cm, along the beam
ACROSS = (-8.0, 8.0)  # cm
HALF_SLAB = 0.8  # cm
HEADROOM = 2.6  # cm, for the legend

STYLE: Any = {
    "figure.dpi": 90,
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
}
FloatArray = NDArray[np.floating[Any]]


def draw(event: CaloEvent, neighbours: hitgraph.Neighbors, k: int, path: Path) -> None:
    """Write the picture.

    Args:
        event: the hits, position [cm] and energy [GeV].
        neighbours: their k + 1 nearest neighbours; the last tells whether the k-th is tied.
        k: neighbours of a hit in the graph.
        path: the file to write; its ending chooses the format.
    """
    index, distance2 = neighbours.index.numpy(), neighbours.distance2.numpy()
    with plt.rc_context(STYLE):
        figure, axes = plt.subplot_mosaic(
            [["side", "front", "distance"], ["graph", "graph", "degree"]],
            figsize=(14.0, 8.4),
            layout="constrained",
        )
        draw_event(axes["side"], axes["front"], event)
        draw_shower(axes["graph"], event, index[:, :k], distance2[:, :k])
        draw_distances(axes["distance"], distance2, k)
        draw_in_degrees(axes["degree"], index[:, :k])
        save(figure, path)
        plt.close(figure)


def save(figure: Figure, path: Path) -> None:
    """Write the figure; a PNG with a palette, which makes it three times smaller."""
    if path.suffix.lower() != ".png":
        figure.savefig(path)
        return
    in_memory = io.BytesIO()
    figure.savefig(in_memory, format="png")
    Image.open(in_memory).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(
        path, optimize=True
    )


def draw_event(side: Axes, front: Axes, event: CaloEvent) -> None:
    """All hits from the side (z, r) and along the beam (x, y); the colour is the energy."""
    x, y, z = event.position.T
    r = np.hypot(x, y)
    order = np.argsort(event.energy)  # energetic hits on top
    low, high = np.quantile(event.energy, [0.02, 0.9995])
    low = max(float(low), 1e-6)
    norm = LogNorm(low, max(float(high), 1.01 * low))
    size = 1.0 + 8.0 * np.clip(norm(np.maximum(event.energy, low)), 0.0, 1.0) ** 3
    look: dict[str, Any] = {
        "s": size[order],
        "c": event.energy[order],
        "norm": norm,
        "cmap": "plasma",
    }
    side.scatter(z[order], r[order], linewidths=0, **look)
    side.set(xlabel="z [cm]", ylabel="r [cm]", ylim=middle_range(r))
    side.set_title(f"event: {len(z)} hits, from the side")
    drawn = front.scatter(x[order], y[order], linewidths=0, **look)
    front.set(xlabel="x [cm]", ylabel="y [cm]", aspect="equal")
    half = max(np.ptp(middle_range(x)), np.ptp(middle_range(y))) / 2
    front.set_xlim(np.mean(middle_range(x)) - half, np.mean(middle_range(x)) + half)
    front.set_ylim(np.mean(middle_range(y)) - half, np.mean(middle_range(y)) + half)
    front.set_title("the same along the beam")
    front.figure.colorbar(drawn, ax=front, label="energy of the hit [GeV]", extend="both")


def middle_range(values: FloatArray) -> tuple[float, float]:
    """Limits of an axis that a few far hits do not stretch."""
    low, high = np.quantile(values, [0.002, 0.998])
    margin = 0.06 * (high - low) + 1.0
    return float(low - margin), float(high + margin)


def draw_shower(
    axes: Axes, event: CaloEvent, index: NDArray[np.int64], distance2: FloatArray
) -> None:
    """The graph in a slab through the densest shower, in the plane of the beam and the shower."""
    seed = densest_hit(event.energy, index, distance2)
    position = event.position.astype(np.float64) - event.position[seed]
    phi = np.arctan2(event.position[seed, 1], event.position[seed, 0])
    depth = position[:, 2] * np.sign(event.position[seed, 2])  # away from the collision
    across = position[:, :2] @ [np.cos(phi), np.sin(phi)]
    off_plane = position[:, :2] @ [-np.sin(phi), np.cos(phi)]
    place = np.column_stack([depth, across])
    low, high = np.transpose([DEPTH, ACROSS])
    inside = ((place > low) & (place < high)).all(axis=1) & (np.abs(off_plane) < HALF_SLAB)

    source = np.repeat(np.flatnonzero(inside), index.shape[1])
    target = index[inside].ravel()
    kept = (target >= 0) & inside[target]
    source, target = source[kept], target[kept]
    length = np.sqrt(distance2[inside].ravel()[kept].astype(np.float64))
    order = np.argsort(-length)  # short edges on top
    edges = LineCollection(
        list(place[np.column_stack([source, target])[order]]), cmap="viridis", linewidths=0.7
    )
    edges.set_array(length[order])
    shortest, longest = np.quantile(length, [0.0, 0.98]) if len(length) else (0.0, 1.0)
    edges.set_norm(Normalize(float(shortest), float(longest)))
    axes.add_collection(edges)
    axes.figure.colorbar(edges, ax=axes, label="length of the edge [cm]", extend="max")

    relative = event.energy[inside] / max(float(event.energy[inside].max()), 1e-12)
    axes.scatter(
        place[inside, 0], place[inside, 1], s=4.0 + 80.0 * relative, c="0.1", linewidths=0, zorder=3
    )
    mine = index[seed][index[seed] >= 0]
    star = LineCollection(
        [place[[seed, j]] for j in mine], colors="crimson", linewidths=1.2, zorder=4
    )
    axes.add_collection(star)
    axes.scatter([], [], s=25.0, c="0.1", linewidths=0, label="hit, area grows with energy")
    axes.plot([], [], color="crimson", label=f"all {len(mine)} neighbours of one hit")
    axes.legend(loc="upper right", ncols=2, frameon=False)
    axes.set(xlim=(DEPTH[0] - 0.6, DEPTH[1] + 0.6), ylim=(ACROSS[0] - 0.6, ACROSS[1] + HEADROOM))
    axes.set(xlabel="|z| − |z| of that hit [cm]", ylabel="r − r of that hit [cm]", aspect="equal")
    axes.set_title(
        f"the graph in a shower: all edges in a slab of {2 * HALF_SLAB:g} cm through its core"
    )


def densest_hit(energy: FloatArray, index: NDArray[np.int64], distance2: FloatArray) -> int:
    """The hit with the highest energy density in the ball of its neighbours."""
    around = np.where(index >= 0, energy[index], 0.0).sum(axis=1, dtype=np.float64) + energy
    volume = np.maximum(distance2[:, -1].astype(np.float64), 1e-6) ** 1.5
    return int(np.argmax(around / volume))


def draw_distances(axes: Axes, distance2: FloatArray, k: int) -> None:
    """How far the k-th neighbour is, and how often it is not the only one at that distance."""
    tied = (distance2[:, k - 1] == distance2[:, k]) & np.isfinite(distance2[:, k - 1])
    reach = np.sqrt(distance2[:, k - 1].astype(np.float64))
    found = reach[np.isfinite(reach) & (reach > 0)]
    if len(found) == 0:
        axes.text(0.5, 0.5, f"no hit has {k} neighbours", ha="center", transform=axes.transAxes)
        axes.set_axis_off()
        return
    low, middle, high = np.quantile(found, [0.05, 0.5, 0.95])
    bins = np.geomspace(found.min() * 0.99, found.max() * 1.01, 60).tolist()
    axes.hist(found, bins, color="steelblue")
    top = 0.7  # of the axis: the legend is above
    span = f"5 to 95 %: {low:.2g} to {high:.2g} cm"
    axes.axvspan(low, high, ymax=top, color="0.5", alpha=0.2, linewidth=0, label=span)
    axes.axvline(middle, ymax=top, color="black", label=f"median: {middle:.2g} cm")
    axes.plot([], [], " ", label=f"tied with the next: {100 * tied.mean():.0f} % of the hits")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.margins(y=0.5)
    axes.legend(loc="upper right", frameon=False)
    axes.set(xlabel=f"distance of neighbour {k} [cm]", ylabel="hits", title="reach of the graph")


def draw_in_degrees(axes: Axes, index: NDArray[np.int64]) -> None:
    """How many hits name a hit as their neighbour."""
    degree = np.bincount(index[index >= 0], minlength=len(index))
    axes.hist(degree, (np.arange(degree.max() + 2) - 0.5).tolist(), color="steelblue")
    axes.axvline(degree.mean(), color="black", label=f"mean: {degree.mean():.1f}")
    axes.plot([], [], " ", label=f"largest: {degree.max()}")
    axes.legend(loc="upper right", frameon=False)
    axes.set(
        xlabel="rows in which a hit is a neighbour", ylabel="hits", title="in-degree of the hits"
    )
