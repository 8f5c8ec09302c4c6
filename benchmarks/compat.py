"""hitgraph in torch-cluster's place beside torch-cluster, on the CPU.

    python -m benchmarks.compat [--n 200000] [--rounds 5] [--output JSON]
    python -m benchmarks.compat --show JSON

The same calls of both, with the same arguments: what torch_cluster.knn, knn_graph and radius return
is an edge list. Float32, medians of rounds in which the two take turns; the distances of the edges
are compared before anything is timed. A round times a call as often as a tenth of a second allows.
"""

from __future__ import annotations

import math
import os
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

import hitgraph
import hitgraph.compat.torch_cluster as own

from .command import command
from .environment import environment

EVENTS = Path(os.environ.get("HITGRAPH_EVENTS", Path(__file__).parents[1] / "../shared/data/hgcal"))
ROUND = 0.1  # seconds
Call = Callable[[ModuleType], Tensor]  # of the module whose function is called


def points(name: str, n: int, d: int) -> Tensor:
    """Of the library's own registry."""
    return torch.from_numpy(hitgraph.datasets.points(name, n, d, 1))


def radius_of(x: Tensor, neighbours: int) -> float:
    """Within which a sample of points has so many others in the mean."""
    sample = x[torch.randperm(len(x), generator=torch.Generator().manual_seed(0))[:1000]]
    low, high = 0.0, float((x.max(0).values - x.min(0).values).norm())
    for _ in range(40):
        middle = (low + high) / 2
        found = own.radius(x, sample, middle, max_num_neighbors=10 * neighbours).shape[1]
        low, high = (middle, high) if found < (neighbours + 1) * len(sample) else (low, middle)
    return low


def call_of(function: str, *arguments: Any, **named: Any) -> Call:
    """A function of either module with these arguments."""
    return lambda module: getattr(module, function)(*arguments, **named)


def cases(n: int) -> dict[str, tuple[Tensor, Call]]:
    """The points of a case, and its call."""
    found: dict[str, tuple[Tensor, Call]] = {}
    for name in ("uniform", "clustered"):
        for d in (3, 4):
            x = points(name, n, d)
            for k in (16, 40):
                case = f"knn, {name}, N = {n:,}, d = {d}, k = {k}"
                found[case] = x, call_of("knn", x, x, k)
    if EVENTS.is_dir():
        event = hitgraph.datasets.read_event(EVENTS / "event_0.npy").position
        x = torch.from_numpy(event).contiguous()
        for k in (16, 40):
            found[f"knn, recorded event, N = {len(x):,}, k = {k}"] = x, call_of("knn", x, x, k)
        found["knn_graph, recorded event, k = 16"] = x, call_of("knn_graph", x, 16)
    x = points("uniform", n, 3)
    other = x.flip(0).contiguous()
    found[f"knn of another set, N = {n:,}, d = 3, k = 16"] = x, call_of("knn", x, other, 16)
    for name in ("uniform", "clustered"):
        x = points(name, n, 3)
        case = f"radius, {name}, N = {n:,}, d = 3, 30 neighbours in the mean"
        found[case] = x, call_of("radius", x, x, radius_of(x, 30), max_num_neighbors=n)
    jets = torch.arange(1000).repeat_interleave(50)
    x = points("uniform", len(jets), 3)
    for k in (8, 16):
        found[f"knn, 1000 jets of 50, k = {k}"] = x, call_of("knn", x, x, k, jets, jets)
    return found | small_cases()


def small_cases() -> dict[str, tuple[Tensor, Call]]:
    """100 points: what a call costs."""
    x = points("uniform", 100, 3)
    halves = torch.arange(2).repeat_interleave(50)
    return {
        "100 points: knn, k = 4": (x, call_of("knn", x, x, 4)),
        "100 points: knn, k = 16": (x, call_of("knn", x, x, 16)),
        "100 points in 2 graphs: knn_graph, k = 4": (x, call_of("knn_graph", x, 4, halves)),
        "100 points: radius": (x, call_of("radius", x, x, radius_of(x, 5))),
    }


def check(case: str, x: Tensor, edges: list[Tensor]) -> None:
    """Edges of both have the same distances, row by row.

    Raises:
        RuntimeError: they do not.
    """
    if "another set" in case:  # its queries are x the other way round
        edges = [torch.stack([len(x) - 1 - e[0], e[1]]) for e in edges]
    sums = []
    for found in edges:
        length = (x[found[0]].double() - x[found[1]]).square().sum(1)
        query = found[1 if "knn_graph" in case else 0]
        sums.append(torch.zeros(len(x), dtype=torch.float64).index_add_(0, query, length))
    # Where points coincide, torch-cluster's knn_graph may have an edge too many, of no length.
    if "knn_graph" not in case and edges[0].shape != edges[1].shape:
        raise RuntimeError(f"{case}: {edges[0].shape[1]} and {edges[1].shape[1]} edges")
    if not torch.allclose(sums[0], sums[1], rtol=1e-4, atol=1e-6 * float(sums[0].max())):
        raise RuntimeError(f"{case}: the edges differ")


def seconds_of(call: Callable[[], Tensor]) -> float:
    """Of one call, in the mean over as many as a round holds."""
    begin = time.perf_counter()
    call()
    once = time.perf_counter() - begin
    calls = max(1, math.ceil(ROUND / once)) if once < ROUND else 1
    if calls == 1 and once > ROUND:
        return once
    begin = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - begin) / calls


def run(n: int, rounds: int) -> dict[str, Any]:
    """Everything this file measures."""
    modules: dict[str, ModuleType] = {"hitgraph": own}
    try:
        import torch_cluster
    except ImportError:
        print("torch-cluster is not installed: hitgraph alone")
    else:
        modules["torch-cluster"] = torch_cluster
    results: dict[str, Any] = {"environment": environment(), "cases": {}}
    for case, (x, call) in cases(n).items():
        edges = [call(module) for module in modules.values()]
        if len(edges) > 1:
            check(case, x, edges)
        del edges
        samples: dict[str, list[float]] = {name: [] for name in modules}
        for _ in range(rounds):
            for name, module in modules.items():
                samples[name].append(seconds_of(partial(call, module)))
        results["cases"][case] = samples
    return results


def markdown(results: dict[str, Any]) -> str:
    """The results as a table."""
    threads = results["environment"]["threads"]
    lines = [
        f"| float32, {threads} threads | hitgraph, ms | torch-cluster, ms | ratio |",
        "|---|---|---|---|",
    ]
    for case, samples in results["cases"].items():
        mine = statistics.median(samples["hitgraph"])
        cells = [case, f"{mine * 1e3:.3g}", "absent", ""]
        if "torch-cluster" in samples:
            theirs = statistics.median(samples["torch-cluster"])
            cells[2:] = [f"{theirs * 1e3:.3g}", f"{theirs / mine:.1f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


SIZES = {"n": (200_000, "points of the large cases"), "rounds": (5, "timed rounds of each")}


def main(arguments: list[str] | None = None) -> None:
    command(__doc__, run, markdown, SIZES, arguments)


if __name__ == "__main__":
    main()
