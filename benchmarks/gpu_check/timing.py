"""Times of a GPU: by CUDA events, as a CUDA graph, kernel by kernel."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch

Call = Callable[[], object]


def milliseconds(call: Call, repeats: int, before: Call | None = None) -> list[float]:
    """Of each of these calls; what runs `before` each is queued, and not timed."""
    times = []
    for _ in range(repeats):
        if before is not None:
            before()
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        call()
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end))
    return times


def captured(call: Call) -> torch.cuda.CUDAGraph:
    """The call as a CUDA graph. What it returns lives as long as the graph's memory."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        call()
    return graph


def kernel_times(call: Call, repeats: int = 3) -> dict[str, float]:
    """Microseconds of every kernel, a call."""
    activities = [torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=activities) as profile:
        for _ in range(repeats):
            call()
        torch.cuda.synchronize()
    times: dict[str, float] = defaultdict(float)
    for event in profile.key_averages():
        name = event.key.replace("void ", "").replace("hitgraph::", "").split("(")[0]
        times[name[:60]] += event.device_time_total / repeats
    return dict(sorted(times.items(), key=lambda item: -item[1]))


def peak_bytes(call: Call) -> int:
    """What torch's allocator holds at most during a call, beyond what it held before."""
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    call()
    return torch.cuda.max_memory_allocated() - before


def timed(call: Call, repeats: int = 20) -> dict[str, Any]:
    """Eager, as a graph, as a graph whose inputs are not in the GPU's cache, and by kernels.

    What lies in the cache after the call before is not there when a layer's turn comes, and at a
    few tens of megabytes it makes a difference: `cold_ms` has the cache filled with other data.
    """
    result: dict[str, Any] = {"first_ms": milliseconds(call, 1)[0]}
    milliseconds(call, 3)
    result["all_ms"] = milliseconds(call, repeats)
    result["ms"] = statistics.median(result["all_ms"])
    graph = captured(call)
    milliseconds(graph.replay, 3)
    result["graph_ms"] = statistics.median(milliseconds(graph.replay, repeats))
    others = torch.empty(2**28, dtype=torch.uint8, device="cuda")
    cold = milliseconds(graph.replay, repeats, before=others.random_)
    result["cold_ms"] = statistics.median(cold)
    del graph, others
    result["kernels_us"] = kernel_times(call)
    return result


def copy_bandwidth(repeats: int = 10) -> float:
    """Bytes a second that a large copy reads and writes: what the memory gives."""
    source = torch.empty(2**30, dtype=torch.uint8, device="cuda").random_()
    target = torch.empty_like(source)
    milliseconds(lambda: target.copy_(source), 3)
    best = statistics.median(milliseconds(lambda: target.copy_(source), repeats))
    return 2 * source.nbytes / (best / 1e3)
