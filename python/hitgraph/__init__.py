"""Exact k-nearest-neighbour graphs and the layers of dynamic graph networks, for PyTorch.

See hitgraph.knn for the contract that every function keeps.
"""

from pathlib import Path

from . import _load

_C = _load.load()

from . import _fake as _fake  # noqa: E402  (registers)
from . import compat, datasets, debug, functional, metrics, models, nn  # noqa: E402
from .condensates import Condensates, condensate  # noqa: E402
from .functional import (  # noqa: E402
    Nearest,
    Neighbors,
    TransposedGraph,
    knn,
    knn_with_transposed,
    nearest,
    row_splits_from_batch,
    transpose_graph,
)
from .radius_search import RadiusNeighbors, radius  # noqa: E402

__version__: str = _C.build_info()["version"]

#: For CMake's find_package(hitgraph): put it into CMAKE_PREFIX_PATH.
cmake_prefix_path = str(Path(__file__).parent)

__all__ = [
    "Condensates",
    "Nearest",
    "Neighbors",
    "RadiusNeighbors",
    "TransposedGraph",
    "cmake_prefix_path",
    "compat",
    "condensate",
    "datasets",
    "debug",
    "functional",
    "knn",
    "knn_with_transposed",
    "metrics",
    "models",
    "nearest",
    "nn",
    "radius",
    "row_splits_from_batch",
    "transpose_graph",
]
