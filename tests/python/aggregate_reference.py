"""GravNet's aggregation written with PyTorch's own operations on a tensor of every edge's features:
slow, memory-hungry, differentiable to every order. What the fused operator has to reproduce.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def aggregate_by_tensors(
    features: Tensor,
    index: Tensor,
    distance2: Tensor | None,
    scale: float = 10.0,
    *,
    weight: Tensor | None = None,
    reduce: Sequence[str] = ("mean", "max"),
    divisor: str = "k",
    missing: str = "skip",
) -> tuple[Tensor, ...]:
    """hitgraph.nn.functional.gravnet_aggregate, from its definition."""
    present = index >= 0
    if weight is None:
        # The +inf of a missing neighbour is replaced before the exponential: its weight would be 0
        # either way, but scale · inf · 0 is what the gradient would be.
        weight = torch.exp(-scale * torch.where(present, distance2, 0.0))
    weight = torch.where(present, weight, 0.0)
    weighted = weight.unsqueeze(-1) * _gather(features, index, present)

    results = []
    for name in reduce:
        reduced = {
            "mean": lambda: _mean(weighted, present, divisor),
            "max": lambda: _max(weighted, present, missing),
            "sum": lambda: weighted.sum(dim=1),
        }[name]()
        results.append(reduced.to(features.dtype))
    return tuple(results)


def _gather(features: Tensor, index: Tensor, present: Tensor) -> Tensor:
    """(M, k, F): the neighbours' features, 0 where there is none.

    A row of zeros behind the features serves the missing ones, so nothing is indexed that is not
    there even if N = 0. `embedding` has a much faster backward pass on the CPU than indexing, and a
    deterministic one.
    """
    with_zero = torch.cat([features, features.new_zeros(1, features.shape[1])])
    return torch.nn.functional.embedding(torch.where(present, index, features.shape[0]), with_zero)


def _mean(weighted: Tensor, present: Tensor, divisor: str) -> Tensor:
    total = weighted.sum(dim=1)
    if divisor == "k":
        return total / weighted.shape[1]
    return total / present.sum(dim=1, keepdim=True).clamp(min=1)


def _max(weighted: Tensor, present: Tensor, missing: str) -> Tensor:
    if missing == "zero":
        return weighted.max(dim=1).values
    # max(dim), not amax: its gradient goes to one winner, documented to be the first; amax shares
    # it between ties.
    lowest = weighted.masked_fill(~present.unsqueeze(-1), -torch.inf).max(dim=1).values
    return torch.where(present.any(dim=1, keepdim=True), lowest, 0.0)
