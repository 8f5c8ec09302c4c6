"""The training examples as their user runs them, quickly: files, the table, bad options."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

for package in ("matplotlib", "rich", "tqdm"):
    pytest.importorskip(package, reason="the examples' own requirement")

ROOT = Path(__file__).resolve().parents[2]
NETWORKS = {"classify_shapes": "DGCNN", "classify_jets": "ParticleNet"}


def run(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "examples" / f"{name}.py", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "COLUMNS": "120"},
    )


def results_of(name: str, folder: Path, *arguments: str) -> tuple[dict[str, Any], str, str]:
    """The written numbers, what was printed and what was reported."""
    done = run(name, "--quick", "--output", folder, *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / f"{name}.json").read_text()), done.stdout, done.stderr


@pytest.mark.parametrize("name", NETWORKS)
def test_quick(name: str, tmp_path: Path) -> None:
    results, table, report = results_of(name, tmp_path)
    picture = tmp_path / f"{name}.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert 20_000 < picture.stat().st_size < 300_000
    assert list(results["networks"]) == [NETWORKS[name], "PointNet"]
    for network, outcome in results["networks"].items():
        assert len(outcome["test_accuracy"]) == results["plan"]["epochs"] == len(outcome["loss"])
        confusion = torch.tensor(outcome["confusion"])
        assert confusion.sum() == results["test_events"]
        share = confusion.trace().item() / results["test_events"]
        assert share == pytest.approx(outcome["test_accuracy"][-1])
        assert outcome["loss"][-1] < outcome["loss"][0], "it learns something"
        assert f"{share:.1%}" in table and network in table
        assert f"{network}:" in report and "<" in report  # the bar, with the time that is left
    shown = run(name, "--show", tmp_path / f"{name}.json")
    rows = [line for line in shown.stdout.splitlines() if line.startswith("| ")]
    assert [row.split(" | ")[0] for row in rows[1:]] == [f"| {n}" for n in results["networks"]]


def test_the_seed_decides(tmp_path: Path) -> None:
    def numbers(seed: str) -> dict[str, Any]:
        arguments = ("--epochs", "1", "--seed", seed, "--device", "cuda")
        results, _, report = results_of("classify_shapes", tmp_path, *arguments)
        if not torch.cuda.is_available():
            assert "finds no CUDA device: training on the CPU" in report
        return {name: {**net, "seconds": 0} for name, net in results["networks"].items()}

    first = numbers("3")
    if not torch.cuda.is_available():
        assert numbers("3") == first
    assert numbers("4") != first


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--output", "absent"), "the folder --output absent does not exist"),
        (("--show", "absent.json"), "absent.json"),
        (("--epochs", "0"), "--epochs at least 1"),
        (("--seed", "-1"), "--seed to be at least 0"),
    ],
)
def test_bad_options(arguments: tuple[str, ...], sentence: str) -> None:
    done = run("classify_shapes", *arguments)
    assert done.returncode == 2 and sentence in done.stderr and "Traceback" not in done.stderr
