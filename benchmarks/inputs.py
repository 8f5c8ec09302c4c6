"""What is searched, by name: every set of `hitgraph.datasets`, jets in a batch, recorded events.

A set of one's own is an entry here: a title, and a function of n and d.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from hitgraph import datasets

SEED = 1


def events() -> Path:
    """The folder of the recorded events: HITGRAPH_EVENTS, or beside the project."""
    return Path(
        os.environ.get("HITGRAPH_EVENTS", Path(__file__).parents[1] / "../shared/data/hgcal")
    )


class Cloud(NamedTuple):
    """Points (n, d) float32 and the (B+1) int64 offsets of their events."""

    points: Tensor
    row_splits: Tensor


class Input(NamedTuple):
    """A set: what it is called in tables, and what makes it."""

    title: str
    make: Callable[[int, int], datasets.Batch]


def named(name: str, title: str = "") -> Input:
    """A set of the library's own registry."""
    return Input(title or name.replace("_", " "), lambda n, d: datasets.batch(name, n, d, SEED))


def events_of(size: int) -> Callable[[int, int], datasets.Batch]:
    """Normal points in events of this size: jets of 50 particles, clouds of 1024 points."""

    def make(n: int, d: int) -> datasets.Batch:
        points = datasets.points("gauss", n, d, SEED)
        return datasets.Batch(points, np.r_[np.arange(0, n, size), n].astype(np.int64))

    return make


def recorded(n: int, _d: int) -> datasets.Batch:
    """The first recorded event's positions; n is the event's."""
    points = datasets.read_event(events() / "event_0.npy").position
    return datasets.Batch(points, np.array([0, len(points)], np.int64))


def features(n: int, d: int) -> datasets.Batch:
    """What a first layer makes of clouds of 1024 points: DGCNN's second graph."""
    from .edge_conv import POINTS, features_of

    points = features_of(max(1, n // POINTS), d).numpy()
    return datasets.Batch(points, np.arange(0, len(points) + 1, POINTS, dtype=np.int64))


TITLES = {
    "gauss": "normal",
    "learned": "learned space",
    "calo": "calorimeter",
    "energy_eta": "energy, eta, 0",
    "line_with_outlier": "line, one far outlier",
}
INPUTS: dict[str, Input] = {
    **{name: named(name, TITLES.get(name, "")) for name in datasets.names()},
    "jets": Input("jets of 50", events_of(50)),
    "tiny": Input("events of 5", events_of(5)),
    "features": Input("learned features, clouds of 1024", features),
    "event": Input("recorded event", recorded),
}


def make(name: str, n: int, d: int, device: str = "cpu") -> Cloud:
    """The set of this name, with seed 1.

    Raises:
        ValueError: there is no such set, or it has other dimensions.
        OSError: the recorded events are not there.
    """
    if name not in INPUTS:
        raise ValueError(f"benchmarks: expected one of {', '.join(INPUTS)}, got {name!r}")
    points, splits = INPUTS[name].make(n, d)
    return Cloud(
        torch.from_numpy(np.ascontiguousarray(points)).to(device),
        torch.from_numpy(splits).to(device),
    )
