"""The index and one query of every peer; hitgraph's whole index and none, since it has no call of
its own. And what the library itself takes: its size, the time to import it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import hitgraph

from ..cells import Cell, Contender, Contenders, Prepared, Profile
from ..method.oracle import Verdict
from ..peers import own, present
from ..peers.base import Peer
from ..problem import Problem
from .searches import judge, problem_of

SIZES = (1_000, 10_000, 100_000)


def cells(profile: Profile, device: str) -> list[Cell]:
    def cell(case: str, n: int, d: int = 3) -> Cell:
        return Cell("build", device, case, n, {"d": d, "k": 1})

    library = Cell("build", device, "import", 0, seconds=10)
    if profile.name == "smoke":
        return [cell("uniform", 300)]
    if profile.name == "gpu":
        return [cell("uniform", n) for n in (*SIZES, 1_000_000, 5_000_000)]
    sizes = (*SIZES, 1_000_000) if profile.name == "full" else SIZES
    found = [cell("uniform", n) for n in sizes]
    found += [cell(name, 100_000) for name in ("clustered", "detector_lattice", "identical")]
    return [*found, cell("uniform", 100_000, 1), cell("uniform", 100_000, 8), library]


def prepare(cell: Cell, profile: Profile) -> Prepared:
    if cell.case == "import":
        return importing()
    problem = problem_of(cell)
    found: Contenders = {}
    for peer in present():
        if peer.name == "hitgraph" or (peer.index and not peer.every_pair):
            why = peer.reason("knn", problem, cell.device, profile.pairs[cell.device])
            found[peer.name] = why or built(peer, problem)
    return Prepared(found)


def built(peer: Peer, problem: Problem) -> Contender:
    """The index and one query; judged by the neighbours of a few more."""
    few = replace(problem, k=5, queries=problem.points[:100])
    one = replace(problem, queries=problem.points[:1])

    def verdict(_: Any) -> Verdict:
        return judge(peer, "knn", few)(peer.call("knn", few)())

    call = own.build_alone(problem) if peer.name == "hitgraph" else peer.call("knn", one)
    return Contender(call, verdict)


def importing() -> Prepared:
    """A process that imports torch, and one that imports hitgraph as well."""

    def process(module: str) -> Contender:
        command = [sys.executable, "-c", f"import {module}"]
        return Contender(
            lambda: subprocess.run(command, check=True, capture_output=True),
            lambda done: Verdict(1.0, 0.0, done.returncode == 0),
        )

    folder = Path(hitgraph.__file__).parent
    size = sum(file.stat().st_size for file in folder.glob("*.so"))
    return Prepared(
        {"hitgraph": process("hitgraph"), "torch": process("torch")}, 0, {"bytes": size}
    )
