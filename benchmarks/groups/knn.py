"""The k nearest neighbours: sets, sizes, dimensions, numbers of neighbours, batches, small calls."""

from __future__ import annotations

from ..cells import Cell, Prepared, Profile
from ..inputs import events
from ..peers import own
from .searches import contenders_of, problem_of

SETS = (
    "uniform",
    "gauss",
    "clustered",
    "learned",
    "calo",
    "tracker",
    "energy_eta",
    "detector_lattice",
    "duplicates",
    "line_with_outlier",
)


def cells(profile: Profile, device: str) -> list[Cell]:
    def cell(case: str, n: int, d: int = 3, k: int = 40, *extras: str, **sizes: int) -> Cell:
        return Cell("knn", device, case, n, {"d": d, "k": k, **sizes}, frozenset(extras))

    if profile.name == "smoke":
        return [cell("uniform", 300, 3, 5, "threads", "parts", "backward"), cell("jets", 200, 2, 5)]
    if profile.name == "gpu":
        found = [cell(name, 1_000_000, 3, 40, "parts", "memory") for name in SETS]
        found += [cell("uniform", n) for n in (1_000, 10_000, 100_000, 5_000_000)]
        found += [cell("clustered", 5_000_000)]
        found += [cell("uniform", 200_000, d) for d in (2, 4, 8)]
        found += [cell("uniform", 200_000, 4, 64, "backward"), cell("gauss", 1_000_000, 5)]
        found += [cell("uniform", 1_000_000, 3, 30), cell("uniform", 200_000, 3, 1000)]
        return [*found, cell("jets", 100_000, 3, 16), *recorded(cell)]
    large = profile.name == "full"
    n = 200_000 if large else 50_000
    found = [cell(name, n, 3, 40) for name in SETS if name != "uniform"]
    found += [cell("uniform", n, 3, 40, "parts", "backward"), *recorded(cell)]
    sizes = (100, 1_000, 10_000, 100_000, 1_000_000) if large else (100, 1_000, 10_000, 200_000)
    found += [
        cell("uniform", m, 3, 40, *(("threads", "memory") if m == 200_000 else ("threads",)))
        for m in sizes
        if m > 100
    ]
    if large:
        found += [cell("clustered", m) for m in (1_000, 10_000, 1_000_000)]
        found += [cell("uniform", n, 4, 40, "memory", "threads"), cell("clustered", n, 4)]
        found += [cell("uniform", n, 8), cell("clustered", n, 8, 40, "threads")]
    found += [cell("uniform", 10_000, d) for d in (1, 2, 4, 8, 16, 64)]
    found += [cell("clustered", 10_000, d) for d in (4, 8)]
    found += [cell("uniform", n, 3, k) for k in ((1, 8, 100, 1000) if large else (1, 8, 100))]
    found += [cell("uniform", 100, 3, k) for k in (4, 16)]
    found += [cell("jets", 50_000, 3, k) for k in (8, 16)]
    found += [cell("tiny", 50_000, 3, 4), cell("uneven_events", n, 3)]
    return [*found, cell("uniform", n, 3, 16, queries=1), cell("identical", 10_000, 3)]


def recorded(cell: object) -> list[Cell]:
    return [cell("event", 0)] if callable(cell) and events().is_dir() else []


def prepare(cell: Cell, profile: Profile) -> Prepared:
    problem = problem_of(cell)
    d = problem.points.shape[1]
    facts = own.work(problem)
    facts["multiply_adds"] = facts["candidates"] * problem.n_queries * d
    return Prepared(contenders_of("knn", cell, problem, profile), len(problem.points), facts)
