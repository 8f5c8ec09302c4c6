"""GravNet's aggregation on a given graph: fused, and with a tensor of the edges' features."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .. import aggregate
from ..cells import Cell, Contender, Prepared, Profile
from ..method.oracle import Verdict, check_tensors

K = 64
BOUND = 1e-4
"""Of a gradient or a result, in units of the largest of its kind."""


def cells(profile: Profile, device: str) -> list[Cell]:
    def cell(kind: str, n: int, f: int, *extras: str) -> Cell:
        return Cell("aggregate", device, kind, n, {"k": K, "f": f}, frozenset(extras), 4 * f / 32)

    if profile.name == "smoke":
        return [Cell("aggregate", device, "random", 300, {"k": 8, "f": 4})]
    n = {"quick": 20_000, "full": 50_000, "gpu": 200_000}[profile.name]
    found = [cell("random", n, 32, "memory", "threads"), cell("ordered", n, 32)]
    found += [cell("random", n // 2, 128), cell("hubs", n // 2, 32)]
    return [*found, *([] if profile.name == "quick" else [cell("ordered", n, 128)])]


def prepare(cell: Cell, profile: Profile) -> Prepared:
    k, f = cell.sizes["k"], cell.sizes["f"]
    with torch.device(cell.device):
        edges = aggregate.aggregation_inputs(cell.n, k, f, cell.case)
    truth = sample_of(exact(edges), edges)

    def verdict(found: tuple[Tensor, ...]) -> Verdict:
        return check_tensors(sample_of(found, edges), truth, BOUND)

    contenders: dict[str, Contender | str] = {
        name: Contender(
            step,
            verdict,
            {"forward": forward_of(aggregate.AGGREGATIONS[name], edges)},
            threads=name == "hitgraph",
            recipe=recipe(name, cell) if name in ("hitgraph", "indexing") else None,
        )
        for name, step in aggregate.steps_on(edges).items()
    }
    facts = {
        "bytes": float(aggregate.least_traffic(cell.n, k, f)),
        "gathered_bytes": float(aggregate.gathered_traffic(cell.n, k, f)),
    }
    return Prepared(contenders, facts=facts)


def recipe(name: str, cell: Cell) -> tuple[str, str]:
    """For a process of its own: the same step, after a small one that loads and starts all."""
    sizes = f"{cell.sizes['k']}, {cell.sizes['f']}, {cell.case!r}"
    step = "aggregate.aggregation_steps({n}, " + sizes + f")[{name!r}]"
    prepare = f"from benchmarks import aggregate\n{step.format(n=200)}()\nstep = "
    return prepare + step.format(n=cell.n), "kept = step()"


def forward_of(call: Callable[..., tuple[Tensor, ...]], edges: aggregate.Edges) -> Any:
    return torch.no_grad()(
        lambda: call(edges.features, edges.index, edges.distance2, edges.transposed)
    )


def sample_of(results: tuple[Tensor, ...], edges: aggregate.Edges) -> list[Tensor]:
    """Of mean, maximum and gradients the rows that are compared; all where there are few."""
    return [result[:: max(1, len(result) // 512)] for result in results]


def exact(edges: aggregate.Edges) -> tuple[Tensor, ...]:
    """Mean, maximum and the gradients in float64, a slice of rows after another."""
    features = edges.features.detach().double().requires_grad_()
    distance2 = edges.distance2.detach().double().requires_grad_()
    results: list[tuple[Tensor, ...]] = []
    step = max(1, 2**24 // (edges.index.shape[1] * features.shape[1]))
    for begin in range(0, len(features), step):
        rows = slice(begin, begin + step)
        weight = torch.exp(-aggregate.SCALE * distance2[rows]).unsqueeze(-1)
        weighted = weight * features[edges.index[rows]]
        outputs = weighted.mean(1), weighted.max(1).values
        torch.autograd.backward(outputs, [grad[rows].double() for grad in edges.grads])
        results.append(tuple(output.detach() for output in outputs))
    mean, maximum = (torch.cat(parts) for parts in zip(*results, strict=True))
    assert features.grad is not None and distance2.grad is not None
    return mean, maximum, features.grad, distance2.grad
