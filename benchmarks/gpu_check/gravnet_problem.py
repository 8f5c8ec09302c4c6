"""Calls of GravNet's aggregation on any device, and what their results have to be."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

import hitgraph

OPS = torch.ops.hitgraph
SCALE = 10.0
# Of the sum of absolute terms: what float32 may differ from the exact gradient.
TOLERANCE = 1e-6
# Where weights vanish, in float32 before they do in float64.
TINY = 1e-30


class Problem(NamedTuple):
    """The arguments that every call on a graph has.

    Attributes:
        features: (N, F).
        index: (M, k), -1 for a missing neighbour.
        values: (M, k), squared distances, or weights if there is no scale.
        scale: of the squared distances.
    """

    features: Tensor
    index: Tensor  # type: ignore[assignment]  # a tuple has a method of this name
    values: Tensor
    scale: float | None

    def to(self, device: str | torch.device) -> Problem:
        """The same on another device."""
        features, index, values = (tensor.to(device) for tensor in self[:3])
        return Problem(features, index, values, self.scale)

    def double(self) -> Problem:
        """The same in float64."""
        return self._replace(features=self.features.double(), values=self.values.double())


class Results(NamedTuple):
    """(M, F) each: sums as they were divided, maxima, and the slots that these came from."""

    total: Tensor
    maximum: Tensor
    slot: Tensor


class Gradients(NamedTuple):
    """Those of features, (N, F), and of values, (M, k)."""

    features: Tensor
    values: Tensor


def random_problem(
    rows: int,
    k: int,
    points: int,
    channels: int,
    *,
    dtype: torch.dtype = torch.float32,
    index_dtype: torch.dtype = torch.int64,
    weights: bool = False,
    seed: int = 0,
) -> Problem:
    """A graph with holes anywhere, rows without a neighbour and a hub, on the CPU.

    Args:
        rows, k, points, channels: the sizes M, k, N, F.
        dtype: of features and values.
        index_dtype: of the graph.
        weights: weights of both signs instead of squared distances.
        seed: another seed, other numbers.
    """
    random = torch.Generator().manual_seed(seed)
    index = torch.randint(0, points, (rows, k), generator=random)
    index[:, 0] = 7 % points
    index[torch.rand(rows, k, generator=random) < 0.1] = -1
    index[::9] = -1
    values = torch.rand(rows, k, generator=random, dtype=torch.float64)
    if weights:
        values = 2 * values - 1
    values[index < 0] = torch.inf
    features = torch.randn(points, channels, generator=random, dtype=torch.float64)
    return Problem(
        features.to(dtype), index.to(index_dtype), values.to(dtype), None if weights else SCALE
    )


def searched_problem(
    n: int,
    k: int,
    channels: int,
    device: str,
    *,
    index_dtype: torch.dtype = torch.int64,
    hubs: bool = False,
) -> Problem:
    """The graph that the search finds in four dimensions, of float32.

    Args:
        n, k, channels: the sizes.
        device: where.
        index_dtype: of the graph.
        hubs: all points are the same, so everybody's neighbours are the same few.
    """
    torch.manual_seed(1)
    points = torch.rand(n, 4).to(device) * (n / k) ** 0.25  # about k points within distance 1
    if hubs:
        points.zero_()
    found = hitgraph.knn(points, k, index_dtype=index_dtype)
    return Problem(torch.randn(n, channels).to(device), *found, SCALE)


def aggregate(problem: Problem, divisor: str = "k", missing: str = "skip") -> Results:
    """Sums, maxima and slots."""
    return Results(*OPS.gravnet_aggregate(*problem, True, True, divisor=divisor, missing=missing))


def differentiate(
    problem: Problem,
    results: Results,
    grads: tuple[Tensor, Tensor],
    transposed: hitgraph.TransposedGraph | None = None,
    divisor: str = "k",
) -> Gradients:
    """The gradients, by those of the sums and of the maxima."""
    graph = (None, None, None) if transposed is None else transposed
    features, index, values, scale = problem
    return Gradients(
        *OPS.gravnet_aggregate_backward(
            *grads,
            features,
            index,
            values,
            results.slot,
            scale,
            divisor,
            True,
            True,
            *graph,
        )
    )


def random_grads(problem: Problem, seed: int = 2) -> tuple[Tensor, Tensor]:
    """Gradients of the sums and of the maxima, where the problem is and of its type."""
    random = torch.Generator().manual_seed(seed)
    shape = (len(problem.index), problem.features.shape[1])
    total, maximum = (torch.randn(shape, generator=random) for _ in range(2))
    return total.to(problem.features), maximum.to(problem.features)


def same_bits(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors hold the same numbers, zeros of the same sign; any NaN is as good."""
    one, other = one.cpu(), other.cpu()
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    if not one.is_floating_point():
        return torch.equal(one, other)
    bits = {2: torch.int16, 4: torch.int32, 8: torch.int64}[one.element_size()]
    if torch.equal(one.view(bits), other.view(bits)):
        return True
    same = one.view(bits) == other.view(bits)
    return bool((same | (one.isnan() & other.isnan())).all())


def wrong_rows(problem: Problem, results: Results, sample: int = 200) -> int:
    """Rows, of a sample, that are not what the formula gives in float64: divided by k, maxima of
    the neighbours that exist.
    """
    rows = torch.randint(len(problem.index), (sample,)).to(problem.index.device)
    index, values = problem.index[rows].long(), problem.values[rows].double()
    present = index >= 0
    weight = values if problem.scale is None else torch.exp(-problem.scale * values)
    weight = torch.where(present, weight, 0.0).unsqueeze(-1)
    products = weight * problem.features[index.clamp(min=0)].double()
    terms = products.abs().sum(1) / index.shape[1]
    total = products.sum(1) / index.shape[1]
    lowest = products.masked_fill(~present.unsqueeze(-1), -torch.inf).max(1).values
    maximum = torch.where(present.any(1, keepdim=True), lowest, 0.0)
    right = (results.total[rows].double() - total).abs() <= TOLERANCE * terms + TINY
    right &= (results.maximum[rows] - maximum).abs() <= TOLERANCE * maximum.abs() + TINY
    # Where there is a neighbour, its slot is where the maximum came from.
    slot = torch.where(present.any(1, keepdim=True), results.slot[rows].long(), 0)
    winners = products.gather(1, slot.unsqueeze(1)).squeeze(1)
    right &= (winners - maximum).abs() <= TOLERANCE * maximum.abs() + TINY
    return int((~right).any(1).sum())


def gradient_error(
    problem: Problem,
    results: Results,
    grads: tuple[Tensor, Tensor],
    found: Gradients,
    divisor: str = "k",
) -> float:
    """The largest error of a gradient, as a share of the sum of its absolute terms.

    The exact gradient is the CPU's in float64; the same of absolute features and gradients is the
    sum of the absolute terms.
    """
    wide = problem.to("cpu").double()
    there = results._replace(slot=results.slot.cpu())
    total, maximum = (grad.cpu().double() for grad in grads)
    transposed = hitgraph.transpose_graph(wide.index, len(wide.features))
    exact = differentiate(wide, there, (total, maximum), transposed, divisor)
    # Weights of both signs: their gradients' terms are products of features and gradients alone.
    positive = wide._replace(features=wide.features.abs())
    if problem.scale is None:
        positive = positive._replace(values=wide.values.abs())
    absolute = (total.abs(), maximum.abs())
    terms = differentiate(positive, there, absolute, transposed, divisor)
    worst = 0.0
    for got, true, sum_of_terms in zip(found, exact, terms, strict=True):
        error = (got.cpu().double() - true).abs() / (sum_of_terms.abs() + TINY / TOLERANCE)
        worst = max(worst, float(error.nan_to_num(torch.inf).max()) if error.numel() else 0.0)
    return worst
