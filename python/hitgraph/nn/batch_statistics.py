"""Batch normalisation over edges: which modules do it, and the running statistics they keep."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def uses_batch_statistics(norm: nn.BatchNorm1d) -> bool:
    """Whether mean and variance are those of the batch, as in training."""
    return norm.training or norm.running_mean is None


def update_running_statistics(
    norm: nn.BatchNorm1d, mean: Tensor, variance: Tensor, count: Tensor
) -> None:
    """What torch.nn.BatchNorm1d does with a batch of `count` values a channel.

    Args:
        mean, variance: (C) of the batch; the variance divides by count.
        count: () number of values.
    """
    if not norm.training or norm.running_mean is None or norm.running_var is None:
        return
    with torch.no_grad():
        momentum = norm.momentum
        if norm.num_batches_tracked is not None:
            norm.num_batches_tracked.add_(1)
        factor: float | Tensor = 0.0 if momentum is None else momentum
        if momentum is None and norm.num_batches_tracked is not None:
            factor = 1 / norm.num_batches_tracked.to(norm.running_mean.dtype)
        count = count.to(variance.dtype)
        unbiased = variance.detach() * (count / (count - 1).clamp_min(1))
        norm.running_mean.lerp_(mean.detach().to(norm.running_mean.dtype), factor)
        norm.running_var.lerp_(unbiased.to(norm.running_var.dtype), factor)
