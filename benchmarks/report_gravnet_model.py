"""The timing of the talk's GravNet model as a table and as a figure.

    python -m benchmarks.report_gravnet_model benchmarks/results/gravnet_model.json
        [--plot docs/images/gravnet_model.png]

The figure is the talk's: time against hits, both logarithmic, a line for inference and one for a
training step, here both eager and compiled and with a panel for every device.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Results = dict[str, Any]
Line = tuple[str, str]  # mode, form
COLOURS = {"no grad": "#1f77b4", "with grad": "#c44e20"}
STYLES: dict[str, dict[str, Any]] = {
    "eager": {"linestyle": (0, (4, 2)), "marker": "o", "markerfacecolor": "white"},
    "compiled": {"linestyle": "-", "marker": "o"},
}


def medians(results: Results, device: str) -> dict[Line, dict[int, float]]:
    """Median seconds by (mode, form) and hits; what was skipped is not there."""
    lines: dict[Line, dict[int, float]] = {}
    for case in results["cases"]:
        if case["device"] != device:
            continue
        for form, measured in case["forms"].items():
            line = lines.setdefault((case["mode"], form), {})
            if "seconds" in measured:
                line[case["n"]] = statistics.median(measured["seconds"])
    return lines


def devices(results: Results) -> list[str]:
    return list(dict.fromkeys(case["device"] for case in results["cases"]))


def hardware(results: Results, device: str) -> str:
    facts = results["environment"]
    if device == "cpu":
        return f"{facts['cpu']}, {facts['threads']} threads"
    return str(facts.get("gpu", device))


def skipped(results: Results) -> Iterator[str]:
    """A line for everything that was not timed, with the reason."""
    for case in results["cases"]:
        for form, measured in case["forms"].items():
            if "skipped" in measured:
                what = f"{case['device']}, {grouped(case['n'])} hits, {case['mode']}, {form}"
                yield f"{what}: {measured['skipped']}"


def markdown(results: Results) -> str:
    """A table for every device: medians in milliseconds, and how much the compiler gains."""
    text = []
    for device in devices(results):
        lines = medians(results, device)
        titles = [f"{mode}, {form}" for mode, form in lines]
        text += [f"{hardware(results, device)}: milliseconds", ""]
        text += ["| hits | " + " | ".join(titles) + " |", "|---" * (len(lines) + 1) + "|"]
        sizes = sorted({case["n"] for case in results["cases"] if case["device"] == device})
        for n in sizes:
            cells = [cell(lines, line, n) for line in lines]
            text.append(" | ".join([f"| {grouped(n)}", *cells]) + " |")
        text.append("")
    reasons = [f"- {line}" for line in skipped(results)]
    return "\n".join([*text, *(["Not timed:", "", *reasons, ""] if reasons else [])])


def grouped(n: int) -> str:
    return f"{n:,}".replace(",", " ")


def cell(lines: dict[Line, dict[int, float]], line: Line, n: int) -> str:
    seconds = lines[line].get(n)
    if seconds is None:
        return "–"
    milliseconds = f"{1e3 * seconds:.4g}" if seconds < 10 else f"{1e3 * seconds:.0f}"
    eager = lines.get((line[0], "eager"), {}).get(n)
    if line[1] == "eager" or eager is None:
        return milliseconds
    return f"{milliseconds} ({eager / seconds:.2f}×)"


def draw(results: Results, path: Path) -> None:
    """Write the figure.

    Args:
        results: what `benchmarks.gravnet_model` has measured.
        path: the file; its ending chooses the format.
    """
    import matplotlib

    matplotlib.use("Agg")  # no display is needed
    import matplotlib.pyplot as plt

    names = devices(results)
    style: Any = {"font.size": 11, "axes.spines.top": False, "axes.spines.right": False}
    with plt.rc_context(style):
        figure, panels = plt.subplots(
            1,
            len(names),
            figsize=(5.2 + 3.8 * (len(names) - 1), 4.3),
            sharey=True,
            squeeze=False,
            layout="constrained",
        )
        seconds = [
            time
            for device in names
            for line in medians(results, device).values()
            for time in line.values()
        ]
        for axes, device in zip(panels[0], names, strict=True):
            draw_device(axes, medians(results, device))
            axes.set_title(hardware(results, device), fontsize=10, loc="left")
        panels[0, 0].set_ylabel("time of one call or training step")
        if seconds:  # whole decades: at least two ticks have a number
            lowest, highest = math.log10(min(seconds)), math.log10(max(seconds))
            panels[0, 0].set_ylim(10 ** math.floor(lowest), 10 ** math.ceil(highest))
        figure.draw_without_rendering()  # the layout and the limits that labels are placed by
        for axes, device in zip(panels[0], names, strict=True):
            label_lines(axes, medians(results, device))
        figure.savefig(path, dpi=160)
        plt.close(figure)


def draw_device(axes: Any, lines: dict[Line, dict[int, float]]) -> None:
    """The lines of one device."""
    from matplotlib.ticker import EngFormatter, FixedLocator, NullFormatter, NullLocator

    sizes = sorted({n for line in lines.values() for n in line})
    for (mode, form), line in lines.items():
        axes.plot(
            sorted(line), [line[n] for n in sorted(line)], color=COLOURS[mode], **STYLES[form]
        )
    axes.set(xscale="log", yscale="log", xlabel="hits in the event")
    if sizes:
        # Two fifths of the panel are for the labels at the ends of the lines.
        ratio = max(sizes[-1] / sizes[0], 1.5)
        axes.set_xlim(sizes[0] / ratio**0.05, sizes[-1] * ratio**0.7)
        axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda n, _: f"{n / 1000:g}k" if n >= 1000 else f"{n:g}")
    axes.yaxis.set_major_formatter(EngFormatter(unit="s"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(which="major", color="0.9")
    axes.grid(which="minor", axis="y", color="0.95")
    axes.set_axisbelow(True)


def label_lines(axes: Any, lines: dict[Line, dict[int, float]], gap: float = 14.0) -> None:
    """The names of the lines behind the last size, at the height of their last points, moved apart
    to at least `gap` points.
    """
    n = max((n for line in lines.values() for n in line), default=0)
    ends = []
    for (mode, form), line in lines.items():
        if line:
            seconds = line[max(line)]
            height = axes.transData.transform((n, seconds))[1] * 72 / axes.figure.dpi
            ends.append((height, seconds, mode, form))
    below = -float("inf")
    for height, seconds, mode, form in sorted(ends):
        place = max(height, below + gap)
        axes.annotate(
            f"{mode}, {form}",
            (n, seconds),
            xytext=(8, place - height),
            textcoords="offset points",
            va="center",
            color=COLOURS[mode],
        )
        below = place


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("results", type=Path, metavar="JSON")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw the figure there")
    options = parser.parse_args(arguments)
    results = json.loads(options.results.read_text())
    print(markdown(results))
    if options.plot:
        draw(results, options.plot)


if __name__ == "__main__":
    main()
