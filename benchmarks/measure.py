"""Measures a cell: correctness first, then time in turns, then threads and memory."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import torch

from .cells import Cell, Contender, Prepared, Profile
from .method.clock import in_turns, seconds_of
from .method.memory import peak
from .method.oracle import as_dict


def measure(cell: Cell, prepared: Prepared, profile: Profile) -> dict[str, Any]:
    """The cell as it stands in a file of results."""
    entries: dict[str, dict[str, Any]] = {}
    running: dict[str, Contender] = {}
    for name, contender in prepared.contenders.items():
        if isinstance(contender, str):
            entries[name] = {"status": "left out", "reason": contender}
            continue
        entries[name] = judged(contender, cell.device)
        if entries[name]["status"] == "right":
            running[name] = contender
    calls: dict[tuple[str, str], Callable[[], Any]] = {}
    for name, contender in running.items():
        first = entries[name].pop("first_call")
        if first > profile.effort.enough:
            keep(entries[name], "seconds", [first])
        else:
            calls[name, "seconds"] = contender.call
        calls |= {(name, part): call for part, call in contender.parts.items()}
        if contender.threads and "threads" in cell.extras and cell.device == "cpu":
            for threads in thread_numbers():
                calls[name, f"{threads} threads"] = on_threads(contender.call, threads)
    keyed = {f"{name}\n{what}": call for (name, what), call in calls.items()}
    for key, samples in in_turns(keyed, profile.effort, cell.device).items():
        name, what = key.split("\n")
        if isinstance(samples, Exception):
            entries[name] = {"status": "failed", "reason": reason(samples)}
        else:
            keep(entries[name], what, samples)
    if "memory" in cell.extras and profile.memory:
        for name, contender in running.items():
            measure_memory(cell, contender, entries[name])
    gc.collect()
    release(cell.device)
    return {
        "key": cell.key,
        "group": cell.group,
        "device": cell.device,
        "case": cell.case,
        "n": prepared.n or cell.n,
        "sizes": dict(cell.sizes),
        "facts": prepared.facts,
        "entries": entries,
    }


def judged(contender: Contender, device: str) -> dict[str, Any]:
    """Whether the first result is right, and the seconds of that call; or why there is none."""
    results = []
    try:
        if contender.once is not None:
            contender.once()
        first = seconds_of(lambda: results.append(contender.call()), device)
        verdict = contender.verdict(results.pop())
    except Exception as error:  # a peer's failure is a result
        return {"status": "failed", "reason": reason(error)}
    finally:
        release(device)
    found = {"status": "right", **as_dict(verdict), "first_call": first}
    if not verdict.right:
        del found["first_call"]
        found["status"] = "wrong"
    return found


def keep(entry: dict[str, Any], what: str, samples: list[float]) -> None:
    """Samples in their place of an entry, unless it has failed meanwhile."""
    if entry["status"] != "right":
        return
    if what == "seconds":
        entry["seconds"] = samples
    elif what.endswith(" threads"):
        entry.setdefault("threads", {})[what.split()[0]] = samples
    else:
        entry.setdefault("parts", {})[what] = samples


def thread_numbers() -> list[int]:
    """1, 2, 4, … and all."""
    most = torch.get_num_threads()
    return sorted({2**i for i in range(most.bit_length()) if 2**i <= most} | {most})


def on_threads(call: Callable[[], Any], threads: int) -> Callable[[], Any]:
    def limited() -> Any:
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            return call()
        finally:
            torch.set_num_threads(before)

    return limited


def measure_memory(cell: Cell, contender: Contender, entry: dict[str, Any]) -> None:
    if entry["status"] != "right":
        return
    try:
        found = peak(cell.device, contender.call, contender.recipe)
    except (RuntimeError, OSError) as error:
        entry["peak_reason"] = reason(error)
    else:
        if found is not None:
            entry["peak_bytes"] = found


def reason(error: Exception) -> str:
    """One line: the class of the error and the end of what it says."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1] if lines else ''}"[:300]


def release(device: str) -> None:
    """A GPU's memory, which the next library allocates by itself."""
    if device != "cpu":
        gc.collect()
        torch.cuda.empty_cache()
