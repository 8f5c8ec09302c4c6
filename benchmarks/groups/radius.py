"""All neighbours within a radius that holds about a given number of them."""

from __future__ import annotations

from ..cells import Cell, Prepared, Profile
from ..inputs import events
from .searches import contenders_of, problem_of


def cells(profile: Profile, device: str) -> list[Cell]:
    def cell(case: str, n: int, mean: int = 30) -> Cell:
        return Cell("radius", device, case, n, {"d": 3, "mean": mean}, frozenset())

    if profile.name == "smoke":
        return [cell("uniform", 300, 5)]
    n = {"quick": 20_000, "full": 200_000, "gpu": 1_000_000}[profile.name]
    found = [cell(name, n) for name in ("uniform", "clustered", "tracker")]
    found += [cell("uniform", 100, 5), cell("jets", n, 8)]
    return [*found, *([cell("event", 0)] if events().is_dir() else [])]


def prepare(cell: Cell, profile: Profile) -> Prepared:
    problem = problem_of(cell)
    return Prepared(contenders_of("radius", cell, problem, profile), len(problem.points))
