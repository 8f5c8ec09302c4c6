"""Clusters of hits around condensation points, as object condensation trains them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ._arguments import check_float, check_given, check_tensors
from ._search import event_splits


class Condensates(NamedTuple):
    """Clusters of N hits, K of them in all.

    Attributes:
        label: (N,) int64, the cluster of every hit, from 0 in every event, by descending β of their
            condensation points; -1: none.
        point: (N,) int64, the row of the condensation point of every hit's cluster; -1: none.
        points: (K,) int64, the rows of the condensation points, event by event, in the order of
            their labels.
        row_splits: (B+1,) int64: those of event b are points[row_splits[b] : row_splits[b+1]].
    """

    label: Tensor
    point: Tensor
    points: Tensor
    row_splits: Tensor

    @property
    def counts(self) -> Tensor:
        """(B,) int64, the clusters of every event."""
        return self.row_splits.diff()


def condensate(
    beta: Tensor,
    coordinates: Tensor,
    row_splits: Tensor | None = None,
    *,
    batch: Tensor | None = None,
    batch_size: int | None = None,
    beta_threshold: float = 0.1,
    distance_threshold: float = 0.5,
    radius: Tensor | None = None,
    assignment: str = "first",
) -> Condensates:
    """Clusters hits around condensation points (arXiv:2002.03605, section 3.3).

    In every event, of the hits that belong to no cluster yet, the one with the largest β above
    beta_threshold becomes a condensation point and takes the hits within distance_threshold, and so
    on until there is no such hit. Hits that no point takes are noise. There is no gradient.

    Distances are those of `hitgraph.knn`; a hit at exactly the distance is within. Of equal β the
    smaller row is first, so results are the same on every device.

    Args:
        beta: (N,) or (N, 1) floating point, from 0 to 1.
        coordinates: (N, c) floating point, finite, in the learned space.
        row_splits: (B+1,) int64 from 0 to N; event b has the rows row_splits[b] to row_splits[b+1]
            - 1. Without it (and batch) all hits are of one event.
        batch: (N,) int64, ascending event numbers: another way to say row_splits.
        batch_size: the number of events, with batch.
        beta_threshold: from 0 to 1; β must be larger.
        distance_threshold: not negative, in the unit of the coordinates.
        radius: (N,) or (N, 1) floating point, not negative: a condensation point takes hits within
            distance_threshold · radius; 1 without it.
        assignment: "first": a hit belongs to the first point that takes it; "nearest": to the
            nearest of all points that it is within reach of, equally near ones by row. The points
            are the same.

    Returns:
        Condensates(label (N,), point (N,), points (K,), row_splits (B+1,)).

    Half-precision input is worked on in float32. On CUDA the call waits for the device, which alone
    knows how many points there are.

    Raises:
        TypeError: an argument of the wrong type or dtype.
        ValueError: a wrong shape or value; on the CPU also β outside [0, 1], coordinates or radii
            that are not finite, which on other devices are only checked if `hitgraph.debug.checks`
            is on: there a hit with such coordinates has no label.
        RuntimeError: tensors on different devices.

    Example:
        >>> x = torch.tensor([[0.0], [0.3], [0.9], [1.0]])
        >>> beta = torch.tensor([0.9, 0.2, 0.3, 0.05])
        >>> hitgraph.condensate(beta, x).label.tolist()
        [0, 0, 1, 1]
    """
    op = "hitgraph::condensate"
    check_given(op, beta=beta, coordinates=coordinates)
    check_tensors(op, radius=radius)
    check_float(op, "beta_threshold", beta_threshold)
    check_float(op, "distance_threshold", distance_threshold)
    if not isinstance(assignment, str):
        raise TypeError(f"{op}: expected assignment to be a str, got {type(assignment).__name__}")
    wide = torch.float64 in (beta.dtype, coordinates.dtype)
    splits = event_splits(op, coordinates, row_splits, batch, batch_size)
    return Condensates(
        *torch.ops.hitgraph.condensate(
            _column(beta, wide),
            _searchable(coordinates, wide).detach(),
            splits,
            float(beta_threshold),
            float(distance_threshold),
            None if radius is None else _column(radius, wide),
            assignment,
        )
    )


def _searchable(values: Tensor, wide: bool) -> Tensor:
    if not values.is_floating_point():
        return values  # refused by the operator
    return values.to(torch.float64 if wide else torch.float32)


def _column(values: Tensor, wide: bool) -> Tensor:
    """(N,) of (N, 1)."""
    column = values.dim() == 2 and values.shape[1] == 1
    return _searchable(values.squeeze(1) if column else values, wide).detach()
