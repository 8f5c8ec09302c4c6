"""The GravNet layers of other systems, each written out from its published definition.

Plain tensor operations on the dense matrix of distances of one event at a time: slow, float64,
differentiable. Nothing here is shared with the library, and little between the systems.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
from torch import Tensor

Weights = dict[str, Tensor]


def nearest(space: Tensor, k: int, *, with_self: bool) -> Tensor:
    """(n, k or as many as there are): the nearest of one event by (distance, index)."""
    exactly = "donot_use_mm_for_euclid_dist"
    distance = torch.cdist(space.detach(), space.detach(), compute_mode=exactly)
    if not with_self:
        distance.fill_diagonal_(torch.inf)
    present = len(space) if with_self else len(space) - 1
    return distance.sort(dim=1, stable=True).indices[:, : min(k, present)]


def squared_distance(space: Tensor, index: Tensor) -> Tensor:
    return (space[:, None] - space[index]).square().sum(dim=2)


def linear(weights: Weights, name: str, x: Tensor) -> Tensor:
    y = x @ weights[f"{name}.weight"].T
    return y + weights[f"{name}.bias"] if f"{name}.bias" in weights else y


def mean_of_present(messages: Tensor) -> Tensor:
    """(n, c, f) -> (n, f), 0 for c = 0."""
    return messages.sum(dim=1) / max(messages.shape[1], 1)


def max_of_present(messages: Tensor) -> Tensor:
    if messages.shape[1] == 0:
        return messages.new_zeros(messages.shape[0], messages.shape[2])
    return messages.max(dim=1).values


def paper(x: Tensor, w: Weights, k: int) -> Tensor:
    """arXiv:1902.07987."""
    s, f = linear(w, "space", x), linear(w, "propagate", x)
    j = nearest(s, k, with_self=False)
    messages = f[j] * torch.exp(-squared_distance(s, j))[:, :, None]
    columns = [x, messages.sum(dim=1) / k, max_of_present(messages)]
    return torch.tanh(linear(w, "output", torch.cat(columns, dim=1)))


def talk(x: Tensor, w: Weights, k: int) -> Tensor:
    """Faster dynamic GNNs with GPUs, 2024, backup slide."""
    s, f = linear(w, "space", x), linear(w, "propagate", x)
    j = nearest(s, k, with_self=False)
    messages = f[j] * torch.exp(-squared_distance(s, j))[:, :, None]
    columns = [x, f - messages.sum(dim=1) / k, f - max_of_present(messages)]
    return linear(w, "output", torch.cat(columns, dim=1)).clamp(min=0)


def pyg(x: Tensor, w: Weights, k: int) -> Tensor:
    """torch_geometric.nn.GravNetConv: an edge list, with the point itself in it."""
    s, f = linear(w, "space", x), linear(w, "propagate", x)
    j = nearest(s, k, with_self=True)
    messages = f[j] * torch.exp(-10 * squared_distance(s, j))[:, :, None]
    by_input, by_aggregates = w["output.weight"].tensor_split([x.shape[1]], dim=1)
    aggregates = torch.cat([mean_of_present(messages), max_of_present(messages)], dim=1)
    return x @ by_input.T + aggregates @ by_aggregates.T + w["output.bias"]


def fastgraphcompute(x: Tensor, w: Weights, k: int) -> Tensor:
    """GravNetOp: k slots, the point itself in the first, zeros in the empty ones."""
    s, f = linear(w, "space", x), linear(w, "propagate", x)
    j = nearest(s, k, with_self=True)
    messages = f[j] * torch.exp(-10 * squared_distance(s, j))[:, :, None]
    empty = messages.new_zeros(len(x), k - j.shape[1], f.shape[1])
    slots = torch.cat([messages, empty], dim=1)
    columns = [x, slots.mean(dim=1), slots.max(dim=1).values]
    return linear(w, "output", torch.cat(columns, dim=1)).clamp(min=0)


def hgcalml(x: Tensor, w: Weights, k: int) -> Tensor:
    """RaggedGravNet: k others, rectified features, aggregates minus own first."""
    s, f = x @ w["space.weight"].T, linear(w, "propagate", x).clamp(min=0)
    j = nearest(s, k, with_self=False)
    messages = f[j] * torch.exp(-10 * squared_distance(s, j))[:, :, None]
    columns = [messages.sum(dim=1) / k - f, max_of_present(messages) - f, x]
    return linear(w, "output", torch.cat(columns, dim=1)).clamp(min=0)


def cmspepr(x: Tensor, w: Weights, k: int) -> Tensor:
    """pytorch_cmspepr's GravNetConv: an edge list without the point itself, aggregates first."""
    s, f = linear(w, "space", x), linear(w, "propagate", x)
    j = nearest(s, k, with_self=False)
    messages = f[j] * torch.exp(-10 * squared_distance(s, j))[:, :, None]
    columns = [mean_of_present(messages), max_of_present(messages), x]
    return linear(w, "output", torch.cat(columns, dim=1))


SYSTEMS: dict[str, Callable[[Tensor, Weights, int], Tensor]] = {
    system.__name__: system for system in (paper, talk, pyg, fastgraphcompute, hgcalml, cmspepr)
}


def by_system(name: str, x: Tensor, weights: Weights, k: int, row_splits: list[int]) -> Tensor:
    """The layer of a system on several events."""
    events = itertools.pairwise(row_splits)
    return torch.cat([SYSTEMS[name](x[start:stop], weights, k) for start, stop in events])
