"""The cells that the design predicts, timed by CUDA events: eager, as a CUDA graph, and kernel by
kernel. Every cell's rows are compared with float64 distances on a sample before it is timed."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import Any, NamedTuple

import torch

import hitgraph
from hitgraph import datasets

from .findings import write
from .timing import captured, kernel_times, milliseconds, peak_bytes


class Cell(NamedTuple):
    name: str
    points: str
    n: int
    d: int
    k: int
    events: int = 1
    goal_ms: float | None = None


CELLS = (
    Cell("1M uniform", "uniform", 1_000_000, 3, 40, goal_ms=2.5),
    Cell("1M clustered", "clustered", 1_000_000, 3, 40, goal_ms=2.5),
    Cell("100 events of 10k", "uniform", 1_000_000, 3, 40, events=100),
    Cell("5M uniform", "uniform", 5_000_000, 3, 40, goal_ms=12),
    Cell("5M clustered", "clustered", 5_000_000, 3, 40, goal_ms=12),
    Cell("200k d=4 k=64", "uniform", 200_000, 4, 64, goal_ms=1.0),
    Cell("200k learned d=4 k=64", "learned", 200_000, 4, 64),
    Cell("1M k=30 (jz-tree: 14 ms on an A100)", "uniform", 1_000_000, 3, 30),
    Cell("1M normal (FastGraphCompute: 0.12 s)", "gauss", 1_000_000, 3, 40),
    Cell("1M energy, eta", "energy_eta", 1_000_000, 3, 40),
    Cell("1M lattice", "detector_lattice", 1_000_000, 3, 40),
    Cell("50k d=3 k=16", "uniform", 50_000, 3, 16),
    Cell("10k d=4 k=40", "uniform", 10_000, 4, 40),
    Cell("200k d=8", "uniform", 200_000, 8, 40),
    Cell("200k clustered d=8", "clustered", 200_000, 8, 40),
    Cell("200k k=1000", "uniform", 200_000, 3, 1000),
)


def wrong_rows(points: torch.Tensor, splits: torch.Tensor, found: Any, sample: int = 100) -> int:
    """Rows whose distances are not the k smallest, to float32's rounding, of a sample."""
    k = found.index.shape[1]
    rows = torch.randint(len(points), (sample,), device=points.device)
    event = torch.searchsorted(splits, rows, right=True) - 1
    wrong = 0
    for row, segment in zip(rows.tolist(), event.tolist(), strict=True):
        begin, end = int(splits[segment]), int(splits[segment + 1])
        difference = points[begin:end].double() - points[row].double()
        distances = (difference**2).sum(-1)
        distances[row - begin] = torch.inf
        truth = distances.topk(min(k, end - begin - 1), largest=False).values
        got = found.distance2[row, : len(truth)].double()
        wrong += not torch.allclose(got, truth, rtol=1e-5, atol=1e-30)
    return wrong


def measure(cell: Cell) -> dict[str, Any]:
    points = torch.as_tensor(datasets.points(cell.points, cell.n, cell.d, rng=1)).cuda()
    splits = torch.arange(0, cell.n + 1, cell.n // cell.events, device="cuda")

    def call() -> Any:
        return hitgraph.knn(points, cell.k, splits, index_dtype=torch.int32)

    found = call()
    result: dict[str, Any] = {**cell._asdict(), "wrong_of_100": wrong_rows(points, splits, found)}
    del found
    result["first_ms"] = milliseconds(call, 1)[0]
    result["peak_mb"] = peak_bytes(call) / 1e6
    repeats = 10 if result["first_ms"] > 50 else 30
    milliseconds(call, 3)
    times = milliseconds(call, repeats)
    result["ms"], result["all_ms"] = statistics.median(times), times
    result["int64_ms"] = statistics.median(
        milliseconds(lambda: hitgraph.knn(points, cell.k, splits), repeats)
    )
    graph = captured(call)
    milliseconds(graph.replay, 3)
    result["graph_ms"] = statistics.median(milliseconds(graph.replay, repeats))
    del graph
    result["kernels_us"] = kernel_times(call)
    total = sum(result["kernels_us"].values())
    search = sum(t for name, t in result["kernels_us"].items() if "search_groups" in name)
    result["build_share"] = 1 - search / total if total else None
    return result


def main(file: Path) -> int:
    findings = []
    for cell in CELLS:
        try:
            findings.append(measure(cell))
            torch.cuda.empty_cache()
        except Exception as problem:  # the other cells must not be lost
            findings.append({**cell._asdict(), "error": repr(problem)[:500]})
        write(file, findings)
    return 1 if any("error" in f or f["wrong_of_100"] for f in findings) else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
