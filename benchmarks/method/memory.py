"""Peak memory of one call."""

from __future__ import annotations

from collections.abc import Callable

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
