"""PyTorch Geometric's layers after hitgraph.compat.install(), each route in a fresh interpreter:
equal to plain formulas (pyg_layers.py compares), and on release 2.7 to torch-cluster.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import torch
from pyg_layers import LAYERS, TOLERANCE, difference

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("pyg_layers.py")
#: Where `make` puts release 2.8, beside the environment's 2.7.
RELEASE_28 = Path(os.environ.get("HITGRAPH_PYG28", ROOT / ".venv" / "pyg28"))

ROUTES = [
    ("2.7", "before"),
    ("2.7", "after"),
    ("2.8", "before"),
    ("2.8", "after"),
    ("2.8", "stub"),
]


@functools.cache
def results(release: str, route: str) -> dict[str, list[torch.Tensor]]:
    """What the layers give. A process for each route: what is imported when is the point."""
    environment = dict(os.environ)
    if release == "2.8":
        if not (RELEASE_28 / "torch_geometric").is_dir():
            pytest.skip(f"no torch_geometric 2.8 in {RELEASE_28} (make installs it there)")
        paths = [str(RELEASE_28), *environment.get("PYTHONPATH", "").split(os.pathsep)]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    else:
        pytest.importorskip("torch_geometric", reason="torch_geometric is not installed")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "results.pt")
        run = subprocess.run(
            [sys.executable, "-W", "ignore", PROGRAM, route, path, *LAYERS],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert run.returncode == 0, run.stderr[-3000:]
        assert run.stdout.startswith(f"{release}."), run.stdout
        found: dict[str, list[torch.Tensor]] = torch.load(path)
    return found


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize(("release", "route"), ROUTES)
def test_layers_and_their_gradients(release: str, route: str, layer: str) -> None:
    mine = results(release, route)[layer]
    assert len(mine) >= 2 and all(tensor.isfinite().all() for tensor in mine)


@pytest.mark.parametrize("layer", LAYERS)
def test_torch_cluster_gives_the_same(layer: str) -> None:
    if importlib.util.find_spec("torch_cluster") is None:
        pytest.skip("torch-cluster is not installed")
    theirs = results("2.7", "original")[layer]
    for release, route in (("2.7", "before"), ("2.7", "after")):
        for a, b in zip(results(release, route)[layer], theirs, strict=True):
            assert difference(a, b) < TOLERANCE
