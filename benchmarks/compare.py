"""What became slower between two runs, beyond noise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from .method.statistics import slowdown, spread

Results = dict[str, Any]


class Change(NamedTuple):
    """A time of hitgraph's that grew."""

    cell: str
    entry: str
    before: float
    after: float


def slower(old: Results, new: Results) -> list[Change]:
    """Times of hitgraph that grew beyond noise, the worst first. Cells that only one run has are
    not compared.
    """
    changes = []
    before = dict(own_samples(old))
    for key, samples in own_samples(new):
        if key in before and slowdown(before[key], samples) is not None:
            medians = spread(before[key]).median, spread(samples).median
            changes.append(Change(*key, *medians))
    return sorted(changes, key=lambda change: change.before / change.after)


def lost(old: Results, new: Results) -> list[str]:
    """Cells in which hitgraph was right and is not any more."""
    before = {cell["key"] for cell in old["cells"] if status(cell) == "right"}
    after = {cell["key"] for cell in new["cells"] if status(cell) != "right"}
    return sorted(before & after)


def status(cell: dict[str, Any]) -> str:
    found: str = cell["entries"].get("hitgraph", {}).get("status", "failed")
    return found


def own_samples(results: Results) -> Iterator[tuple[tuple[str, str], list[float]]]:
    for cell in results["cells"]:
        for name, entry in cell["entries"].items():
            if name.startswith("hitgraph") and "seconds" in entry:
                yield (cell["key"], name), entry["seconds"]


def text(old: Results, new: Results) -> tuple[str, bool]:
    """What to print, and whether nothing is worse."""
    lines = []
    for fact in ("cpu", "gpu", "threads"):
        one, other = (results["environment"].get(fact) for results in (old, new))
        if one != other:
            lines.append(f"Not the same machine: {fact} was {one!r}, is {other!r}.")
    changes, wrong = slower(old, new), lost(old, new)
    lines += [f"not right any more: {key}" for key in wrong]
    for change in changes:
        ratio = change.after / change.before
        lines.append(
            f"{ratio:.2f} times as long: {change.cell}, {change.entry}: "
            f"{1e3 * change.before:.3g} ms, now {1e3 * change.after:.3g} ms"
        )
    if not (changes or wrong):
        lines.append("Nothing is slower beyond noise.")
    return "\n".join(lines), not (changes or wrong)
