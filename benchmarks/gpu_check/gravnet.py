"""GravNet on the GPU: its aggregation forward and backward, the transposed graph, hubs, the talk's
network, and the memory that they take. Results are checked before they are timed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch

import hitgraph
from benchmarks import gravnet_model
from benchmarks.peak_memory import aggregate_peak_on_gpu

from .findings import write
from .gravnet_problem import (
    TOLERANCE,
    Problem,
    aggregate,
    differentiate,
    gradient_error,
    random_grads,
    same_bits,
    searched_problem,
    wrong_rows,
)
from .timing import Call, captured, copy_bandwidth, milliseconds, peak_bytes, timed

K = 64
GOALS = {"forward": 0.5, "backward": 1.5}  # milliseconds, at 200k points and 32 channels
MODEL_GOAL = 10.0  # milliseconds, at 200k hits without gradients
COMPILING = 40.0  # seconds that must be left to begin it


class Cell(NamedTuple):
    """One graph of which everything is measured."""

    n: int
    channels: int
    index_dtype: torch.dtype = torch.int64
    hubs: bool = False

    def describe(self) -> dict[str, Any]:
        """What findings say of it."""
        index = str(self.index_dtype).removeprefix("torch.")
        return {"n": self.n, "channels": self.channels, "index": index, "hubs": self.hubs}


CELLS = (
    Cell(200_000, 32),
    Cell(200_000, 32, hubs=True),
    Cell(200_000, 32, torch.int32),
    Cell(200_000, 128),
    Cell(50_000, 32),
    Cell(50_000, 32, hubs=True),
    Cell(50_000, 128),
)


class Work(NamedTuple):
    """A call to time: what it is wrong in, and the fewest bytes it has to move."""

    what: str
    call: Call
    check: Callable[[], dict[str, Any]]
    nbytes: int


def nbytes(*tensors: torch.Tensor) -> int:
    """Of all of these."""
    return sum(tensor.nbytes for tensor in tensors)


def works(problem: Problem) -> Iterator[Work]:
    """Forward, backward by features and values with the transposed graph given, and that graph."""
    features, index, values, _ = problem
    there = problem.to("cpu")
    results, grads = aggregate(problem), random_grads(problem)
    transposed = hitgraph.transpose_graph(index, len(features))

    def check_forward() -> dict[str, Any]:
        pairs = zip(results, aggregate(there), strict=True)
        same = all(same_bits(got, expected) for got, expected in pairs)
        wrong = wrong_rows(problem, results)
        return {"wrong": wrong + (not same), "wrong_of_200": wrong, "bits_of_the_cpu": same}

    moved = nbytes(features, index, values, *results)
    yield Work("forward", lambda: aggregate(problem), check_forward, moved)

    def check_backward() -> dict[str, Any]:
        found, again = (differentiate(problem, results, grads, transposed) for _ in range(2))
        same = all(same_bits(a, b) for a, b in zip(found, again, strict=True))
        error = gradient_error(problem, results, grads, found)
        wrong = (not error <= TOLERANCE) + (not same)
        return {"wrong": wrong, "gradient_error": error, "deterministic": same}

    graph = transposed.offsets, transposed.edges  # there is no order on a GPU
    moved = nbytes(features, index, values, *grads, results.slot, *graph, features, values)
    yield Work(
        "backward",
        lambda: differentiate(problem, results, grads, transposed),
        check_backward,
        moved,
    )

    def check_transposed() -> dict[str, Any]:
        expected = hitgraph.transpose_graph(there.index, len(features))
        made = expected.offsets, expected.edges
        same = all(same_bits(a, b) for a, b in zip(graph, made, strict=True))
        return {"wrong": int(not same)}

    yield Work(
        "transpose",
        lambda: hitgraph.transpose_graph(index, len(features)),
        check_transposed,
        nbytes(index, *graph),
    )


def measure(cell: Cell, bandwidth: float) -> Iterator[dict[str, Any]]:
    """The findings of one graph, one after the other."""
    about = cell.describe()
    goals = GOALS if (cell.n, cell.channels, cell.hubs) == (200_000, 32, False) else {}
    try:
        problem = searched_problem(
            cell.n, K, cell.channels, "cuda", index_dtype=cell.index_dtype, hubs=cell.hubs
        )
        all_work = list(works(problem))
    except Exception as failure:
        yield {**about, "what": "search", "error": repr(failure)[:500]}
        return
    for work in all_work:
        finding = {**about, "what": work.what, "goal_ms": goals.get(work.what)}
        try:
            finding |= work.check()
            finding |= timed(work.call)
            finding |= {"bytes": work.nbytes, "peak_mb": peak_bytes(work.call) / 1e6}
            finding["share"] = work.nbytes / bandwidth / (finding["graph_ms"] / 1e3)
        except Exception as failure:  # the others must not be lost
            finding["error"] = repr(failure)[:500]
        yield finding


def measure_model(n: int, mode: str, form: str = "eager") -> dict[str, Any]:
    """The talk's network at one size: its milliseconds, of a CUDA graph, too, and its memory."""
    case = gravnet_model.Case("cuda", n, mode)
    goal = MODEL_GOAL if (n, mode) == (200_000, "no grad") else None
    finding: dict[str, Any] = {"n": n, "mode": mode, "form": form, "goal_ms": goal}
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    found = gravnet_model.measure(case, (form,), 7)[form]
    finding["peak_mb"] = (torch.cuda.max_memory_allocated() - before) / 1e6
    if "skipped" in found:
        return {**finding, "error": found["skipped"]}
    finding["all_ms"] = [1e3 * seconds for seconds in found["seconds"]]
    finding["ms"] = sorted(finding["all_ms"])[len(finding["all_ms"]) // 2]
    if mode == "no grad" and form == "eager":
        step = gravnet_model.make_step(case, form)
        step()
        graph = captured(step)
        milliseconds(graph.replay, 3)
        finding["graph_ms"] = sorted(milliseconds(graph.replay, 7))[3]
    return finding


def measure_models(seconds_left: Callable[[], float]) -> Iterator[dict[str, Any]]:
    """Every size, the largest first; compiled at the largest if there is time."""
    sizes = sorted(gravnet_model.SIZES, reverse=True)
    runs = [(n, mode, "eager") for n in sizes for mode in gravnet_model.MODES]
    for n, mode, form in [*runs, *((sizes[0], mode, "compiled") for mode in gravnet_model.MODES)]:
        if form == "compiled" and seconds_left() < COMPILING:
            return
        try:
            yield measure_model(n, mode, form)
        except Exception as failure:
            yield {"n": n, "mode": mode, "form": form, "error": repr(failure)[:500]}


def main(file: Path, seconds: float) -> int:
    end = time.monotonic() + seconds
    bandwidth = copy_bandwidth()
    cells: list[dict[str, Any]] = []
    models: list[dict[str, Any]] = []
    findings: dict[str, Any] = {"bandwidth": bandwidth, "cells": cells, "models": models}
    for cell in CELLS:
        for finding in measure(cell, bandwidth):
            cells.append(finding)
            write(file, findings)
        torch.cuda.empty_cache()
    findings["peak"] = aggregate_peak_on_gpu(200_000, K, 32)
    for finding in measure_models(lambda: end - time.monotonic()):
        models.append(finding)
        write(file, findings)
    # A missing compiler is no fault of what is measured here.
    needed = [*cells, *(model for model in models if model["form"] == "eager")]
    return 1 if any("error" in f or f.get("wrong") for f in needed) else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), float(sys.argv[2])))
