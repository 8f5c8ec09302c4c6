"""What others have published about their own systems. Never mixed with what was measured here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from . import readings, style
from .readings import seconds
from .tables import table

FILE = Path(__file__).with_name("published.json")
Point = dict[str, Any]


def load() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(FILE.read_text())
    return content


def markdown() -> str:
    """All points, with their sources."""
    content = load()
    numbers = {source: i for i, source in enumerate(content["sources"], 1)}
    rows = [
        [
            f"{point['system']} [{numbers[point['source']]}]",
            point["hardware"],
            f"{point['set']}, d = {point['d']}, k = {point['k']}",
            readings.grouped(point["n"]),
            seconds(point["seconds"]),
        ]
        for point in content["points"]
    ]
    head = ["published by others", "on", "points", "n", "seconds"]
    notes = [f"[{number}] {content['sources'][source]}." for source, number in numbers.items()]
    return "\n\n".join([table(head, rows), *notes])


def draw(path: Path, theme: str) -> None:
    """Published seconds against n, d = 3, on one kind of GPU: hollow markers, dashed lines, nothing
    of hitgraph's.
    """
    lines: dict[str, dict[int, float]] = {}
    names: dict[str, str] = {}
    for point in load()["points"]:
        if point["d"] == 3 and point["hardware"] == "A100" and point["set"] == "uniform":
            label = f"{point['system']}, k = {point['k']}"
            lines.setdefault(label, {})[point["n"]] = point["seconds"]
            names[label] = point["system"]
    with style.figure(path, theme, 8.6, 4.6) as (_, (axes,)):
        ends = []
        for label, line in lines.items():
            shade, mark = style.colour(names[label], theme), style.marker(names[label])
            axes.plot(
                sorted(line), [line[n] for n in sorted(line)], color=shade, marker=mark,
                linestyle=(0, (4, 2)), linewidth=1.3, markersize=7,
                markerfacecolor=style.THEMES[theme]["page"], markeredgewidth=1.5,
            )  # fmt: skip
            ends.append((max(line), line[max(line)], label, shade))
        xs = [n for line in lines.values() for n in line]
        style.logarithmic(axes, xs, [s for line in lines.values() for s in line.values()], room=0.5)
        axes.set(xlabel="points", ylabel="time, as published")
        heading = "published by others, not measured here: k nearest neighbours, uniform, d = 3"
        axes.set_title(f"{heading}\nNVIDIA A100", loc="left", fontsize=11)
        style.label_ends(axes, ends)
