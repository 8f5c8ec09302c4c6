"""Reader of recorded (fully simulated and reconstructed) calorimeter events."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from .calorimeter import CaloEvent

EVENT_COLUMNS = (
    "energy",  # GeV
    "eta",
    "is_track",  # 0 for a calorimeter hit
    "theta",  # rad
    "distance",  # from the origin [cm]
    "x",  # cm
    "y",  # cm
    "z",  # cm
    "time",  # ns, -1 where there is none
)
"""The columns of a recorded event's table."""

_NPY_MAGIC = b"\x93NUMPY"


def read_event(path: str | os.PathLike[str]) -> CaloEvent:
    """The hits of a recorded event: position [cm] and energy [GeV] as in the file, truth None.

    Args:
        path: a NumPy ``.npy`` file as `read_event_table` reads it.
    """
    table = read_event_table(path)
    energy, x = EVENT_COLUMNS.index("energy"), EVENT_COLUMNS.index("x")
    return CaloEvent(table[:, x : x + 3].copy(), table[:, energy].copy(), None)


def read_event_table(path: str | os.PathLike[str]) -> NDArray[np.float32]:
    """All columns (`EVENT_COLUMNS`) of a recorded event, (N, 9) float32.

    The format is that of the HGCAL endcaps published with HGCalML (cms-pepr/HGCalML,
    triton/oc_client/testdata): one row a hit, about 44 000 to 51 000 rows, in descending order of
    energy but for a few rows.

    Args:
        path: a NumPy ``.npy`` file holding a float32 array of shape (N, 9).

    Raises:
        ValueError: the file is no ``.npy`` file, is cut short, or holds another shape or dtype.
        OSError: the file cannot be opened.
    """
    expected = "expected a NumPy .npy file with a float32 array of shape (N, 9)"
    name = f"hitgraph.datasets.read_event: {os.fspath(path)}"
    with open(path, "rb") as file:
        if file.read(len(_NPY_MAGIC)) != _NPY_MAGIC:
            raise ValueError(f"{name}: {expected}, got a file of another format")
    try:
        table = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        reason = str(error).splitlines()[0] if str(error) else "it ends too early"
        raise ValueError(
            f"{name}: {expected}, got one that NumPy cannot read ({reason})"
        ) from error
    if table.dtype != np.float32:
        raise ValueError(f"{name}: {expected}, got dtype {table.dtype} and shape {table.shape}")
    if table.ndim != 2 or table.shape[1] != len(EVENT_COLUMNS):
        raise ValueError(f"{name}: {expected}, got shape {table.shape}")
    return np.ascontiguousarray(table)
