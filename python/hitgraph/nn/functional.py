"""Aggregations over a neighbour graph as plain functions of tensors.

Written with PyTorch's own operations: easy to read, differentiable twice, slow and memory-hungry.
They define the results that fused operations have to reproduce.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

_WHERE = "hitgraph.nn.functional.gravnet_aggregate"
REDUCTIONS = ("mean", "max")
DIVISORS = ("k", "count")
MISSING = ("skip", "zero")


def gravnet_aggregate(
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
    """GravNet's aggregation: mean and maximum of the neighbours' weighted features.

    With w_ij = exp(−scale · distance2_ij) and h the features, for every row i and channel c::

        mean_ic = Σ_j w_ij h_jc / divisor        max_ic = max_j w_ij h_jc

    the sum and the maximum over the neighbours j of row i. This is the aggregation of
    arXiv:1902.07987 at scale 1, and of most implementations of it at scale 10. A row without a
    neighbour has mean 0 and maximum 0.

    Products and sums are made in the wider of the dtypes of features and weights, so float16 and
    bfloat16 features are accumulated in float32; the results have the dtype of the features.
    Memory: several tensors of M·k·F numbers.

    Args:
        features: (N, F) floating point, what is sent along the edges.
        index: (M, k) int64 or int32, the row of features that an edge comes from; -1 where there is
            none.
        distance2: (M, k) floating point, squared distances in the unit of the space they were
            searched in; not read where index is -1. May be None if weight is given.
        scale: factor of distance2 in the exponent, in inverse squared units of the space.
        weight: (M, k) floating point, used instead of exp(−scale · distance2): for other kernels.
        reduce: which results to return, in this order: "mean", "max".
        divisor: "k": the mean divides by k, a missing neighbour counts as 0; "count": by the number
            of neighbours present.
        missing: "skip": the maximum is over the neighbours present; "zero": a missing neighbour
            takes part with the value 0.

    Returns:
        One (M, F) tensor for each entry of reduce.

    The gradient reaches features and distance2 (or weight). Among equal products the gradient of
    the maximum goes to the first in row order, that is, to the nearest, and among equally near ones
    to the smallest index.

    Raises:
        ValueError, TypeError: a sentence that names the argument, the expectation and what came.
    """
    _check_arguments(features, index, distance2, weight, reduce, divisor, missing)
    present = index >= 0
    if weight is None:
        assert distance2 is not None  # checked above
        # The +inf of a missing neighbour is replaced before the exponential: its weight would be 0
        # either way, but scale · inf · 0 is what the gradient would be.
        weight = torch.exp(-scale * torch.where(present, distance2, 0.0))
    weight = torch.where(present, weight, 0.0)
    weighted = weight.unsqueeze(-1) * _gather(features, index, present)

    results = []
    for name in reduce:
        reduced = (
            _mean(weighted, present, divisor)
            if name == "mean"
            else _max(weighted, present, missing)
        )
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


def _check_arguments(
    features: Tensor,
    index: Tensor,
    distance2: Tensor | None,
    weight: Tensor | None,
    reduce: Sequence[str],
    divisor: str,
    missing: str,
) -> None:
    if features.dim() != 2:
        raise ValueError(f"{_WHERE}: expected features to be 2-D (n, f), got {features.dim()}-D")
    if not features.is_floating_point():
        raise TypeError(f"{_WHERE}: expected features to be floating point, got {features.dtype}")
    if index.dim() != 2 or index.shape[1] < 1:
        shape = tuple(index.shape)
        raise ValueError(f"{_WHERE}: expected index to be (m, k) with k of at least 1, got {shape}")
    if index.dtype not in (torch.int64, torch.int32):
        raise TypeError(f"{_WHERE}: expected index to be int64 or int32, got {index.dtype}")
    if distance2 is None and weight is None:
        raise ValueError(f"{_WHERE}: expected distance2 or weight, got neither")
    for name, edges in (("distance2", distance2), ("weight", weight)):
        if edges is None:
            continue
        if edges.shape != index.shape:
            raise ValueError(
                f"{_WHERE}: expected {name} to have the shape of index, {tuple(index.shape)}, "
                f"got {tuple(edges.shape)}"
            )
        if not edges.is_floating_point():
            raise TypeError(f"{_WHERE}: expected {name} to be floating point, got {edges.dtype}")
    if isinstance(reduce, str) or not reduce or any(name not in REDUCTIONS for name in reduce):
        raise ValueError(f"{_WHERE}: expected reduce to hold 'mean' and/or 'max', got {reduce!r}")
    if divisor not in DIVISORS:
        raise ValueError(f"{_WHERE}: expected divisor to be 'k' or 'count', got {divisor!r}")
    if missing not in MISSING:
        raise ValueError(f"{_WHERE}: expected missing to be 'skip' or 'zero', got {missing!r}")
