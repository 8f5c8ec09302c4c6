"""Ties and duplicates of a point cloud."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree


def fraction_tied(points: np.ndarray, k: int) -> float:
    """Fraction of points whose neighbours k and k + 1 are equally far, to rounding of float64."""
    distance, _ = cKDTree(points.astype(np.float64)).query(points.astype(np.float64), k + 2)
    return float(np.isclose(distance[:, k], distance[:, k + 1], rtol=1e-9, atol=0.0).mean())


def fraction_duplicated(points: np.ndarray) -> float:
    """Fraction of points that repeat an earlier one."""
    return 1.0 - len(np.unique(points, axis=0)) / len(points)
