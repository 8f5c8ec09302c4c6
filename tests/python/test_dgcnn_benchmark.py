"""DGCNN's benchmark runs, prints both tables, and compares before it times."""

import json

import pytest
import torch
from benchmarks import dgcnn


def test_small(tmp_path, capsys) -> None:
    path = tmp_path / "results.json"
    dgcnn.main(["--clouds", "6", "--rounds", "1", "--largest", "300", "--output", str(path)])
    table = capsys.readouterr().out
    assert "| training step: hitgraph |" in table and "| 300, with grad |" in table
    dgcnn.main(["--show", str(path)])
    assert capsys.readouterr().out == table
    assert json.loads(path.read_text())["clouds"] == 6


def test_the_peer_has_the_same_results() -> None:
    pytest.importorskip("torch_geometric", reason="the peer")
    pytest.importorskip("torch_cluster", reason="what the peer searches with")
    nets, inputs = dgcnn.networks(2)
    assert set(nets) == {"hitgraph", "torch_geometric"}
    dgcnn.assert_same_results(nets, inputs)
    with torch.no_grad():
        nets["torch_geometric"].out.bias[0] += 1e-2
    with pytest.raises(RuntimeError, match=r"torch_geometric: results differ .* by 1\.0e-02"):
        dgcnn.assert_same_results(nets, inputs)
