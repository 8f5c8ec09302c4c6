"""PyTorch Geometric from release 2.8 on, which calls the operators pyg::knn, pyg::radius and
pyg::nearest: pyg-lib's, or where there is none, hitgraph's under that name.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hitgraph import _C
from hitgraph._fake import edge_search

from ._modules import replace_everywhere

OPERATORS = ("knn", "nearest", "radius")
_FLAGS = ("WITH_KNN", "WITH_NEAREST", "WITH_RADIUS")

_fakes: torch.library.Library | None = None
_flags: dict[str, bool] = {}
_knn_graph: Callable[..., Any] | None = None  # PyTorch Geometric's


def knn_graph(
    x: Tensor,
    k: int,
    batch: Tensor | None = None,
    loop: bool = False,
    flow: str = "source_to_target",
    cosine: bool = False,
    num_workers: int = 1,
    batch_size: int | None = None,
) -> Tensor:
    """In the place of torch_geometric.nn.knn_graph, which searches k + 1 neighbours and drops what
    it takes for the row itself: wrong where rows coincide.

    Args, result, exceptions: those of `hitgraph.compat.torch_cluster.knn_graph`; the batch may lie
    on another device.
    """
    if flow != "source_to_target" and flow != "target_to_source":
        raise AssertionError(
            "torch_geometric.nn.knn_graph: expected flow to be 'source_to_target' or "
            f"'target_to_source', got '{flow}'"
        )
    if batch is not None:
        batch = batch.to(x.device)
    edges: Tensor = torch.ops.hitgraph.knn_edges(
        x, None, k, batch, batch, batch_size, loop, cosine, flow == "source_to_target"
    )
    return edges


def install() -> None:
    """The operators; then PyTorch Geometric's flags, and its knn_graph."""
    if importlib.util.find_spec("pyg_lib") is not None:
        # Loaded later, it would declare operators that are there already. If it cannot be loaded,
        # PyTorch Geometric does without it, too.
        with contextlib.suppress(Exception):
            importlib.import_module("pyg_lib")
    _C.set_pyg_operators(True)
    _register_fakes()
    if _calls_operators():
        _switch_torch_geometric()


def uninstall() -> None:
    """What was there before."""
    global _fakes, _knn_graph
    if _knn_graph is not None:
        replace_everywhere([(knn_graph, _knn_graph)])
        typing = sys.modules["torch_geometric.typing"]
        for flag, value in _flags.items():
            setattr(typing, flag, value)
        _knn_graph = None
    if _fakes is not None:
        _fakes._destroy()
        _fakes = None
    _C.set_pyg_operators(False)
    # torch.ops remembers what may be gone.
    for operator in OPERATORS:
        torch.ops.pyg.__dict__.pop(operator, None)


def _register_fakes() -> None:
    global _fakes
    _fakes = torch.library.Library("pyg", "FRAGMENT")
    for operator in OPERATORS:
        op = f"pyg::{operator}"
        fake = edge_search(op, "y", "ptr_x", "ptr_y", rows=operator == "nearest")
        with contextlib.suppress(RuntimeError):  # it has one
            torch.library.register_fake(op, fake, lib=_fakes)


def _calls_operators() -> bool:
    """Whether the PyTorch Geometric that would be imported does. Read off its source: a checkout on
    the path has no metadata, or that of another release."""
    spec = importlib.util.find_spec("torch_geometric")
    if spec is None or spec.origin is None:
        return False
    text = Path(spec.origin).read_text()
    version = re.search(r"""^__version__ = ["'](\d+)\.(\d+)""", text, re.MULTILINE)
    return version is not None and (int(version[1]), int(version[2])) >= (2, 8)


def _switch_torch_geometric() -> None:
    global _flags, _knn_graph
    typing = importlib.import_module("torch_geometric.typing")
    pool = importlib.import_module("torch_geometric.nn.pool")
    _flags = {flag: getattr(typing, flag) for flag in _FLAGS}
    for flag in _FLAGS:
        setattr(typing, flag, True)
    _knn_graph = pool.knn_graph
    replace_everywhere([(_knn_graph, knn_graph)])
