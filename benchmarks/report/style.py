"""How figures look: light and dark, colours for the colour-blind, labels at the lines."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

THEMES = {
    "light": {"ink": "#24292f", "quiet": "#59636e", "grid": "#d8dee4", "page": "#ffffff"},
    "dark": {"ink": "#e6edf3", "quiet": "#9198a1", "grid": "#30363d", "page": "#0d1117"},
}
# Okabe and Ito's colours (jfly.uni-koeln.de/color), shifted in lightness where a page needs it.
COLOURS = {
    "light": ["#0072b2", "#d55e00", "#009e73", "#b8568f", "#a97400", "#3a87b8", "#59636e"],
    "dark": ["#56b4e9", "#ff8c42", "#1fc79a", "#e08fc0", "#f0e442", "#8ab8ff", "#9198a1"],
}
MARKERS = "osD^vPX"
FIXED = {
    "hitgraph": 0,
    "pykdtree": 1,
    "SciPy cKDTree": 2,
    "torch-cluster": 3,
    "torch_geometric": 3,
    "scikit-learn": 4,
    "FAISS flat": 5,
    "FastGraphCompute": 1,
    "jz-tree": 2,
    "CLOVER": 3,
    "cudaKDTree": 4,
    "FAISS flat, GPU": 5,
    "cdist + topk": 6,
    "embedding": 5,
    "tensor operations": 6,
    "indexing": 6,
}
"""The same colour in every figure."""


def colour(name: str, theme: str) -> str:
    return COLOURS[theme][FIXED.get(name, 6)]


def marker(name: str) -> str:
    return MARKERS[FIXED.get(name, 6)]


@contextmanager
def figure(path: Path, theme: str, width: float, height: float, **grid: Any) -> Iterator[Any]:
    """A figure and its axes (flat list), saved at the end.

    Args:
        path: the file.
        theme: "light" or "dark".
        width, height: inches; 8.8 is the width of a README at 100 dots an inch.
        grid: of `subplots`.
    """
    import matplotlib

    matplotlib.use("Agg")  # no display is needed
    import matplotlib.pyplot as plt

    look = THEMES[theme]
    settings: Any = {
        "font.size": 11,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        **dict.fromkeys(("text.color", "axes.titlecolor"), look["ink"]),
        **dict.fromkeys(("axes.labelcolor", "xtick.color", "ytick.color"), look["quiet"]),
        **dict.fromkeys(("figure.facecolor", "axes.facecolor"), look["page"]),
        "axes.edgecolor": look["grid"],
        "grid.color": look["grid"],
        "savefig.facecolor": look["page"],
    }
    with plt.rc_context(settings):
        drawn, axes = plt.subplots(
            figsize=(width, height), layout="constrained", squeeze=False, **grid
        )
        yield drawn, list(axes.flat)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Without the date and the version, the same results give the same file.
        drawn.savefig(path, dpi=130, metadata={"Software": None})
        plt.close(drawn)


def logarithmic(axes: Any, xs: Sequence[float], ys: Sequence[float], room: float = 0.6) -> None:
    """Both axes logarithmic: points along x, seconds along y; room on the right for labels, as a
    part of the lines' length.
    """
    from matplotlib.ticker import EngFormatter, FixedLocator, LogLocator, NullFormatter, NullLocator

    axes.set(xscale="log", yscale="log")
    low, high = min(xs), max(xs)
    length = max(math.log10(high / low), 0.3)
    axes.set_xlim(low / 10 ** (0.04 * length), high * 10 ** (room * length))
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    decades = [10.0**i for i in range(first, last + 1)]
    axes.xaxis.set_major_locator(FixedLocator(decades if len(decades) > 1 else sorted(set(xs))))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.set_ylim(min(ys) / 1.4, max(ys) * 1.4)
    axes.yaxis.set_major_locator(LogLocator(10))
    axes.yaxis.set_major_formatter(EngFormatter(unit="s"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(which="major", linewidth=0.8)


def label_ends(axes: Any, ends: Sequence[tuple[float, float, str, str]], gap: float = 14) -> None:
    """Names behind the last points of lines, moved apart to at least `gap` points.

    Args:
        axes: whose limits are set.
        ends: x, y, name and colour of every line.
        gap: in points (1/72 inch).
    """
    from matplotlib.patheffects import withStroke

    axes.figure.draw_without_rendering()  # the layout, which places are computed by
    scale = 72 / axes.figure.dpi
    first = axes.dataLim.x0
    for right in {x for x, _, _, _ in ends}:  # lines that end at the same place share their gaps
        group = [end for end in ends if end[0] == right]
        points = [axes.transData.transform((x, y)) * scale for x, y, _, _ in group]
        order = sorted(range(len(group)), key=lambda i: points[i][1])
        places = apart([points[i][1] for i in order], gap)
        texts = []
        for i, place in zip(order, places, strict=True):
            x, y, name, shade = group[i]
            moved = place - points[i][1]
            text = axes.annotate(
                name,
                (x, y),
                # Beside a line of one point, where all begin, others go on: above it none does.
                xytext=(14, moved) if right > first else (0, moved + 14),
                textcoords="offset points",
                va="center",
                color=shade,
                arrowprops={"arrowstyle": "-", "color": shade, "linewidth": 0.7, "shrinkB": 3},
                annotation_clip=False,
            )
            # A line that passes behind a name is interrupted.
            page = axes.get_facecolor()
            text.set_path_effects([withStroke(linewidth=4, foreground=page)])
            text.set_zorder(9)
            texts.append(text)
        step_aside(axes, texts)


def step_aside(axes: Any, texts: Sequence[Any]) -> None:
    """Moves names up or down together, as little as it takes that none lies on a line's marker."""
    import numpy as np
    from matplotlib.text import Text

    markers = np.concatenate([axes.transData.transform(line.get_xydata()) for line in axes.lines])
    places = [text.xyann for text in texts]

    def move(step: float) -> bool:
        free = True
        for text, (across, along) in zip(texts, places, strict=True):
            text.xyann = across, along + step
            text.update_positions(axes.figure.canvas.get_renderer())
            box = Text.get_window_extent(text).padded(8)  # without its line
            free = free and not any(box.contains(*marker) for marker in markers)
        return free

    if not any(move(step) for step in (0, 6, -6, 12, -12, 18, -18)):
        move(0)


def apart(heights: Sequence[float], gap: float) -> list[float]:
    """Ascending heights, moved as little as it takes to be at least `gap` apart (in groups, each
    around its own mean).
    """
    groups: list[list[float]] = []  # sum of wanted places of the first, and how many
    for number, height in enumerate(heights):
        groups.append([height - gap * number, 1])
        while len(groups) > 1 and groups[-2][0] / groups[-2][1] > groups[-1][0] / groups[-1][1]:
            total, count = groups.pop()
            groups[-1][0] += total
            groups[-1][1] += count
    places = [total / count for total, count in groups for _ in range(int(count))]
    return [place + gap * number for number, place in enumerate(places)]
