"""The examples that train: what they learn and write, and that they go on where they were."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

for _package in ("matplotlib", "rich", "tqdm", "scipy", "sklearn"):
    pytest.importorskip(_package)

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
sys.path.insert(0, str(EXAMPLES))
import reconstruct  # noqa: E402
import reconstruct_events  # noqa: E402
import reconstruct_model  # noqa: E402

from hitgraph.nn import ObjectCondensationLoss  # noqa: E402


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three epochs, as a user runs them."""
    folder = tmp_path_factory.mktemp("reconstruction")
    ran = run(folder, "reconstruct.py", "--quick", "--seed", "1", "--output", "out")
    assert ran.returncode == 0, ran.stderr
    assert "object condensation" in ran.stdout
    return folder / "out"


def run(folder: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, EXAMPLES / script, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
        # One thread: where cores are shared, two wait for each other at every small operation.
        env={**os.environ, "COLUMNS": "120", "OMP_NUM_THREADS": "1"},
    )


def test_three_epochs_reconstruct_better_than_dbscan(finished: Path) -> None:
    report = json.loads((finished / "metrics.json").read_text())
    scores = report["hitgraph"]
    assert scores["v_measure"] >= 0.66
    assert scores["v_measure"] > report["dbscan"]["v_measure"] + 0.03
    assert scores["efficiency"] > report["dbscan"]["efficiency"] + 0.1
    assert len(report["history"]) == 3
    assert report["history"][2]["loss"] < report["history"][0]["loss"]


def test_pictures_are_written(finished: Path) -> None:
    for name in ("event_0", "event_1", "event_2", "learning_curve", "efficiency"):
        picture = (finished / f"{name}.png").read_bytes()
        assert picture.startswith(b"\x89PNG") and 5_000 < len(picture) < 400_000


def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("TRAINING_EVENTS", 16), ("TEST_EVENTS", 4)):
        monkeypatch.setattr(reconstruct, name, value)
    monkeypatch.setattr(reconstruct, "draw", lambda *arguments: None)


def test_a_resumed_training_is_the_uninterrupted_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    small(monkeypatch)
    assert reconstruct.main(["--epochs", "2", "--output", str(tmp_path / "whole")]) == 0
    take = reconstruct.step
    steps = []

    def interrupted(*arguments: object) -> float:
        if len(steps) == 3:  # in the second epoch
            raise KeyboardInterrupt
        steps.append(1)
        return take(*arguments)

    monkeypatch.setattr(reconstruct, "step", interrupted)
    resumed = ["--epochs", "2", "--output", str(tmp_path / "parts")]
    assert reconstruct.main(resumed) == 130
    monkeypatch.setattr(reconstruct, "step", take)
    assert reconstruct.main([*resumed, "--resume"]) == 0
    whole, parts = (
        torch.load(tmp_path / name / "checkpoint.pt", weights_only=True)
        for name in ("whole", "parts")
    )
    assert json.dumps(whole["history"]) == json.dumps(parts["history"])  # with NaN
    for name, weight in whole["model"].items():
        assert torch.equal(weight, parts["model"][name]), name


def test_resume_without_a_checkpoint_is_refused(tmp_path: Path, capsys) -> None:
    assert reconstruct.main(["--resume", "--output", str(tmp_path)]) == 2
    assert "there is no" in capsys.readouterr().err


def test_the_reference_is_the_same_network_and_loss() -> None:
    events = reconstruct_events.generate(3, 5)
    torch.manual_seed(1)
    fused = reconstruct_model.Reconstruction().double()
    plain = reconstruct_model.Reconstruction(fused=False).double()
    plain.load_state_dict(fused.state_dict())
    features = events.features.double()
    results = [model(features, events.row_splits) for model in (fused, plain)]
    for a, b in zip(*results, strict=True):
        assert torch.allclose(a, b, rtol=1e-9, atol=1e-10)
    loss = ObjectCondensationLoss(charge_minimum=0.5, beta_guard=1.01)
    a = loss(*results[0], events.truth, events.row_splits).total
    b = reconstruct_model.plain_loss(loss, *results[1], events.truth, events.row_splits)
    assert torch.allclose(a, b, rtol=1e-9)
    for model, value in ((fused, a), (plain, b)):
        model.zero_grad()
        value.backward()
    for p, q in zip(fused.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(p.grad, q.grad, rtol=1e-6, atol=1e-8)


def test_events_have_showers_and_noise() -> None:
    events = reconstruct_events.generate(10, 3)
    for begin, end in zip(events.row_splits, events.row_splits[1:], strict=False):
        truth = events.truth[begin:end]
        counts = truth[truth >= 0].bincount()
        assert 2 <= (counts > 0).sum() <= 6 and counts[counts > 0].min() >= 6
        assert (truth < 0).any()
    assert events.features.isfinite().all() and events.features.abs().mean() < 2
    again = events.take([4, 2])
    assert torch.equal(again.truth, torch.cat([events.take([i]).truth for i in (4, 2)]))


def test_tracks(tmp_path: Path) -> None:
    ran = run(tmp_path, "tracks.py", "--quick")
    assert ran.returncode == 0, ran.stderr
    rows = [line.split("│") for line in ran.stdout.splitlines() if line.startswith("│")]
    learned, nearest = ([float(cell) for cell in row[2:6]] for row in rows[-2:])
    # Purer, with fewer edges.
    assert learned[2] > 3 * nearest[2] and learned[3] < nearest[3]
    assert (tmp_path / "tracks.png").read_bytes().startswith(b"\x89PNG")
