"""Aggregations over a neighbour graph as functions of tensors, fused: no tensor of the edges'
features is ever made, neither forward nor backward.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from hitgraph._arguments import check_tensors
from hitgraph.functional import TransposedGraph

_OP = "hitgraph::gravnet_aggregate"
REDUCTIONS = ("mean", "max", "sum")
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
    transposed: TransposedGraph | None = None,
) -> tuple[Tensor, ...]:
    """GravNet's aggregation: mean and maximum of the neighbours' weighted features.

    With w_ij = exp(−scale · distance2_ij) and h the features, for every row i and channel c::

        mean_ic = Σ_j w_ij h_jc / divisor        max_ic = max_j w_ij h_jc

    the sum and the maximum over the neighbours j of row i. This is the aggregation of
    arXiv:1902.07987 at scale 1, and of most implementations of it at scale 10. A row without a
    neighbour has mean 0 and maximum 0.

    Products and sums are made in the wider of the dtypes of features and weights, so float16 and
    bfloat16 features are accumulated in float32; the results have the dtype of the features. They
    are the same on every device and for any number of threads: products are rounded, summed from
    the first to the last in blocks of 16 neighbours, and the blocks' sums in order. A weight that
    would be less than a normal number (in float32 exp(−87)) is 0.

    Memory beyond the results: for the gradient one small integer a result (which neighbour the
    maximum came from: uint8 for k up to 255), nothing of size M·k·F.

    Args:
        features: (N, F) floating point, what is sent along the edges.
        index: (M, k) int64 or int32, the row of features that an edge comes from; -1 where there is
            none.
        distance2: (M, k) floating point, squared distances in the unit of the space they were
            searched in; not read where index is -1. May be None if weight is given.
        scale: factor of distance2 in the exponent, in inverse squared units of the space.
        weight: (M, k) floating point, used instead of exp(−scale · distance2): for other kernels.
        reduce: which results to return, in this order: "mean", "max", "sum".
        divisor: "k": the mean divides by k, a missing neighbour counts as 0; "count": by the number
            of neighbours present.
        missing: "skip": the maximum is over the neighbours present; "zero": a missing neighbour
            takes part with the value 0.
        transposed: `hitgraph.transpose_graph(index, N)`, if it was made for another use of the
            graph; without it the backward pass makes it.

    Returns:
        One (M, F) tensor for each entry of reduce.

    The gradient reaches features and distance2 (or weight); it is deterministic. The transforms of
    torch.func have none of it. Among equal
    products the gradient of the maximum goes to the first in row order, that is, to the nearest,
    and among equally near ones to the smallest index. Derivatives of higher order work, with
    tensors of M·k·F numbers.

    Raises:
        TypeError: an argument of the wrong type or dtype.
        ValueError: a wrong shape or value; on the CPU also an index outside [-1, N), which on other
            devices counts as missing unless `hitgraph.debug.checks` is on.
        RuntimeError: tensors on different devices.
    """
    check_tensors(_OP, features=features, index=index, distance2=distance2, weight=weight)
    _check_arguments(
        features, index, distance2, weight, scale, reduce, divisor, missing, transposed
    )
    values = distance2 if weight is None else weight
    offsets, edges, order = (None, None, None) if transposed is None else transposed

    def aggregate(total: bool, maximum: bool, divisor: str) -> tuple[Tensor, Tensor]:
        results: tuple[Tensor, Tensor, Tensor] = torch.ops.hitgraph.gravnet_aggregate(
            features,
            index,
            values,
            float(scale) if weight is None else None,
            total,
            maximum,
            divisor,
            missing,
            offsets,
            edges,
            order,
        )
        return results[:2]

    both = "sum" in reduce and "mean" in reduce
    total, maximum = aggregate(
        "sum" in reduce or "mean" in reduce,
        "max" in reduce,
        "one" if "sum" in reduce else divisor,
    )
    # A sum of half precision has lost what a mean would keep: it is made anew.
    mean = aggregate(True, False, divisor)[0] if both else total
    found = {"sum": total, "mean": mean, "max": maximum}
    return tuple(found[name] for name in reduce)


def check_reduce(where: str, reduce: object) -> None:
    """A list or tuple of REDUCTIONS, at least one."""
    named = isinstance(reduce, (list, tuple)) and all(name in REDUCTIONS for name in reduce)
    if not named or not reduce:
        raise ValueError(
            f"{where}: expected reduce to be a list of 'mean', 'max', 'sum', got {reduce!r}"
        )


def _check_arguments(
    features: object,
    index: object,
    distance2: Tensor | None,
    weight: Tensor | None,
    scale: object,
    reduce: Sequence[str],
    divisor: str,
    missing: str,
    transposed: object,
) -> None:
    """What the operator cannot tell, or would name otherwise."""
    for name, value in (("features", features), ("index", index)):
        if value is None:
            raise TypeError(f"{_OP}: expected {name} to be a Tensor, got None")
    number = isinstance(scale, (int, float)) or hasattr(scale, "__float__")
    if not number or isinstance(scale, Tensor):  # a tensor's gradient would be lost
        raise TypeError(f"{_OP}: expected scale to be a float, got {type(scale).__name__}")
    if not (transposed is None or isinstance(transposed, TransposedGraph)):
        raise TypeError(
            f"{_OP}: expected transposed to be a TransposedGraph, got {type(transposed).__name__}"
        )
    if distance2 is None and weight is None:
        raise ValueError(f"{_OP}: expected distance2 or weight, got neither")
    check_reduce(_OP, reduce)
    if divisor not in DIVISORS:
        raise ValueError(f"{_OP}: expected divisor to be 'k' or 'count', got {divisor!r}")
    if missing not in MISSING:
        raise ValueError(f"{_OP}: expected missing to be 'skip' or 'zero', got {missing!r}")
