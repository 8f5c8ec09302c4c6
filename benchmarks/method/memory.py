"""Peak memory of one call, and a bound for all of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..gpu_check import timing
from ..peak_memory import peak_of


def peak(device: str, call: Callable[[], object], recipe: tuple[str, str] | None) -> int | None:
    """Bytes beyond what was there before.

    On the CPU resident memory, in a process of its own; on a GPU what torch's allocator holds,
    which does not see what other libraries allocate for themselves.

    Args:
        device: "cpu" or "cuda".
        call: what is called on the GPU.
        recipe: statements that prepare the call, and the call, for a process; None: not measured.
    """
    if device != "cpu":
        return timing.peak_bytes(call)
    return None if recipe is None else peak_of(*recipe)


def available() -> int | None:
    """Bytes that this process could still use, of the machine or of its share; known on Linux."""
    meminfo = Path("/proc/meminfo")
    if not meminfo.is_file():
        return None
    lines = dict(line.split(":") for line in meminfo.read_text().splitlines())
    found = 1024 * int(lines["MemAvailable"].split()[0])
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        most, now = (Path("/sys/fs/cgroup", name) for name in (limit, used))
        if most.is_file() and now.is_file() and most.read_text().strip() != "max":
            found = min(found, int(most.read_text()) - int(now.read_text()))
    return found


@contextmanager
def at_most(limit: int | None) -> Iterator[None]:
    """Within it, the process has at most `limit` bytes of data. An allocation beyond them fails,
    which is a result of one library; the system would end the whole run instead, and after
    --resume once more. Linux only.
    """
    if limit is None or sys.platform != "linux":
        yield
        return
    import resource

    before, most = resource.getrlimit(resource.RLIMIT_DATA)
    known = [bound for bound in (limit, before, most) if bound != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(known), most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (before, most))
