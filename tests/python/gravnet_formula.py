"""GravNet written row by row in float64: what the tests compare the layer with."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import torch
from torch import Tensor

from hitgraph.nn import GravNet

SPLITS = torch.tensor([0, 0, 17, 18, 18, 21, 40, 40])  # empty, alone, three, enough


def rows_by_formula(
    features: Tensor, index: Tensor, distance2: Tensor, scale: float, divisor: str, missing: str
) -> tuple[list[list[float]], list[list[float]]]:
    """Mean and maximum of the weighted features, one number at a time."""
    means, maxima = [], []
    k = index.shape[1]
    for row, distances in zip(index.tolist(), distance2.tolist(), strict=True):
        mean_row, max_row = [], []
        for channel in range(features.shape[1]):
            products = [
                math.exp(-scale * d2) * float(features[j, channel])
                for j, d2 in zip(row, distances, strict=True)
                if j >= 0
            ]
            count = k if divisor == "k" else max(len(products), 1)
            mean_row.append(math.fsum(products) / count)
            if missing == "zero" and len(products) < k:
                products.append(0.0)
            max_row.append(max(products, default=0.0))
        means.append(mean_row)
        maxima.append(max_row)
    return means, maxima


def neighbours_by_formula(
    coordinates: Tensor, k: int, row_splits: list[int], include_self: bool = False
) -> tuple[Tensor, Tensor]:
    """The k nearest within each event by (squared distance, index), from sorted lists."""
    n = len(coordinates)
    index = torch.full((n, k), -1)
    distance2 = torch.full((n, k), math.inf, dtype=torch.float64)
    point = coordinates.tolist()
    for start, stop in itertools.pairwise(row_splits):
        for i in range(start, stop):
            found = sorted(
                (sum((a - b) ** 2 for a, b in zip(point[i], point[j], strict=True)), j)
                for j in range(start, stop)
                if include_self or j != i
            )[:k]
            for slot, (d2, j) in enumerate(found):
                index[i, slot], distance2[i, slot] = j, d2
    return index, distance2


def layer_by_formula(layer: GravNet, x: Tensor, row_splits: list[int], act: Callable) -> Tensor:
    """The layer in float64 from its weights."""
    weights = {name: value.double() for name, value in layer.state_dict().items()}
    x = x.double()
    space = x @ weights["space.weight"].T + weights["space.bias"]
    sent = x @ weights["propagate.weight"].T + weights["propagate.bias"]
    index, distance2 = neighbours_by_formula(space, layer.k, row_splits, layer.include_self)
    aggregates = dict(
        zip(
            ("mean", "max"),
            rows_by_formula(sent, index, distance2, layer.scale, layer.divisor, layer.missing),
            strict=True,
        )
    )
    columns = [x]
    for name in layer.reduce:
        aggregate = torch.tensor(aggregates[name], dtype=torch.float64).reshape(sent.shape)
        columns.append(
            {
                "none": aggregate,
                "own_minus_aggregate": sent - aggregate,
                "aggregate_minus_own": aggregate - sent,
            }[layer.own]
        )
    result = torch.cat(columns, dim=1) @ weights["output.weight"].T + weights["output.bias"]
    return act(result)


def make(seed: int = 0, **options: object) -> tuple[GravNet, Tensor]:
    """A small float64 layer and 40 points for it."""
    torch.manual_seed(seed)
    options = {"k": 5, "propagate_features": 6, "dtype": torch.float64, **options}
    return GravNet(4, 3, **options), torch.randn(40, 4, dtype=torch.float64)
