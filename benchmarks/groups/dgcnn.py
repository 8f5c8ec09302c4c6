"""DGCNN: the search in many dimensions, and EdgeConv on a given graph, forward and backward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .. import edge_conv, inputs
from ..cells import Cell, Contender, Contenders, Prepared, Profile
from ..method.oracle import Verdict, check_tensors
from . import knn

BOUND = 1e-3


def cells(profile: Profile, device: str) -> list[Cell]:
    clouds = {"smoke": 1, "quick": 8, "full": 32, "gpu": 32}[profile.name]
    n = clouds * edge_conv.POINTS

    def layer(width: int, out: int) -> Cell:
        sizes = {"d": width, "out": out, "k": edge_conv.K}
        return Cell("dgcnn", device, "EdgeConv", n, sizes, seconds=clouds / 4 * out / 64)

    if profile.name == "smoke":
        return [layer(8, 8)]
    k = edge_conv.K - 1  # and the point itself
    searches = [
        Cell("dgcnn", device, "features", n, {"d": d, "k": k}, seconds=clouds / 2)
        for d in edge_conv.SEARCHES
    ]
    return [*searches, *(layer(*widths) for widths in edge_conv.LAYERS)]


def prepare(cell: Cell, profile: Profile) -> Prepared:
    if cell.case == "features":
        return knn.prepare(cell, profile)
    width, out = cell.sizes["d"], cell.sizes["out"]
    x = inputs.make("features", cell.n, width, cell.device).points
    small = x[: edge_conv.POINTS]
    truth, checks = exact(small, out), edge_conv.layer_steps(small, out)

    def verdict(name: str) -> Callable[[Any], Verdict]:
        return lambda _: check_tensors(checks[name](), truth, BOUND)

    found: Contenders = {
        name: Contender(step, verdict(name)) for name, step in edge_conv.layer_steps(x, out).items()
    }
    return Prepared(found)


def exact(x: Tensor, out_features: int) -> tuple[Tensor, Tensor]:
    """The layer's result and the gradient of its input in float64, with a tensor of the edges."""
    network = edge_conv.network_of(x.shape[1], out_features).to(x.device).double()
    grad = edge_conv.gradient_of(x, out_features).double()
    index = edge_conv.graph_of(x)
    leaf = x.double().requires_grad_()
    own = leaf[:, None].expand(-1, index.shape[1], -1)
    edges = torch.cat((own, leaf[index] - own), -1)
    y = network(edges.flatten(0, 1)).unflatten(0, index.shape).max(1).values
    y.backward(grad)
    assert leaf.grad is not None
    return y.detach(), leaf.grad
