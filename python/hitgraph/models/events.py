"""From points to events: what stands for all points of an event."""

from __future__ import annotations

import torch
from torch import Tensor

from hitgraph.functional import row_splits_from_batch


def splits_of(
    x: Tensor, row_splits: Tensor | None, batch: Tensor | None, batch_size: int | None
) -> Tensor:
    """The events of x (N, F) as row_splits (B+1) int64; all points are one event without any."""
    if batch is not None:
        return row_splits_from_batch(batch, batch_size)
    if row_splits is not None:
        return row_splits.to(torch.int64)
    return torch.tensor([0, x.shape[0]], device=x.device)


def flat_events(
    where: str, x: Tensor, row_splits: Tensor | None, batch: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """Events of the same size (B, P, F) as (B · P, F) and their row_splits; x (N, F) as it is."""
    if not isinstance(x, Tensor) or x.dim() != 3:  # the caller's checks are still to come
        return x, row_splits
    if row_splits is not None or batch is not None:
        raise ValueError(f"{where}: expected (B, P, F) or row_splits and batch, got both")
    events, points = x.shape[:2]
    return x.flatten(0, 1), torch.arange(events + 1, device=x.device) * points


def event_maximum(x: Tensor, row_splits: Tensor) -> Tensor:
    """(B, F): the largest of each column in each event; 0 in an empty one."""
    most = torch.segment_reduce(x, "max", offsets=row_splits, axis=0, initial=-torch.inf)
    return most.masked_fill((row_splits.diff() == 0).unsqueeze(1), 0)


def event_mean(x: Tensor, row_splits: Tensor, mask: Tensor | None = None) -> Tensor:
    """(B, F): the mean of each column in each event, over the points that the mask (N) marks; 0 of
    none."""
    if mask is None:
        total = torch.segment_reduce(x, "sum", offsets=row_splits, axis=0, initial=0)
        return total / row_splits.diff().clamp_min(1).unsqueeze(1)
    weight = mask.to(x.dtype).unsqueeze(1)
    total = torch.segment_reduce(x * weight, "sum", offsets=row_splits, axis=0, initial=0)
    count = torch.segment_reduce(weight, "sum", offsets=row_splits, axis=0, initial=0)
    return total / count.clamp_min(1)


def to_points(of_events: Tensor, row_splits: Tensor, points: int) -> Tensor:
    """(N, F): the event's row for each of its points."""
    return of_events.repeat_interleave(row_splits.diff(), 0, output_size=points)
