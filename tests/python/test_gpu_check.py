"""What tools/gpu_check does without a GPU: it refuses; and its comparisons, CPU against CPU."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from benchmarks.gpu_check import bits, condensation, edge_conv, gravnet, gravnet_bits, report, small
from benchmarks.gpu_check.__main__ import STAGES
from benchmarks.gpu_check.gravnet_problem import (
    aggregate,
    differentiate,
    gradient_error,
    random_grads,
    random_problem,
    same_bits,
    searched_problem,
    wrong_rows,
)
from benchmarks.peak_memory import aggregate_bytes, aggregate_on

import hitgraph

ROOT = Path(__file__).resolve().parents[2]


def test_stages_take_ten_minutes_at_most() -> None:
    assert sum(seconds for seconds, _ in STAGES.values()) <= 600


@pytest.mark.parametrize("arguments", [[], ["--stages", "gravnet"], ["--stages", "no"]])
def test_without_a_gpu_it_says_so(arguments: list[str]) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    command = [sys.executable, "-m", "benchmarks.gpu_check", *arguments]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert run.returncode == 2 and "Traceback" not in run.stderr
    assert ("expected stages of" if "no" in arguments else "expected a GPU") in run.stderr


@pytest.mark.parametrize("case", [case for case in gravnet_bits.cases() if case.k in (7, 256)][::5])
def test_the_cpu_has_its_own_bits(case: gravnet_bits.Case) -> None:
    assert gravnet_bits.same(case, "cpu")


def test_special_values_and_small_calls() -> None:
    assert gravnet_bits.special_values("cpu")
    small.small_aggregations("cpu")
    small.small_edge_convolutions("cpu")
    small.small_condensations("cpu")


def test_searches_and_layers_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("normal", "surface", "tight"):
        x = edge_conv.cloud(kind, 400, 16)
        assert edge_conv.same_rows(x, edge_conv.splits_of(4, 100), "cpu")
        assert edge_conv.same_rows(x, edge_conv.splits_of(1, 400), "cpu")
    for training in (False, True):
        assert edge_conv.layer_error(3, 5, training, "cpu") == 0
    right = hitgraph.knn
    wrong: list[int] = []

    def second_is_wrong(*arguments: Any, **options: Any) -> Any:
        wrong.append(1)
        found = right(*arguments, **options)
        return found._replace(index=found.index.flip(0)) if len(wrong) % 2 == 0 else found

    monkeypatch.setattr(hitgraph, "knn", second_is_wrong)
    assert not edge_conv.same_rows(x, edge_conv.splits_of(4, 100), "cpu")


@pytest.mark.parametrize("space", [*condensation.SPACES, "lattice"])
def test_condensation_is_compared(space: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = condensation.event(space, [300, 0, 200], 12, torch.float32)
    for repulsion in ("hinge", "exponential"):
        assert condensation.sum_error(given, repulsion) <= 1e-6
    options = {"distance_threshold": 0.5, "assignment": "nearest"}
    assert condensation.same_clusters(given, "cpu", given.scale, options)
    assert len(condensation.loss_and_gradients("talk", given)) == 8
    right = hitgraph.condensate
    calls: list[int] = []

    def second_is_wrong(*arguments: Any, **changes: Any) -> Any:
        calls.append(1)
        found = right(*arguments, **changes)
        return found._replace(label=found.label - len(calls))

    monkeypatch.setattr(hitgraph, "condensate", second_is_wrong)
    assert not condensation.same_clusters(given, "cpu", None, options)


@pytest.mark.parametrize("wrong", range(6))
def test_wrong_sums_are_seen(wrong: int, monkeypatch: pytest.MonkeyPatch) -> None:
    given = condensation.event("clusters", [400], 12, torch.float32)
    right = condensation.dense

    def off(*arguments: Any) -> Any:
        truth, absolute = right(*arguments)
        truth[wrong] = truth[wrong] * (1 + 3e-5)
        return truth, absolute

    monkeypatch.setattr(condensation, "dense", off)
    assert condensation.sum_error(given, "exponential") > 1e-6


def test_condensation_report() -> None:
    loss = {"name": "loss paper", "ms": 7.5, "goal_ms": 10.0, "peak_mb": 60.0, "error": 1e-12}
    sums = {"name": "sums", "ms": 1.0, "graph_ms": 0.5, "peak_mb": 3.0, "float32_error": 2e-7}
    clusters = {"name": "condensate", "ms": 2.0, "peak_mb": 1.0, "same": False}
    failed = {"name": "clusters", "failed": "no memory"}
    findings = [loss, {**sums, "kernels_us": {"sum_objects": 3.0}}, clusters, failed]
    stage = {"status": 1, "seconds": 1.0, "output": "", "findings": findings}
    table = report.text({"machine": {}, "stages": {"condensation": stage}})
    for words in ("from float64: 2.0e-07", "not the CPU's rows", "no memory", "sum_objects 3 us"):
        assert words in table, table


def test_edge_conv_report() -> None:
    times = {"infer": 4.0, "train": 12.0}
    models = [
        {"name": f"{model}, {mode}", "ms": ms / part, "peak_mb": 1.0}
        for mode, ms in times.items()
        for model, part in (("DGCNN", 1), ("GravNetModel", 2))
    ]
    search = {"name": "search", "ms": 1.0, "graph_ms": 1.0, "goal_ms": 0.5, "peak_mb": 1.0}
    findings = {
        "searches": [{**search, "same": False, "kernels_us": {"search_tiles": 1.0}}],
        "layers": [{"name": "layer", "failed": "no memory"}],
        "models": models,
    }
    lines = "\n".join(report.edge_conv_lines(findings))
    assert "not the CPU's rows" in lines and "no memory" in lines
    assert "DGCNN, infer: 2.0 times GravNetModel" in lines and "search_tiles 1 us" in lines


def test_every_case_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gravnet_bits, "same", lambda case, device: case.k != 16)
    findings: dict[str, bool] = {}
    bits.compare_aggregates(tmp_path / "findings.json", findings, "cpu")
    assert json.loads((tmp_path / "findings.json").read_text()) == findings
    assert len(findings) == 1 + len(set(gravnet_bits.cases()))
    assert {" k=16 " in case for case, same in findings.items() if not same} == {True}


def test_bits() -> None:
    numbers = torch.tensor([0.0, 1.0, torch.nan])
    assert same_bits(numbers, numbers.clone()) and same_bits(numbers, -numbers.neg())
    assert not same_bits(numbers, torch.tensor([-0.0, 1.0, torch.nan]))
    assert not same_bits(numbers, torch.tensor([0.0, 1.0 + 2**-23, torch.nan]))
    assert not same_bits(numbers, numbers.double())
    assert same_bits(numbers.half(), numbers.half()) and not same_bits(numbers, numbers[:2])


@pytest.mark.parametrize("hubs", [False, True])
def test_wrong_results_are_seen(hubs: bool) -> None:
    problem = searched_problem(500, 20, 8, "cpu", index_dtype=torch.int32, hubs=hubs)
    results, grads = aggregate(problem), random_grads(problem)
    assert wrong_rows(problem, results) == 0
    assert wrong_rows(problem, results._replace(total=results.total * (1 + 3e-6))) > 0
    assert wrong_rows(problem, results._replace(maximum=results.maximum + 1e-3)) > 0
    assert wrong_rows(problem, results._replace(slot=results.slot.flip(0) // 2)) > 0
    found = differentiate(problem, results, grads)
    assert gradient_error(problem, results, grads, found) <= 1e-6
    for name in ("features", "values"):
        other = found._replace(**{name: getattr(found, name) * (1 + 3e-6)})
        if getattr(found, name).any():
            assert gradient_error(problem, results, grads, other) > 1e-6
        lost = found._replace(**{name: getattr(found, name) * torch.nan})
        assert gradient_error(problem, results, grads, lost) == torch.inf


def test_checks_and_bytes_of_what_is_timed() -> None:
    problem = random_problem(300, 5, 200, 4)
    works = {work.what: work for work in gravnet.works(problem)}
    assert list(works) == ["forward", "backward", "transpose"]
    for work in works.values():
        work.call()
        found = work.check()
        assert found["wrong"] == 0 and "error" not in found
    edges, row = 300 * 5, 300 * 4
    graph = 4 * edges + 8 * 201
    assert works["forward"].nbytes == 200 * 16 + edges * 12 + row * (4 + 4 + 1)
    assert works["backward"].nbytes == 200 * 32 + edges * 16 + row * 9 + graph
    assert works["transpose"].nbytes == edges * 8 + graph


def test_the_memory_that_is_counted() -> None:
    n, k, f = 200, 6, 5
    inputs, run = aggregate_on("cpu", n, k, f)
    results = run()
    assert all(result.shape in ((n, f), (n, k)) for result in results) and len(results) == 4
    slots = n * f
    counted = sum(tensor.nbytes for tensor in (*inputs, *results)) + slots
    assert counted == aggregate_bytes(n, k, f)


def test_the_table_of_findings() -> None:
    even = {**gravnet.CELLS[0].describe(), "what": "backward", "goal_ms": 1.5, "wrong": 0}
    even |= {"ms": 1.25, "graph_ms": 1.0, "cold_ms": 1.1, "share": 0.25, "peak_mb": 7.0}
    even["kernels_us"] = {"sum_points": 500.0}
    hubs = {**even, "hubs": True, "graph_ms": 2.0}
    failed = {**gravnet.CELLS[2].describe(), "what": "search", "error": "no memory"}
    model = {"n": 200_000, "mode": "no grad", "form": "eager", "ms": 9.5, "peak_mb": 300.0}
    model |= {"goal_ms": 10.0, "graph_ms": 9.25}
    findings = {"bandwidth": 4e12, "cells": [even, hubs, failed], "models": [model], "peak": 1.25}
    stage = {"status": 0, "seconds": 1.0, "output": "", "findings": findings}
    table = report.text({"machine": {}, "stages": {"gravnet": stage}})
    for words in ("2.00 times without hubs", "no memory", "1.25 times", "sum_points 500 us"):
        assert words in table, table
    assert "backward n=200000 F=32 int64" in table and "9.500    9.250    10.0" in table
