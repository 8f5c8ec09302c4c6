"""The benchmark of the talk's model as its user runs it: small, and where it cannot compile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("matplotlib", reason="the benchmark draws with matplotlib")

ROOT = Path(__file__).resolve().parents[2]


def run(module: str, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, **environment},
    )


def rows(table: str) -> list[list[str]]:
    lines = [line for line in table.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_small(tmp_path: Path) -> None:
    results, picture = tmp_path / "new" / "results.json", tmp_path / "picture.png"
    arguments = ["--sizes", "40", "1500", "--devices", "cpu", "--repeats", "2", "--no-compile"]
    timed = run("gravnet_model", *arguments, "--output", results, "--plot", picture)
    assert timed.returncode == 0, timed.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")

    content = json.loads(results.read_text())
    for fact in ("hitgraph", "torch", "commit", "cpu", "threads"):
        assert content["environment"][fact]
    cases = [(case["device"], case["n"], case["mode"]) for case in content["cases"]]
    assert cases == [("cpu", n, mode) for n in (40, 1500) for mode in ("no grad", "with grad")]
    for case in content["cases"]:
        assert list(case["forms"]) == ["eager"]
        assert len(case["forms"]["eager"]["seconds"]) == 2

    head, *body = rows(timed.stdout)
    assert head == ["hits", "no grad, eager", "with grad, eager"]
    assert [row[0] for row in body] == ["40", "1 500"]
    assert all(float(cell) > 0 for row in body for cell in row[1:])

    again = run("report_gravnet_model", results, "--plot", tmp_path / "again.png")
    assert again.stdout == timed.stdout
    assert (tmp_path / "again.png").read_bytes() == picture.read_bytes()


def test_without_a_compiler_says_so(tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    timed = run(
        "gravnet_model",
        *("--sizes", "40", "--devices", "cpu", "--repeats", "1", "--plot", picture),
        CXX="/absent",
        TORCHINDUCTOR_CACHE_DIR=str(tmp_path / "cache"),
    )
    assert timed.returncode == 0, timed.stderr
    head, row = rows(timed.stdout)
    assert head[2] == "no grad, compiled" and head[4] == "with grad, compiled"
    assert row[2] == row[4] == "–" and float(row[1]) > 0 and float(row[3]) > 0
    for mode in ("no grad", "with grad"):
        assert f"- cpu, 40 hits, {mode}, compiled: " in timed.stdout
    assert picture.is_file()


@pytest.mark.parametrize("arguments", [("--repeats", "0"), ("--sizes", "-4"), ("--sizes", "many")])
def test_bad_option(arguments: tuple[str, ...]) -> None:
    result = run("gravnet_model", *arguments)
    assert result.returncode == 2 and "Traceback" not in result.stderr


def test_the_aggregation_beside_its_peers() -> None:
    script = (
        "from benchmarks import aggregate\n"
        "samples = aggregate.in_turns(aggregate.aggregation_steps(300, 8, 5), 2, 1e-4)\n"
        "hubs = aggregate.aggregation_steps(300, 8, 5, 'hubs')['hitgraph']\n"
        "aggregate.in_turns(aggregate.aggregation_steps(300, 8, 5, 'ordered'), 1, 1e-4)\n"
        "print(sorted(samples), all(len(s) == 2 for s in samples.values()), len(hubs()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    names = ["embedding", "hitgraph", "hitgraph, transposing", "indexing"]
    assert done.stdout.split("\n")[0] == f"{names} True 4", done.stderr


def test_a_wrong_peer_is_not_timed() -> None:
    script = (
        "from benchmarks import aggregate\n"
        "steps = aggregate.aggregation_steps(300, 8, 5)\n"
        "right = steps['embedding']\n"
        "steps['embedding'] = lambda: tuple(2 * x for x in right())\n"
        "aggregate.in_turns(steps, 1, 1e-4)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode != 0 and "embedding: " in done.stderr and "differ" in done.stderr


def test_the_committed_table_is_drawn_from_its_samples() -> None:
    shown = run("aggregate", "--show", ROOT / "benchmarks" / "results" / "aggregate.json")
    assert shown.returncode == 0, shown.stderr
    table = [line for line in shown.stdout.splitlines() if line.startswith("| ")]
    document = (ROOT / "docs" / "benchmarks.md").read_text()
    assert len(table) > 10 and all(line in document for line in table)
