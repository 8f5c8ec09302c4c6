"""Edge networks over a graph: h(x_i, x_j − x_i) of every edge, reduced over each row.

Two ways. One linear map with a maximum runs fused, without a tensor of the edges
(`hitgraph::edge_conv_max`). Anything else runs in slices of rows, whose edges are made, used and
dropped, and made again in the backward pass: memory is that of a slice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from hitgraph.functional import TransposedGraph

from .batch_statistics import update_running_statistics, uses_batch_statistics

AGGREGATIONS = ("max", "mean", "sum")
ORDERS = ("own_first", "difference_first")
SLICE_BYTES = 32 << 20  # of the widest tensor of a slice's edges


class EdgeInputs(NamedTuple):
    """What the edges (i, j) of a graph are made of.

    Attributes:
        features: (N, F), x_j.
        centers: (M, F), x_i; None: the points themselves.
        index: (M, k), -1 where there is no edge.
        order: "own_first": [x_i, x_j − x_i]; "difference_first": [x_j − x_i, x_i].
    """

    features: Tensor
    centers: Tensor | None
    index: Tensor  # type: ignore[assignment]  # a tuple has a method of this name
    order: str

    def of_rows(self, begin: int, end: int) -> tuple[Tensor, Tensor]:
        """Edges ((end − begin) · k, 2 F) of these rows, zeros where there is none; and which are
        present ((end − begin) · k)."""
        index = self.index[begin:end]
        present = index >= 0
        # One row more: a missing edge points to row 0, which an empty set does not have.
        padded = nn.functional.pad(self.features, (0, 0, 0, 1))
        there = padded.index_select(0, index.clamp_min(0).flatten())
        centers = self.features if self.centers is None else self.centers
        own = centers[begin:end].repeat_interleave(index.shape[1], 0)
        parts = (own, there - own) if self.order == "own_first" else (there - own, own)
        edges = torch.cat(parts, 1)
        present = present.flatten()
        return edges.masked_fill(~present.unsqueeze(1), 0), present


class LinearEdges(NamedTuple):
    """A network that the fused operator computes: linear map, normalisation, activation."""

    linear: nn.Linear
    norm: nn.BatchNorm1d | None
    slope: float


def flattened(network: nn.Module) -> list[nn.Module]:
    """The modules of nested Sequentials in order; any other module alone."""
    if type(network) is not nn.Sequential:
        return [network]
    return [module for child in network for module in flattened(child)]


def as_linear_edges(network: nn.Module) -> LinearEdges | None:
    """Linear [BatchNorm1d] [ReLU or LeakyReLU], or None. Subclasses may do anything else."""
    modules = [m for m in flattened(network) if type(m) is not nn.Identity]
    linear = modules.pop(0) if modules else None
    if not isinstance(linear, nn.Linear) or type(linear) is not nn.Linear:
        return None
    norm, slope = None, 1.0
    if modules and isinstance(modules[0], nn.BatchNorm1d) and type(modules[0]) is nn.BatchNorm1d:
        norm = modules[0]
        modules.pop(0)
    if modules and type(modules[0]) is nn.ReLU:
        slope = 0.0
        modules.pop(0)
    elif modules and isinstance(modules[0], nn.LeakyReLU) and modules[0].negative_slope >= 0:
        slope = modules[0].negative_slope
        modules.pop(0)
    return None if modules else LinearEdges(linear, norm, slope)


def run_fused(
    network: LinearEdges, inputs: EdgeInputs, transposed: TransposedGraph | None
) -> Tensor:
    """(M, C): the maximum over the edges of each row; 0 in a row without edges."""
    linear, norm, slope = network
    features, weight = inputs.features, linear.weight
    if inputs.order == "difference_first":
        difference, own = weight.chunk(2, 1)
        weight = torch.cat((own, difference), 1)
    scale = shift = mean = variance = None
    eps = 1e-5
    if norm is not None:
        eps = norm.eps
        scale = weight.new_ones(len(weight)) if norm.weight is None else norm.weight
        shift = norm.bias
        if not uses_batch_statistics(norm):
            mean, variance = norm.running_mean, norm.running_var
    offsets, edges = (None, None) if transposed is None else transposed[:2]
    out, _, edge_mean, edge_variance = torch.ops.hitgraph.edge_conv_max(
        features,
        inputs.index,
        weight,
        linear.bias,
        scale,
        shift,
        mean,
        variance,
        eps,
        slope,
        inputs.centers,
        offsets,
        edges,
    )
    if norm is not None and mean is None:
        count = (inputs.index >= 0).sum()
        update_running_statistics(norm, edge_mean, edge_variance, count)
    result: Tensor = out
    return result


def run_in_slices(
    network: nn.Module, inputs: EdgeInputs, aggregation: str, slice_bytes: int = SLICE_BYTES
) -> Tensor:
    """(M, C): the network's values on every edge, reduced over each row; 0 in a row without any.

    A batch normalisation that uses the batch's statistics needs them of all edges: if there are
    several slices, for each there is a pass of its own over them, through what stands before it.
    """
    modules = flattened(network)
    slices = list(_slices(modules, inputs, slice_bytes))
    if len(slices) == 1:
        return _run_at_once(modules, inputs, aggregation)
    statistics: dict[int, tuple[Tensor, Tensor]] = {}
    for number, module in enumerate(modules):
        if isinstance(module, nn.BatchNorm1d) and uses_batch_statistics(module):
            statistics[number] = _edge_statistics(modules, number, statistics, inputs, slices)

    def reduced(begin: int, end: int) -> Tensor:
        edges, present = inputs.of_rows(begin, end)
        values = _through(modules, edges, statistics)
        return _reduce(values, present, end - begin, inputs.index.shape[1], aggregation)

    return torch.cat([_maybe_again(reduced, *rows) for rows in slices])


def _run_at_once(modules: list[nn.Module], inputs: EdgeInputs, aggregation: str) -> Tensor:
    """All edges go through each module once."""
    rows, k = inputs.index.shape
    values, present = inputs.of_rows(0, rows)
    # Where looking costs no sync and breaks no graph, missing edges are left out.
    known = values.is_cpu and not torch.compiler.is_compiling()
    whole = known and bool(present.all())
    kept = None if whole or not known else present.nonzero().squeeze(1)
    if kept is not None:
        values = values.index_select(0, kept)
    for module in modules:
        if not (isinstance(module, nn.BatchNorm1d) and uses_batch_statistics(module)):
            values = module(values)
        elif known and len(values) > 1:  # torch normalises no single value
            values = _normalised_by_torch(module, values)
        else:
            there = present if kept is None else present[kept]
            values = _normalised(module, values, *_statistics_of(module, values, there))
    if kept is not None:
        values = values.new_zeros((rows * k, values.shape[1])).index_copy(0, kept, values)
    return _reduce(values, present, rows, k, aggregation)


def _normalised_by_torch(module: nn.BatchNorm1d, values: Tensor) -> Tensor:
    """With the statistics of the values (E, C). They are moved to their mean first: torch's sums
    lose the spread of values far from 0, whose normalised form is the same."""
    with torch.no_grad():
        near = values.mean(0)
    mean, variance = torch.zeros_like(near), torch.ones_like(near)
    result = nn.functional.batch_norm(
        values - near, mean, variance, module.weight, module.bias, True, 1.0, module.eps
    )
    count = torch.tensor(len(values))
    update_running_statistics(module, near + mean, variance * ((count - 1) / count), count)
    return result


def _statistics_of(
    module: nn.BatchNorm1d, values: Tensor, present: Tensor
) -> tuple[Tensor, Tensor]:
    """Mean and variance (C) of those values (E, C) that are present (E); running statistics
    follow."""
    missing, count = ~present.unsqueeze(1), present.sum()
    mean = values.masked_fill(missing, 0).sum(0) / count.clamp_min(1)
    squares = (values - mean).square().masked_fill(missing, 0)
    variance = squares.sum(0) / count.clamp_min(1)
    update_running_statistics(module, mean, variance, count)
    return mean, variance


def _normalised(module: nn.BatchNorm1d, values: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
    values = (values - mean) * (variance + module.eps).rsqrt()
    return values if module.weight is None else values * module.weight + module.bias


def _slices(
    modules: list[nn.Module], inputs: EdgeInputs, slice_bytes: int
) -> Iterator[tuple[int, int]]:
    rows, k = inputs.index.shape
    widths = [m.out_features for m in modules if isinstance(m, nn.Linear)]
    width = max([2 * inputs.features.shape[1], *widths])
    step = max(1, slice_bytes // (k * width * inputs.features.element_size()))
    norms = [n for n, m in enumerate(modules) if isinstance(m, nn.BatchNorm1d)]
    drops = [n for n, m in enumerate(modules) if isinstance(m, nn.Dropout) and m.training and m.p]
    if norms and drops and drops[0] < norms[-1]:
        step = max(rows, 1)  # what the passes drop must be the same
    for begin in range(0, max(rows, 1), step):
        yield begin, min(begin + step, rows)


def _maybe_again(function: Callable[..., Tensor], *arguments: int) -> Tensor:
    """A slice, which is made again in the backward pass."""
    if not torch.is_grad_enabled():
        return function(*arguments)
    result: Tensor = checkpoint(function, *arguments, use_reentrant=False)
    return result


def _through(
    modules: list[nn.Module], values: Tensor, statistics: dict[int, tuple[Tensor, Tensor]]
) -> Tensor:
    for number, module in enumerate(modules):
        if number not in statistics:
            values = module(values)
            continue
        assert isinstance(module, nn.BatchNorm1d)
        values = _normalised(module, values, *statistics[number])
    return values


def _edge_statistics(
    modules: list[nn.Module],
    number: int,
    statistics: dict[int, tuple[Tensor, Tensor]],
    inputs: EdgeInputs,
    slices: list[tuple[int, int]],
) -> tuple[Tensor, Tensor]:
    """Mean and variance (C) of what module `number` is given, over the edges that are present.

    Sums are of deviations from the first slice's mean: squares of values far from 0 would cancel.
    """
    with torch.no_grad():
        edges, present = inputs.of_rows(*slices[0])
        values = _through(modules[:number], edges, statistics)
        weight = present.to(values.dtype).unsqueeze(1)
        near = (values * weight).sum(0) / weight.sum().clamp_min(1)

    def sums(begin: int, end: int) -> Tensor:
        edges, present = inputs.of_rows(begin, end)
        deviations = _through(modules[:number], edges, statistics) - near
        deviations = deviations.masked_fill(~present.unsqueeze(1), 0)
        return torch.stack((deviations.sum(0), deviations.square().sum(0)))

    total = torch.stack([_maybe_again(sums, *rows) for rows in slices]).sum(0)
    count = (inputs.index >= 0).sum()
    first, second = total / count.clamp_min(1)
    mean, variance = near + first, (second - first.square()).clamp_min(0)
    module = modules[number]
    assert isinstance(module, nn.BatchNorm1d)
    update_running_statistics(module, mean, variance, count)
    return mean, variance


def _reduce(values: Tensor, present: Tensor, rows: int, k: int, aggregation: str) -> Tensor:
    values = values.unflatten(0, (rows, k))
    missing = ~present.view(rows, k, 1)
    if aggregation == "max":
        most = values.masked_fill(missing, -torch.inf).max(1).values
        return most.masked_fill(missing.all(1), 0)
    total = values.masked_fill(missing, 0).sum(1)
    if aggregation == "mean":
        total = total / (~missing).sum(1).clamp_min(1)
    return total
