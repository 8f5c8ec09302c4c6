"""Tables in Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from ..method.statistics import spread
from . import readings
from .readings import OWN, CellResult, Results, seconds, sizes, time_of, title

GROUP_TITLES = {
    "knn": "k nearest neighbours",
    "radius": "All neighbours within a radius",
    "aggregate": "GravNet's aggregation, forward and backward",
    "gravnet": "GravNet: layer and model",
    "dgcnn": "DGCNN: search in learned spaces, EdgeConv forward and backward",
    "build": "The index; importing the library",
    "drop_in": "torch-cluster's calls, hitgraph in its place",
}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def entry(cell: CellResult, name: str) -> str:
    """A library's time and how many times hitgraph's it is, or why there is none."""
    found = cell["entries"].get(name)
    if found is None or found["status"] == "left out":
        return "–"
    if found["status"] == "wrong":
        return f"wrong: {mistake(found)}"
    time, own = time_of(cell, name), time_of(cell, OWN)
    if time is None:
        return "failed"
    ratio = f" ({readings.digits(time.median / own.median)}×)" if own else ""
    return seconds(time.median) + ratio


def mistake(found: dict[str, Any]) -> str:
    """How wrong; never rounded up to right."""
    if found["recall"] < 1:
        return f"recall {math.floor(1e4 * found['recall']) / 1e4:g}"
    return f"a distance is off by {found['error']:.1g} of itself"


def comparison(cells: list[CellResult]) -> str:
    """Everybody's time, row by row."""
    peers = readings.peers_of(cells)
    rows = []
    for cell in cells:
        own = time_of(cell, OWN)
        spread_of = f"{seconds(own.median)} ± {percent_of(own)}" if own else entry(cell, OWN)
        rows.append([title(cell), sizes(cell), spread_of, *(entry(cell, peer) for peer in peers)])
    return table(["", "", OWN, *peers], rows)


def percent_of(time: Any) -> str:
    """Half of the interquartile range, in percent of the median."""
    return readings.percent((time.high - time.low) / 2 / time.median)


def work(cells: list[CellResult], ceilings: dict[str, float]) -> str:
    """What hitgraph does for its time: cost, candidates, build, correctness, share of the limit."""
    head = ["", "", "a query", "candidates a query", "build", "of the multiply-adds"]
    head += ["recall", "error"]
    rows = []
    for cell in cells:
        own, found = time_of(cell, OWN), cell["entries"].get(OWN, {})
        if own is None or not cell["n"]:
            continue
        facts = cell["facts"]
        parts = found.get("parts", {})
        row = [title(cell), sizes(cell), seconds(own.median / cell["n"])]
        row.append(f"{facts['candidates']:.0f}" if "candidates" in facts else "–")
        built = spread(parts["build"]).median if "build" in parts else None
        row.append("–" if built is None else readings.percent(built / own.median))
        row.append(share(facts.get("multiply_adds"), own.median, ceilings.get("multiply_adds")))
        rows.append([*row, f"{found['recall']:.4g}", f"{found['error']:.0e}"])
    return table(head, rows)


def share(work: float | None, time: float, limit: float | None) -> str:
    return "–" if not (work and limit) else readings.percent(work / time / limit)


def traffic(cells: list[CellResult], ceilings: dict[str, float]) -> str:
    """Bytes a second of the aggregation, beside a copy."""
    rows = []
    for cell in cells:
        own = time_of(cell, OWN)
        if own is not None:
            limit = ceilings.get("bytes")
            found = [share(cell["facts"].get(kind), own.median, limit) for kind in KINDS]
            rows.append([title(cell), sizes(cell), *found])
    return table(["", "", "least traffic", "gathered traffic"], rows)


KINDS = ("bytes", "gathered_bytes")


def parts(cells: list[CellResult]) -> str | None:
    """Pieces of a call, apart; None where nothing was taken apart."""
    rows = []
    for cell in cells:
        for name, found in cell["entries"].items():
            whole = time_of(cell, name)
            for part, samples in found.get("parts", {}).items():
                if whole is not None:
                    median = spread(samples).median
                    row = [f"{title(cell)}, {sizes(cell)}", name, part, seconds(median)]
                    rows.append([*row, seconds(whole.median)])
    return table(["", "", "part", "seconds", "whole"], rows) if rows else None


def threads(cells: list[CellResult]) -> str | None:
    """How many times faster on more threads; None where it was not measured."""
    measured = [c for c in cells if c["entries"].get(OWN, {}).get("threads")]
    if not measured:
        return None
    numbers = sorted({int(t) for c in measured for t in c["entries"][OWN]["threads"]})
    rows = []
    for cell in measured:
        found = cell["entries"][OWN]["threads"]
        one = spread(found["1"]).median
        row = [f"{title(cell)}, {sizes(cell)}", seconds(one)]
        for number in numbers[1:]:
            samples = found.get(str(number))
            row.append(f"{one / spread(samples).median:.2f}×" if samples else "–")
        rows.append(row)
    return table(["", "1 thread", *(f"{number} threads" for number in numbers[1:])], rows)


def memory(cells: list[CellResult]) -> str | None:
    """Peak memory beyond the inputs; None where it was not measured."""
    rows = []
    for cell in cells:
        for name, found in cell["entries"].items():
            if "peak_bytes" in found:
                own = cell["entries"].get(OWN, {}).get("peak_bytes")
                ratio = f"{found['peak_bytes'] / own:.1f}×" if own else "–"
                row = [f"{title(cell)}, {sizes(cell)}", name]
                rows.append([*row, f"{found['peak_bytes'] / 1e6:.0f} MB", ratio])
    return table(["", "", "peak", "× hitgraph"], rows) if rows else None


def behind(results: Results) -> str:
    """Where a peer is faster, and by how much."""
    lagging = readings.behind(results)
    cells = readings.contested(results)
    if not lagging:
        return f"hitgraph is behind no peer in any of the {cells} cells with one."
    behind_in = len({b.cell["key"] for b in lagging})
    lines = [f"hitgraph is behind a peer in {behind_in} of the {cells} cells with one:", ""]
    head = ["", "", "hitgraph", "faster peer", "", "hitgraph takes"]
    rows = []
    for b in lagging:
        times = [seconds(b.own.median), b.peer, seconds(b.theirs.median), f"{b.ratio:.2f}×"]
        what = f"{b.cell['group']}: {title(b.cell)}"
        rows.append([what, sizes(b.cell), *times])
    return "\n".join([*lines, table(head, rows)])


def wrong(results: Results) -> str | None:
    """Who was wrong or failed; None if nobody was."""
    rows = []
    for cell, name, found in readings.not_right(results):
        if found["status"] == "wrong":
            what = f"wrong: {mistake(found)}"
        else:
            what = f"failed: {found['reason']}"
        rows.append([f"{cell['group']}: {title(cell)}", sizes(cell), name, what])
    rows += [
        [f"{cell['group']}: {title(cell)}", sizes(cell), "everybody", cell["failed"]]
        for cell in results["cells"]
        if "failed" in cell
    ]
    return table(["", "", "", ""], rows) if rows else None


def absent(results: Results) -> str | None:
    """Peers that were not there, and how to have them."""
    rows = [
        [name, "`" + found["install"].replace("|", "\\|") + "`"]
        for name, found in results["peers"].items()
        if "install" in found
    ]
    return table(["absent", "install"], rows) if rows else None


def terminal(results: Results) -> str:
    """What a run prints at its end."""
    blocks = []
    for device in readings.devices(results):
        blocks.append(f"{readings.hardware(results, device)}; {environment_line(results)}")
        for group, heading in GROUP_TITLES.items():
            cells = readings.of_group(results, group, device)
            if cells:
                blocks += [heading, comparison(cells)]
    blocks += [text for text in (behind(results), wrong(results), absent(results)) if text]
    return "\n\n".join(blocks)


def environment_line(results: Results) -> str:
    facts = results["environment"]
    return (
        f"hitgraph {facts['hitgraph']} ({facts['commit']}), torch {facts['torch']}, "
        f"Python {facts['python']}, {facts['system']}, SIMD {facts['simd']}; {results['began']}"
    )
