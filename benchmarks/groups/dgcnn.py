"""DGCNN: the search in many dimensions, EdgeConv on a given graph, and the whole model."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

import hitgraph
from hitgraph.models import DGCNN

from .. import dgcnn, edge_conv, inputs
from ..cells import Cell, Contender, Contenders, Prepared, Profile
from ..method.oracle import Verdict, check_tensors
from . import knn

MODEL = "DGCNN, training step"
BOUND = 1e-3


def cells(profile: Profile, device: str) -> list[Cell]:
    clouds = {"smoke": 1, "quick": 8, "full": 32, "gpu": 32}[profile.name]
    n = clouds * edge_conv.POINTS

    def layer(width: int, out: int) -> Cell:
        sizes = {"d": width, "out": out, "k": edge_conv.K}
        return Cell("dgcnn", device, "EdgeConv", n, sizes, seconds=clouds / 4 * out / 64)

    batch = {"smoke": 2, "quick": 2, "full": 32, "gpu": 32}[profile.name]
    sizes = {"d": 3, "k": edge_conv.K}
    model = Cell("dgcnn", device, MODEL, batch * dgcnn.POINTS, sizes, seconds=7 * batch)
    if profile.name == "smoke":
        return [layer(8, 8), model]
    k = edge_conv.K - 1  # and the point itself
    searches = [
        Cell("dgcnn", device, "features", n, {"d": d, "k": k}, seconds=clouds / 2)
        for d in edge_conv.SEARCHES
    ]
    return [*searches, *(layer(*widths) for widths in edge_conv.LAYERS), model]


def prepare(cell: Cell, profile: Profile) -> Prepared:
    if cell.case == "features":
        return knn.prepare(cell, profile)
    if cell.case == MODEL:
        return Prepared(models(cell))
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


def models(cell: Cell) -> Contenders:
    """The classification of shapes; judged by its result in evaluation for the first."""
    nets, given = dgcnn.networks(cell.n // dgcnn.POINTS, cell.device)
    own = nets["hitgraph"]
    assert isinstance(own, DGCNN)
    truth = exact_model(own, given["hitgraph"][0][: dgcnn.POINTS])

    def contender(name: str, net: nn.Module) -> Contender:
        still = copy.deepcopy(net).eval()  # training moves what evaluation uses

        @torch.inference_mode()
        def verdict(_: Any) -> Verdict:
            return check_tensors([still(*given[name])[:1]], [truth], BOUND)

        return Contender(dgcnn.classification_step(net, given[name]), verdict)

    return {name: contender(name, net) for name, net in nets.items()}


def edge_maximum(network: nn.Module, x: Tensor, index: Tensor) -> Tensor:
    """The definition: a tensor of the edges, the network on each, the maximum of a row."""
    own = x[:, None].expand(-1, index.shape[1], -1)
    edges = torch.cat((own, x[index] - own), -1)
    result: Tensor = network(edges.flatten(0, 1)).unflatten(0, index.shape).max(1).values
    return result


def exact(x: Tensor, out_features: int) -> tuple[Tensor, Tensor]:
    """The layer's result and the gradient of its input in float64."""
    network = edge_conv.network_of(x.shape[1], out_features).to(x.device).double()
    grad = edge_conv.gradient_of(x, out_features).double()
    leaf = x.double().requires_grad_()
    y = edge_maximum(network, leaf, edge_conv.graph_of(x))
    y.backward(grad)
    assert leaf.grad is not None
    return y.detach(), leaf.grad


@torch.no_grad()
def exact_model(model: DGCNN, x: Tensor) -> Tensor:
    """The model's result for one cloud in evaluation, in float64."""
    model, x = copy.deepcopy(model).double().eval(), x.double()
    found = []
    for layer in model.edges.layers:
        assert isinstance(layer, hitgraph.nn.DynamicEdgeConv)
        distances = torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist")
        x = edge_maximum(layer.nn, x, distances.topk(layer.k, largest=False).indices)
        found.append(x)
    points = model.embed(torch.cat(found, 1))
    events = torch.cat((points.max(0).values, points.mean(0)))[None]
    result: Tensor = model.out(model.dense(events))
    return result
