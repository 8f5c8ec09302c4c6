"""What one measurement is: a cell, who contends in it, and what came out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from .method.clock import Effort
from .method.oracle import Verdict


@dataclass(frozen=True)
class Cell:
    """A table's row: one piece of work on one device, which several libraries do.

    Attributes:
        group: of `benchmarks.groups.GROUPS`.
        device: "cpu" or "cuda".
        case: what the points or the work are, within the group.
        n: points.
        sizes: the other numbers (d, k, f, …).
        extras: of "memory", "threads", "backward": what is measured besides the seconds.
        seconds: about how long it takes, for the progress bar.
    """

    group: str
    device: str
    case: str
    n: int
    sizes: Mapping[str, Any] = field(default_factory=dict)
    extras: frozenset[str] = frozenset()
    seconds: float = 2.0

    @property
    def key(self) -> str:
        """Names it in a file of results, within one profile and between runs."""
        sizes = "".join(f" {name}={value}" for name, value in self.sizes.items())
        return f"{self.group} {self.device} {self.case} n={self.n}{sizes}"


@dataclass
class Contender:
    """One library's way to do a cell's work.

    Attributes:
        call: what is timed.
        verdict: compares what the call returned with the truth.
        parts: pieces of the call that are timed apart, by name ("build", "search", "forward").
        threads: whether the call is timed on 1, 2, 4, … threads, too.
        recipe: statements for a process whose peak memory is measured: what comes before, the call.
        once: called before the first call, off the clock, say to compile.
    """

    call: Callable[[], Any]
    verdict: Callable[[Any], Verdict]
    parts: dict[str, Callable[[], Any]] = field(default_factory=dict)
    threads: bool = False
    recipe: tuple[str, str] | None = None
    once: Callable[[], Any] | None = None


Contenders = dict[str, "Contender | str"]
"""By name; a sentence instead says why a library that is there does not contend."""


@dataclass(frozen=True)
class Prepared:
    """A cell whose inputs are made."""

    contenders: Contenders
    n: int | None = None  # where only the input knows it
    facts: dict[str, float] = field(default_factory=dict)  # work and bytes, see docs/benchmarks


@dataclass(frozen=True)
class Profile:
    """How much is measured.

    Attributes:
        name: "quick", "full", "gpu" or "smoke".
        limit: seconds after which no further cell is begun; what is left can be resumed.
        effort: how often calls are timed.
        pairs: by device, what a library that compares every pair may have to compare.
        memory: whether peak memory is measured.
    """

    name: str
    limit: float
    effort: Effort
    pairs: Mapping[str, float]
    memory: bool = True


class Group(Protocol):
    """A module of `benchmarks.groups`."""

    def cells(self, profile: Profile, device: str) -> list[Cell]: ...

    def prepare(self, cell: Cell, profile: Profile) -> Prepared: ...
