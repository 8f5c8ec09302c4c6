"""Where recorded events lie, and what a test does where they do not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "hgcal"
FOLDER = Path(os.environ.get("HITGRAPH_EVENTS", SHARED))


def recorded_event(number: int) -> Path:
    """The file of an event; skips the test if there is none."""
    path = FOLDER / f"event_{number}.npy"
    if not path.is_file():
        pytest.skip(f"no recorded events in {FOLDER} (set HITGRAPH_EVENTS to their folder)")
    return path
