"""The k nearest neighbours: sets, sizes, dimensions, k, batches, few queries, small calls."""

from __future__ import annotations

from collections.abc import Callable

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


Make = Callable[..., Cell]


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
    return quick(cell) if profile.name == "quick" else full(cell)


def quick(cell: Make) -> list[Cell]:
    n = 20_000
    found = [cell(name, n) for name in SETS if name != "uniform"]
    found += [cell("uniform", n, 3, 40, "parts", "backward"), *recorded(cell)]
    found += [cell("uniform", m, 3, 40, "threads") for m in (1_000, 10_000)]
    found += [cell("uniform", 50_000, 3, 40, "threads", "memory")]
    found += [cell("uniform", 100_000, 3, 40, "threads")]
    found += [cell("uniform", 4_000, d) for d in (1, 2, 3, 4, 8, 16, 64)]
    found += [cell("clustered", n, 8), cell("uniform", n, 3, 1), cell("uniform", n, 3, 100)]
    found += [cell("uniform", 1_000, 3, 1), cell("uniform", 1_000, 256, 20)]
    found += [cell("uniform", 100_000, 3, 10, queries=10)]
    found += [cell("uniform", 100, 3, k) for k in (4, 16)]
    found += [cell("jets", 50_000, 3, k) for k in (8, 16)]
    found += [cell("tiny", 50_000, 3, 4), cell("uneven_events", n, 3, 16)]
    return [*found, cell("uniform", n, 3, 16, queries=n), cell("identical", 2_000, 3)]


def full(cell: Make) -> list[Cell]:
    n = 200_000
    found = [cell(name, n) for name in SETS if name != "uniform"]
    found += [cell("uniform", n, 3, 40, "parts", "backward", "threads", "memory")]
    found += recorded(cell)
    found += [
        cell(name, m, 3, 40, "threads")
        for name in ("uniform", "clustered")
        for m in (1_000, 10_000, 50_000, 1_000_000)
    ]
    found += [cell("uniform", n, d, 40, "memory", "threads") for d in (4, 8)]
    found += [cell("clustered", n, d, 40, "threads") for d in (4, 8)]
    found += [cell("uniform", 20_000, d) for d in (1, 2, 3, 4, 6, 8, 10, 12, 16, 32, 64, 128)]
    found += [cell("clustered", 20_000, d) for d in (4, 8, 16)]
    found += [cell("uniform", 5_000, 256, 20), cell("uniform", 1_000, 3, 1)]
    found += [cell("uniform", m, 3, 10, queries=10) for m in (100_000, 1_000_000)]
    found += [cell("uniform", 100, 3, k) for k in (4, 16)]
    found += [cell("uniform", n, 3, k) for k in (1, 8, 16, 64, 100, 1000)]
    found += [cell("jets", 50_000, 3, k) for k in (8, 16)]
    found += [cell("tiny", n, 3, 4), cell("uneven_events", n, 3, 16)]
    return [*found, cell("uniform", n, 3, 16, queries=n), cell("identical", n, 3)]


def recorded(cell: Make) -> list[Cell]:
    return [cell("event", 0)] if events().is_dir() else []


def prepare(cell: Cell, profile: Profile) -> Prepared:
    problem = problem_of(cell)
    d = problem.points.shape[1]
    facts = own.work(problem)
    facts["multiply_adds"] = facts["candidates"] * problem.n_queries * d
    return Prepared(contenders_of("knn", cell, problem, profile), len(problem.points), facts)
