"""What a fault is: a piece of a file, which must occur, what stands there instead, and what is said
of it: the kind of a violation, or rows that differ from the CPU's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Fault(NamedTuple):
    file: str  # from csrc/core/cuda on
    there: str
    instead: str
    said: tuple[str, ...]  # one of them; nothing: the program is right
    probe: str


def probed_by(probe: str) -> Callable[..., Fault]:
    def fault(file: str, there: str, instead: str, *said: str) -> Fault:
        return Fault(file, there, instead, said, probe)

    return fault
