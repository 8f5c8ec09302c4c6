"""A run: which cells, in which order, in one file that is whole whenever the run is cut off."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from .cells import Cell, Group, Profile
from .environment import environment
from .measure import measure, reason
from .method.ceilings import ceilings
from .peers import PEERS
from .peers.layers import LAYERS

SCHEMA = "hitgraph benchmark 1"
Results = dict[str, Any]
SAME = ("hitgraph", "commit", "torch", "cpu", "gpu", "threads")
"""What must not change between a run and its continuation."""


def fresh(profile: Profile, devices: Iterable[str], cells: Iterable[Cell]) -> Results:
    """Results before the first cell."""
    return {
        "schema": SCHEMA,
        "profile": profile.name,
        "began": now(),
        "ended": None,
        "environment": environment(),
        "ceilings": {device: ceilings(device) for device in devices},
        "peers": {peer.name: known(peer.version(), peer.install) for peer in (*PEERS, *LAYERS)},
        "seconds": 0.0,
        "left": [cell.key for cell in cells],
        "cells": [],
    }


def known(version: str | None, install: str) -> dict[str, str]:
    return {"install": install} if version is None else {"version": version}


def now() -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())


def read(file: Path) -> Results:
    """Results of an earlier run.

    Raises:
        ValueError: the file holds something else.
    """
    try:
        results: Results = json.loads(file.read_text())
    except json.JSONDecodeError as error:
        raise ValueError(f"benchmarks: {file} is not JSON: {error}") from error
    if not isinstance(results, dict) or results.get("schema") != SCHEMA:
        raise ValueError(f"benchmarks: expected {file} to be of schema {SCHEMA!r}")
    return results


def write(file: Path, results: Results) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".part")
    beside.write_text(json.dumps(rounded(results), indent=1) + "\n")
    os.replace(beside, file)


def rounded(values: Any) -> Any:
    """Numbers with six digits: more is noise, and files are kept in the repository."""
    if isinstance(values, float):
        return float(f"{values:.6g}")
    if isinstance(values, dict):
        return {key: rounded(value) for key, value in values.items()}
    return [rounded(value) for value in values] if isinstance(values, list) else values


def resumed(file: Path, profile: Profile) -> Results:
    """An unfinished run, to be continued by the same program on the same machine.

    Raises:
        ValueError: it is another's.
    """
    results = read(file)
    if results["profile"] != profile.name:
        raise ValueError(f"benchmarks: {file} is a run of --{results['profile']}")
    here = environment()
    for fact in SAME:
        before = results["environment"].get(fact)
        if before != here.get(fact):
            raise ValueError(f"benchmarks: {file} has {fact} {before!r}, here it is {here[fact]!r}")
    return results


def run(
    results: Results,
    cells: list[Cell],
    groups: dict[str, Group],
    profile: Profile,
    file: Path,
    advance: Callable[[Cell], None] = lambda cell: None,
) -> bool:
    """Measures what is not there yet; whether nothing is left. Ctrl-C loses the current cell alone.

    Args:
        results: to which cells are added.
        cells: all that the run should have.
        groups: by name.
        profile: how much effort.
        file: written after every cell.
        advance: told of every finished cell.
    """
    done = {cell["key"] for cell in results["cells"]}
    todo = [cell for cell in cells if cell.key not in done]
    before, began = results["seconds"], time.monotonic()
    try:
        for cell in todo:
            if time.monotonic() - began > profile.limit:
                break
            results["cells"].append(one(groups[cell.group], cell, profile))
            results["left"] = [key for key in results["left"] if key != cell.key]
            results["seconds"] = before + time.monotonic() - began
            write(file, results)
            advance(cell)
    except KeyboardInterrupt:
        pass
    results["ended"] = None if results["left"] else now()
    write(file, results)
    return not results["left"]


def one(group: Group, cell: Cell, profile: Profile) -> dict[str, Any]:
    """A measured cell; where even its inputs cannot be made, why."""
    began = time.monotonic()
    try:
        found = measure(cell, group.prepare(cell, profile), profile)
        return {**found, "took": time.monotonic() - began}
    except Exception as error:  # say, memory: the other cells must not be lost
        failed = {"key": cell.key, "group": cell.group, "device": cell.device, "case": cell.case}
        sizes = {"n": cell.n, "sizes": dict(cell.sizes), "facts": {}, "entries": {}}
        return {**failed, **sizes, "failed": reason(error)}
