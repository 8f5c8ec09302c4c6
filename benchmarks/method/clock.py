"""Seconds of calls that take turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch

Call = Callable[[], object]


class Effort(NamedTuple):
    """How often a call is timed.

    Attributes:
        rounds: turns of every call.
        burst: seconds of one turn; a shorter call is repeated within its turn, 20 times at most.
        enough: seconds after which a call is not given another turn; a call that takes longer is
            made once.
    """

    rounds: int
    burst: float
    enough: float


def synchronize(device: str) -> None:
    if device != "cpu":
        torch.cuda.synchronize()


def seconds_of(call: Call, device: str = "cpu") -> float:
    """Of one call, until the device has finished it."""
    synchronize(device)
    begin = time.perf_counter()
    call()
    synchronize(device)
    return time.perf_counter() - begin


def turn(call: Call, effort: Effort, device: str = "cpu") -> list[float]:
    """Seconds of the calls of one turn, after one that does not count.

    Memory fresh from the system, caches that another library has filled and threads that sleep
    would be most of a short call, here as in no training loop. A call so long that it is made once
    pays for them, and hardly notices.

    Calls too short for the clock are timed ten together.
    """
    first = seconds_of(call, device)
    if first > effort.enough:
        return [first]
    together = 10 if first < 1e-4 else 1
    repeats = max(1, min(20, round(effort.burst / max(first * together, 1e-9))))

    def several() -> None:
        for _ in range(together):
            call()

    return [seconds_of(several, device) / together for _ in range(repeats)]


def in_turns(
    calls: Mapping[str, Call], effort: Effort, device: str = "cpu"
) -> dict[str, list[float] | Exception]:
    """Samples of every call; the calls take turns, so that a slow minute of the machine hits all.

    A call that fails loses its samples and gives the error; the others go on.
    """
    samples: dict[str, list[float] | Exception] = {name: [] for name in calls}
    spent = dict.fromkeys(calls, 0.0)
    for _ in range(effort.rounds):
        for name, call in calls.items():
            found = samples[name]
            if isinstance(found, Exception) or spent[name] > effort.enough:
                continue
            begin = time.perf_counter()
            try:
                found += turn(call, effort, device)
            except Exception as error:  # out of memory is a result, too
                samples[name] = error
            spent[name] += time.perf_counter() - begin
    return samples
