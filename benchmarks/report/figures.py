"""Figures of a run, each light and dark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from . import readings, style
from .readings import OWN, CellResult, Curve, Results

WIDTH = 8.6
MOST = 6
"""Peers in one figure."""


def draw_all(results: Results, folder: Path, stem: str) -> list[tuple[str, str]]:
    """Draws what the results have cells for.

    Returns:
        For every figure its name (files are NAME-light.png and NAME-dark.png) and what it shows.
    """
    drawn = []
    for device in readings.devices(results):
        for name, caption, draw in figures(results, device):
            for theme in style.THEMES:
                draw(folder / f"{stem}-{name}-{theme}.png", theme)
            drawn.append((f"{stem}-{name}", caption))
    return drawn


Draw = Callable[[Path, str], None]


def figures(results: Results, device: str) -> list[tuple[str, str, Draw]]:
    """Name, caption and a function that draws, of every figure that there is something for."""
    where = readings.hardware(results, device)
    found: list[tuple[str, str, Draw]] = []
    sizes = readings.curves(results, "knn", device, "uniform", d=3, k=40)
    model = readings.curves(results, "gravnet", device, "model, inference", k=64)
    dimensions = by_dimension(results, device)
    for name, lines, what, along in (
        ("sizes", sizes, "k = 40 nearest neighbours of every point, uniform, d = 3", "points"),
        ("dimensions", dimensions[1], dimensions[0], "dimensions"),
        ("gravnet", model, "the talk's GravNet model, inference of one event", "hits"),
    ):
        if any(len(line) > 1 for line in lines.values()):
            draw = line_figure(lines, f"{what}\n{where}", along)
            found.append((name, f"{what}; {where}", draw))
    sets = ratio_rows(readings.of_group(results, "knn", device), same_work(results, device))
    layers = [
        row
        for group in ("aggregate", "gravnet", "dgcnn")
        for row in ratio_rows(readings.of_group(results, group, device), lambda c: True)
    ]
    calls = ratio_rows(readings.of_group(results, "drop_in", device), lambda c: True)
    for name, rows, what in (
        ("sets", sets, "times as long as hitgraph, k = 40 nearest neighbours, d = 3"),
        ("layers", layers, "times as long as hitgraph, layers forward and backward, model"),
        ("calls", calls, "torch-cluster's knn and radius, times as long as hitgraph in its place"),
    ):
        if rows:
            found.append((name, f"{what}; {where}", ratio_figure(rows, f"{what}\n{where}")))
    return found


def same_work(results: Results, device: str) -> Callable[[CellResult], bool]:
    """The cells of the comparison of sets: d = 3, k = 40, as many points as most of them have."""
    cells = readings.of_group(results, "knn", device)
    numbers = [c["n"] for c in cells if c["sizes"] == {"d": 3, "k": 40}]
    usual = max(set(numbers), key=numbers.count, default=0)
    return lambda c: c["sizes"] == {"d": 3, "k": 40} and (c["n"] == usual or c["case"] == "event")


def by_dimension(results: Results, device: str) -> tuple[str, dict[str, Curve]]:
    """Seconds by d, of uniform points, k = 40, at the size that has most dimensions."""
    cells = [
        cell
        for cell in readings.of_group(results, "knn", device)
        if cell["case"] == "uniform" and set(cell["sizes"]) == {"d", "k"}
        if cell["sizes"]["k"] == 40
    ]
    numbers = [cell["n"] for cell in cells]
    n = max(
        set(numbers),
        key=lambda m: len({c["sizes"]["d"] for c in cells if c["n"] == m}),
        default=0,
    )
    found: dict[str, Curve] = {}
    for cell in cells:
        for name in cell["entries"] if cell["n"] == n else ():
            if (time := readings.time_of(cell, name)) is not None:
                found.setdefault(name, {})[cell["sizes"]["d"]] = time
    lines = {name: dict(sorted(curve.items())) for name, curve in found.items()}
    return f"k = 40 nearest neighbours of {readings.grouped(n)} uniform points", lines


def chosen(names: Sequence[str], weight: Callable[[str], float]) -> list[str]:
    """hitgraph, and the peers with the most to show, in their order."""
    peers = [name for name in names if readings.is_peer(name)]
    kept = set(sorted(peers, key=weight, reverse=True)[:MOST])
    return [name for name in names if name == OWN or name in kept]


def line_figure(lines: dict[str, Curve], heading: str, along: str) -> Draw:
    """Seconds against a size, a line for every library, medians with quartiles."""

    def draw(path: Path, theme: str) -> None:
        names = chosen(list(lines), lambda name: len(lines[name]))
        with style.figure(path, theme, WIDTH, 4.6) as (_, (axes,)):
            draw_lines(axes, {name: lines[name] for name in names}, theme)
            axes.set(xlabel=along, ylabel="time of one call")
            axes.set_title(heading, loc="left", fontsize=11)
            ends = [
                (max(lines[n]), lines[n][max(lines[n])].median, n, style.colour(n, theme))
                for n in names
            ]
            style.label_ends(axes, ends)

    return draw


def draw_lines(axes: Any, lines: dict[str, Curve], theme: str) -> None:
    for name, line in reversed(lines.items()):  # hitgraph on top
        shade = style.colour(name, theme)
        wide = 2.6 if name == OWN else 1.5
        times = list(line.values())
        axes.plot(
            list(line), [t.median for t in times], color=shade, linewidth=wide,
            marker=style.marker(name), markersize=6,
        )  # fmt: skip
        axes.fill_between(
            list(line), [t.low for t in times], [t.high for t in times], color=shade, alpha=0.2,
            linewidth=0,
        )  # fmt: skip
    xs = [x for line in lines.values() for x in line]
    ys = [t for line in lines.values() for time in line.values() for t in (time.low, time.high)]
    style.logarithmic(axes, xs, ys, room=0.28)
    if max(xs) < 1000:  # dimensions: every one is named
        from matplotlib.ticker import FixedLocator

        axes.xaxis.set_major_locator(FixedLocator(sorted(set(xs))))


Row = tuple[str, dict[str, float]]


def ratio_rows(cells: list[CellResult], wanted: Callable[[CellResult], bool]) -> list[Row]:
    """A label and the peers' ratios, of the wanted cells that have any."""
    rows = []
    for cell in filter(wanted, cells):
        own = readings.time_of(cell, OWN)
        if own is None:
            continue
        ratios = {
            name: time.median / own.median
            for name in cell["entries"]
            if readings.is_peer(name) and (time := readings.time_of(cell, name)) is not None
        }
        if ratios:
            rows.append((row_label(cell), ratios))
    return rows


def row_label(cell: CellResult) -> str:
    name = readings.title(cell)
    if cell["group"] == "knn":
        return f"{name}, n = {readings.grouped(cell['n'])}"
    if cell["group"] == "drop_in":
        return f"{name}, {readings.sizes(cell)}"
    sizes = ", ".join(
        f"{'F' if key == 'f' else key} = {value}"
        for key, value in cell["sizes"].items()
        if key in ("f", "d", "out")
    )
    prefix = "aggregation, " if cell["group"] == "aggregate" else ""
    return f"{prefix}{name}{', ' + sizes if sizes else ''}, n = {readings.grouped(cell['n'])}"


def ratio_figure(rows: list[Row], heading: str) -> Draw:
    """A dot for every library and row; the line of 1 is hitgraph."""

    def draw(path: Path, theme: str) -> None:
        counts: dict[str, int] = {}
        for _, ratios in rows:
            for name in ratios:
                counts[name] = counts.get(name, 0) + 1
        names = [name for name in chosen(list(counts), counts.__getitem__) if name != OWN]
        with style.figure(path, theme, WIDTH, 1.5 + 0.36 * len(rows)) as (drawn, (axes,)):
            draw_ratios(axes, rows, names, theme)
            axes.set_xlabel("time, in units of hitgraph's")
            drawn.suptitle(heading, x=0.01, ha="left", fontsize=11)
            name_columns(axes, rows, names, theme)

    return draw


def draw_ratios(axes: Any, rows: list[Row], names: list[str], theme: str) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    for name in names:
        places = [(ratios[name], -i) for i, (_, ratios) in enumerate(rows) if name in ratios]
        axes.plot(
            *zip(*places, strict=True), linestyle="none", marker=style.marker(name), markersize=7,
            color=style.colour(name, theme),
        )  # fmt: skip
    own = style.colour(OWN, theme)
    axes.axvline(1, color=own, linewidth=2.6)
    axes.set(xscale="log", yticks=[-i for i in range(len(rows))])
    axes.set_yticklabels([label for label, _ in rows])
    axes.set_ylim(0.6 - len(rows), 0.6)
    values = [ratios[name] for _, ratios in rows for name in names if name in ratios]
    axes.set_xlim(min(0.8, 0.8 * min(values)), 1.35 * max(values))
    axes.xaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}×"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="y", length=0)
    axes.grid(which="major", linewidth=0.8)


def name_columns(axes: Any, rows: list[Row], names: list[str], theme: str) -> None:
    """Every library's marker and name in its colour, in one line above the rows, from the left."""
    corner = ("figure fraction", "axes fraction")
    place, size, gap = (12.0, 11, 30) if len(names) <= 5 else (12.0, 8.5, 22)
    for name in (OWN, *names):
        mark = {"marker": style.marker(name), "markersize": 6, "color": style.colour(name, theme)}
        if name == OWN:
            mark |= {"marker": "|", "markersize": 12, "markeredgewidth": 2.6}
        text = axes.annotate(
            name, (0, 1), xycoords=corner, xytext=(place + 10, 12),
            textcoords="offset points", color=style.colour(name, theme), va="center",
            fontsize=size,
        )  # fmt: skip
        spot = axes.annotate(
            "", (0, 1), xycoords=corner, xytext=(place, 12), textcoords="offset points"
        )
        draw_marker(axes, spot, place, mark)
        width = text.get_window_extent().width * 72 / axes.figure.dpi
        place += width + gap


def draw_marker(axes: Any, spot: Any, place: float, mark: dict[str, Any]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.transforms import ScaledTranslation, blended_transform_factory

    spot.remove()
    shift = ScaledTranslation(place / 72, 12 / 72, axes.figure.dpi_scale_trans)
    corner = blended_transform_factory(axes.figure.transFigure, axes.transAxes)
    line = Line2D([0], [1], transform=corner + shift, linestyle="none", clip_on=False)
    line.set(**mark)
    axes.add_line(line)
