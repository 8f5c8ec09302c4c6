"""Loads the compiled library, or says in a sentence why it cannot be loaded."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import torch


def _release(version: str) -> str:
    return ".".join(version.split("+")[0].split(".")[:2])


def check_torch(built_with: str, running: str) -> None:
    """Raises ImportError if a library built with one torch cannot be loaded by the other: torch
    keeps its C++ interface only within a minor release.
    """
    if _release(built_with) != _release(running):
        raise ImportError(
            f"hitgraph was built with torch {built_with}, but torch {running} is running: "
            "reinstall hitgraph in this environment (pip install --force-reinstall --no-deps .), "
            f"or install torch {_release(built_with)}."
        )


def load() -> ModuleType:
    """Imports hitgraph._C, which loads libhitgraph.so and registers the operators."""
    note = Path(__file__).parent / "build_torch.txt"
    if not note.is_file():
        raise ImportError(
            f"hitgraph's library is not in {note.parent}: it has not been built. Install the "
            "package (pip install .), or leave the folder of its sources."
        )
    built_with = note.read_text().strip()
    check_torch(built_with, torch.__version__)
    try:
        return importlib.import_module("hitgraph._C")
    except ImportError as error:
        raise ImportError(
            f"hitgraph's library, built with torch {built_with}, cannot be loaded by torch "
            f"{torch.__version__} ({error}): reinstall hitgraph in this environment "
            "(pip install --force-reinstall --no-deps .)."
        ) from error
