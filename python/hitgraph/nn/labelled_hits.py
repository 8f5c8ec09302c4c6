"""Hits with the objects that they belong to, and sums over either."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class LabelledHits:
    """Hits with the numbers of their objects, and sums over both."""

    def __init__(
        self, beta: Tensor, coordinates: Tensor, labels: Tensor, splits: Tensor, noise_label: int
    ) -> None:
        self.beta, self.coordinates, self.row_splits = beta, coordinates, splits
        self.object, self.order, self.offsets, self.object_splits, self.points = (
            torch.ops.hitgraph.condensation_objects(beta.detach(), labels, splits, noise_label)
        )
        dtype = beta.dtype
        objects = self.object_splits.diff()
        self.sizes = self.offsets.diff().to(dtype)  # hits of every object
        self.hits_of_events = splits.diff().to(dtype)
        self.noise_of_events = self.hits_of_events - self.offsets[self.object_splits].diff()
        self.is_noise = self.object < 0
        self.full_events = (self.hits_of_events > 0).sum().clamp(min=1)
        self.event_of_object = torch.repeat_interleave(
            torch.arange(objects.shape[0], device=beta.device),
            objects,
            output_size=self.points.shape[0],
        )
        self.object_shares = (1 / objects.to(dtype))[self.event_of_object]

    def at_points(self, values: Tensor) -> Tensor:
        """(objects, …): of the condensation points."""
        return values.index_select(0, self.points)

    def to_hits(self, values: Tensor) -> Tensor:
        """(N, …) of values (objects, …) without a gradient: of every hit's object; 0 of noise."""
        padded = torch.cat([values, values.new_zeros((1, *values.shape[1:]))])
        return padded[self.object.long()]  # -1, of noise, is the last

    def sums(self, values: Tensor) -> Tensor:
        """(objects, columns) of values (N, columns): over the hits of every object."""
        return segment_sums(values.index_select(0, self.order), self.offsets)

    def event_sums(self, values: Tensor) -> Tensor:
        """(B,) of values (N,)."""
        return segment_sums(values[:, None], self.row_splits)[:, 0]

    def normalised(self, values: Tensor) -> Tensor:
        """Divided by the sum over the hits of an event that are not noise; 0 for noise."""
        values = values.masked_fill(self.is_noise, 0)
        sums = not_zero(self.event_sums(values))
        spread: Tensor = _Spread.apply(1 / sums, self.row_splits, values.shape[0])
        return values * spread

    def condensation_point(self) -> Tensor:
        return self.to_hits(self.points + 1) - 1


class _Spread(torch.autograd.Function):
    """(N, …) of values (segments, …): of every row's segment, 0 beyond the last. Its gradient is
    summed in order, which that of torch.repeat_interleave is not on a GPU.
    """

    @staticmethod
    def forward(context: Any, values: Tensor, splits: Tensor, size: int) -> Tensor:
        context.save_for_backward(splits)
        lengths = torch.cat([splits.diff(), size - splits[-1:]])
        padded = torch.cat([values, values.new_zeros((1, *values.shape[1:]))])
        return torch.repeat_interleave(padded, lengths, dim=0, output_size=size)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(context: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (splits,) = context.saved_tensors
        return segment_sums(grads[0][:, None], splits)[:, 0], None, None


class SegmentSumsByColumns(torch.autograd.Function):
    """As segment_sums, for a GPU: there torch makes the sums of several columns, and the gradient
    of any, with one thread a segment, which may be an event of 200 000 hits.
    """

    @staticmethod
    def forward(context: Any, values: Tensor, splits: Tensor) -> Tensor:
        context.save_for_backward(splits)
        context.size = values.shape[0]
        sums = [_sums(column.contiguous(), splits) for column in values.unbind(1)]
        return torch.stack(sums, dim=1)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(context: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (splits,) = context.saved_tensors
        return _Spread.apply(grads[0], splits, context.size), None


def segment_sums(values: Tensor, splits: Tensor) -> Tensor:
    """(segments, columns) of values (N, columns), summed in double precision."""
    if not values.is_cuda:
        return _sums(values, splits)
    sums: Tensor = SegmentSumsByColumns.apply(values, splits)
    return sums


def _sums(values: Tensor, splits: Tensor) -> Tensor:
    sums = torch.segment_reduce(
        values.double(), "sum", offsets=splits, axis=0, unsafe=True, initial=0
    )
    return sums.to(values.dtype)


def not_zero(values: Tensor) -> Tensor:
    """What a sum of numbers not below 0 may be divided by."""
    return torch.where(values > 0, values, torch.ones_like(values))
