"""The demo as its user runs it: in a process of its own, on good and on bad input."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from recorded_events import recorded_event

pytest.importorskip("matplotlib", reason="the demo draws with matplotlib")
pytest.importorskip("rich", reason="the demo prints its table with rich")

ROOT = Path(__file__).resolve().parents[2]


def run(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The demo, run in `folder`."""
    return subprocess.run(
        [sys.executable, ROOT / "examples" / "demo.py", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        # A width at which no line of the table is broken.
        env={**os.environ, "COLUMNS": "120"},
    )


def value(table: str, name: str) -> str:
    """The entry of the table's row `name`."""
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip("│ ").split("│")]
        if cells[0] == name:
            return cells[1]
    raise AssertionError(f"no row {name!r} in\n{table}")


def assert_success(result: subprocess.CompletedProcess[str], picture: Path) -> None:
    assert result.returncode == 0, result.stderr
    assert value(result.stdout, "rows wrong") == "0"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert 20_000 < picture.stat().st_size < 600_000


def test_generated_event(tmp_path: Path) -> None:
    result = run(tmp_path, "--showers", "4", "--k", "8", "--seed", "3")
    assert_success(result, tmp_path / "demo.png")
    assert 200 < int(value(result.stdout, "hits")) < 10_000
    assert value(result.stdout, "k") == "8"
    assert value(result.stdout, "rows compared with brute force") == "1000"
    assert float(value(result.stdout, "candidates per query")) >= 8
    for name in ("graph, build and search", "GravNet layer backward"):
        assert value(result.stdout, name).endswith(" s")
    assert value(result.stdout, "peak memory of the process").endswith(" MB")


def test_recorded_event(tmp_path: Path) -> None:
    np.save(tmp_path / "part.npy", np.load(recorded_event(1))[::20])
    picture = tmp_path / "picture.png"
    result = run(tmp_path, "--event", "part.npy", "--output", picture, "--k", "10")
    assert_success(result, picture)


def test_event_with_fewer_hits_than_k(tmp_path: Path) -> None:
    table = np.random.default_rng(1).uniform(1.0, 2.0, (5, 9)).astype(np.float32)
    table[0, 6] = np.nan
    np.save(tmp_path / "tiny.npy", table)
    result = run(tmp_path, "--event", "tiny.npy")
    assert_success(result, tmp_path / "demo.png")
    assert value(result.stdout, "hits") == "4"
    assert "1 hits with NaN or inf left out" in result.stderr


def assert_one_sentence(result: subprocess.CompletedProcess[str], *parts: str) -> None:
    assert result.returncode == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1 and result.stderr.startswith("demo.py: ")
    for part in parts:
        assert part in result.stderr


def test_event_of_another_shape(tmp_path: Path) -> None:
    np.save(tmp_path / "bad.npy", np.zeros((5, 3), np.float32))
    result = run(tmp_path, "--event", "bad.npy")
    assert_one_sentence(result, "bad.npy", "shape (N, 9)", "got shape (5, 3)")


def test_event_of_another_format(tmp_path: Path) -> None:
    (tmp_path / "bad.npy").write_text("x, y, z\n")
    assert_one_sentence(run(tmp_path, "--event", "bad.npy"), "bad.npy", "another format")


def test_event_without_hits(tmp_path: Path) -> None:
    np.save(tmp_path / "bad.npy", np.zeros((0, 9), np.float32))
    assert_one_sentence(run(tmp_path, "--event", "bad.npy"), "at least one hit")


def test_absent_event(tmp_path: Path) -> None:
    assert_one_sentence(run(tmp_path, "--event", "absent.npy"), "absent.npy", "No such file")


def test_absent_folder_for_the_picture(tmp_path: Path) -> None:
    result = run(tmp_path, "--output", "absent/demo.png", "--showers", "4")
    assert_one_sentence(result, "absent/demo.png", "does not exist")


@pytest.mark.parametrize("arguments", [("--k", "0"), ("--k", "many"), ("--nosuch",)])
def test_bad_option(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    result = run(tmp_path, *arguments)
    assert result.returncode == 2 and "Traceback" not in result.stderr
    assert "at_least_one" not in result.stderr  # a name of the code's
