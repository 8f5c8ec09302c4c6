"""The torch-cluster that is installed, whether or not its name is taken at the moment."""

from __future__ import annotations

import contextlib
import functools
import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

NAME = "torch_cluster"
#: What hitgraph leaves to torch-cluster.
PASSED = ("fps", "graclus_cluster", "grid_cluster", "neighbor_sampler", "random_walk")
#: The file of hitgraph's own, which may be loaded under both names.
REPLACEMENT = Path(__file__).parent / NAME / "__init__.py"

_loaded: ModuleType | None = None
_tried = False


def modules() -> dict[str, ModuleType]:
    """What sys.modules has under torch-cluster's name."""
    return {name: module for name, module in sys.modules.items() if name.split(".", 1)[0] == NAME}


@contextlib.contextmanager
def name_freed() -> Iterator[None]:
    """Nothing is loaded under torch-cluster's name meanwhile; afterwards what was."""
    before = modules()
    for name in before:
        del sys.modules[name]
    try:
        yield
    finally:
        for name in modules():
            del sys.modules[name]
        sys.modules.update(before)


def load() -> ModuleType | None:
    """torch-cluster, or None where there is none that can be loaded."""
    global _loaded, _tried
    if NAME in sys.modules:
        present = sys.modules[NAME]
        if present is None:  # Python's way to say that it must not be imported
            return None
        if getattr(present, "__file__", None) != str(REPLACEMENT):
            _loaded = present
    if _loaded is None and not _tried:
        _tried = True
        # Built for another torch, or without SciPy, it is as good as absent.
        with name_freed(), contextlib.suppress(ImportError, OSError, RuntimeError):
            _loaded = importlib.import_module(NAME)
    return _loaded


@functools.cache
def _absent(name: str) -> Callable[..., Any]:
    def absent(*_: object, **__: object) -> None:
        raise ImportError(
            f"torch_cluster.{name}: hitgraph does not have it and calls torch-cluster's, which "
            "cannot be imported here: pip install torch-cluster (it needs SciPy), or pyg-lib for "
            "PyTorch Geometric from release 2.8 on."
        )

    absent.__name__ = absent.__qualname__ = name
    return absent


def function(name: str) -> Callable[..., Any]:
    """A function of torch-cluster's; without torch-cluster one that says what to install."""
    original = load()
    if original is None:
        return _absent(name)
    found: Callable[..., Any] = getattr(original, name)
    return found
