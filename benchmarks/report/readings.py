"""What a file of results says: medians, ratios, where hitgraph is behind, exponents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ..inputs import INPUTS
from ..method.statistics import Spread, exponent, spread

Results = dict[str, Any]
CellResult = dict[str, Any]
OWN = "hitgraph"
ALIASES = ("hitgraph, transposing", "hitgraph, edge list", "hitgraph, compiled")
"""Other ways to call hitgraph: no peers."""


def time_of(cell: CellResult, name: str) -> Spread | None:
    """Seconds of a library in a cell; None if there are none."""
    samples = cell["entries"].get(name, {}).get("seconds")
    return spread(samples) if samples else None


def is_peer(name: str) -> bool:
    return name != OWN and name not in ALIASES


def peers_of(cells: list[CellResult]) -> list[str]:
    """Names of everybody else that contends in some of these cells, in their order."""
    names = dict.fromkeys(
        name
        for cell in cells
        for name, entry in cell["entries"].items()
        if name != OWN and entry["status"] != "left out"
    )
    return list(names)


def of_group(results: Results, group: str, device: str) -> list[CellResult]:
    return [c for c in results["cells"] if c["group"] == group and c["device"] == device]


def devices(results: Results) -> list[str]:
    return list(dict.fromkeys(cell["device"] for cell in results["cells"]))


def title(cell: CellResult) -> str:
    """What a cell is about: the set's title, or the work itself."""
    known = INPUTS.get(cell["case"])
    return known.title if known else str(cell["case"])


def sizes(cell: CellResult) -> str:
    """n and the other numbers, as a reader says them."""
    words = {"mean": "{} neighbours in the mean", "f": "F = {}", "out": "{} features out"}
    words["queries"] = "{} other queries"
    numbers = [f"n = {grouped(cell['n'])}"] if cell["n"] else []
    for name, value in cell["sizes"].items():
        numbers.append(words.get(name, f"{name} = {{}}").format(grouped(value)))
    return ", ".join(numbers)


def hardware(results: Results, device: str) -> str:
    facts = results["environment"]
    if device == "cpu":
        threads = facts["threads"]
        return f"{facts['cpu']}, {threads} {'thread' if threads == 1 else 'threads'}"
    return str(facts.get("gpu", device))


class Behind(NamedTuple):
    """A cell in which a peer is faster."""

    cell: CellResult
    peer: str
    own: Spread
    theirs: Spread

    @property
    def ratio(self) -> float:
        """How many times as long hitgraph takes."""
        return self.own.median / self.theirs.median


def behind(results: Results) -> list[Behind]:
    """Every peer that is right and faster in some cell; where hitgraph lags most, first."""
    found = []
    for cell in results["cells"]:
        own = time_of(cell, OWN)
        for name in cell["entries"]:
            theirs = time_of(cell, name)
            if is_peer(name) and own and theirs and 1.005 * theirs.median < own.median:
                if cell["case"] == "import":  # torch is what hitgraph is imported on top of
                    continue
                found.append(Behind(cell, name, own, theirs))
    return sorted(found, key=lambda b: -b.ratio)


def not_right(results: Results) -> Iterator[tuple[CellResult, str, dict[str, Any]]]:
    """Whoever was wrong or failed: the cell, the name, the entry."""
    for cell in results["cells"]:
        for name, entry in cell["entries"].items():
            if entry["status"] in ("wrong", "failed"):
                yield cell, name, entry


def contested(results: Results) -> int:
    """Cells in which a peer was right."""
    return sum(
        any(is_peer(name) and time_of(cell, name) for name in cell["entries"])
        for cell in results["cells"]
    )


Curve = dict[int, Spread]


def curves(results: Results, group: str, device: str, case: str, **wanted: int) -> dict[str, Curve]:
    """By library, seconds by n, of the cells of a case and these sizes."""
    found: dict[str, Curve] = {}
    for cell in of_group(results, group, device):
        if cell["case"] == case and cell["sizes"] == wanted:
            for name in cell["entries"]:
                if (time := time_of(cell, name)) is not None:
                    found.setdefault(name, {})[cell["n"]] = time
    return {name: dict(sorted(curve.items())) for name, curve in found.items()}


def exponent_of(curve: Curve, at_least: int = 10_000) -> float | None:
    """a of seconds ∝ n^a, from sizes that fill the machine."""
    return exponent({n: time.median for n, time in curve.items() if n >= at_least})


def grouped(n: int) -> str:
    return f"{n:,}".replace(",", " ")


def seconds(value: float) -> str:
    """With three digits and a unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size or unit == "µs":
            return f"{digits(value / size)} {unit}"
    raise AssertionError


def digits(value: float) -> str:
    """Three digits, without an exponent."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def percent(part: float) -> str:
    return f"{100 * part:.0f} %" if part >= 0.01 else f"{100 * part:.1g} %"
