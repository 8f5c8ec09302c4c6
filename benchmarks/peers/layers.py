"""Layers of other libraries, and the same with tensor operations, which is also the oracle."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

import hitgraph
from hitgraph.models.gravnet_model import GravNetBlock
from hitgraph.nn import GravNet

from .base import Peer
from .every_pair import Cdist


def whose_weights_are_taken(kind: Callable[..., nn.Module], own: GravNet) -> nn.Module:
    """A layer of that kind and of the same sizes, whose weights `own` takes over."""
    sizes = own.space.out_features, own.propagate.out_features, own.k
    other = kind(own.in_features, own.out_features, *sizes)
    own.load_state_dict(other.state_dict())
    return other


class PyG(Peer):
    """torch_geometric's layers; up to 2.7 they search with torch-cluster."""

    name = "torch_geometric"
    modules = ("torch_geometric", "torch_cluster")
    install = "pip install torch_geometric torch_cluster --no-build-isolation"
    devices = ("cpu", "cuda")
    tasks = ()
    preset = "pyg"

    @staticmethod
    def gravnet(own: GravNet) -> nn.Module:
        """A layer of the same sizes, whose weights `own` takes over."""
        from torch_geometric.nn import GravNetConv

        return whose_weights_are_taken(GravNetConv, own)


class FastGraphComputeLayer(Peer):
    name = "FastGraphCompute's layer"
    modules = ("fastgraphcompute", "fastgraphcompute.gnn_ops")
    install = "pip install git+https://github.com/jkiesele/FastGraphCompute --no-build-isolation"
    devices = ("cpu", "cuda")
    tasks = ()
    preset = "fastgraphcompute"

    @staticmethod
    def gravnet(own: GravNet) -> nn.Module:
        from fastgraphcompute.gnn_ops import GravNetOp

        return OneEvent(whose_weights_are_taken(GravNetOp, own))


class OneEvent(nn.Module):
    """FastGraphCompute's layer with the row splits of one event; the result alone."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        splits = torch.tensor([0, len(x)], device=x.device)
        y: Tensor = self.layer(x, splits)[0]
        return y


class TensorOperations(nn.Module):
    """GravNet with torch.cdist, topk and a tensor of the edges' features, from the weights of a
    GravNet of the presets "pyg" or "fastgraphcompute". In float64 it is what others are compared
    with.
    """

    def __init__(self, own: GravNet) -> None:
        super().__init__()
        self.space, self.propagate, self.output = own.space, own.propagate, own.output
        self.k = own.k
        self.activation = own.activation or nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        space, sent = self.space(x), self.propagate(x)
        index = self.nearest(space.detach())
        distance2 = (space[:, None] - space[index]).square().sum(-1)
        weighted = torch.exp(-10 * distance2).unsqueeze(-1) * sent[index]
        found = torch.cat([x, weighted.mean(1), weighted.max(1).values], 1)
        y: Tensor = self.activation(self.output(found))
        return y

    def nearest(self, space: Tensor) -> Tensor:
        rows = [
            torch.cdist(part, space, compute_mode=Cdist.mode).topk(self.k, largest=False).indices
            for part in space.split(1024)
        ]
        return torch.cat(rows)


class InPlace(nn.Module):
    """A layer that takes x alone, in the place of a GravNet of `hitgraph.models.GravNetModel`."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor, row_splits: None = None, **_: object) -> Tensor:
        y: Tensor = self.layer(x)
        return y


LAYERS = (PyG(), FastGraphComputeLayer())


def gravnet_of(block: nn.Module) -> GravNet:
    assert isinstance(block, GravNetBlock)
    return block.gravnet


def with_layers(
    model: hitgraph.models.GravNetModel, layer_of: Callable[[GravNet], nn.Module]
) -> nn.Module:
    """The model with other GravNets in their place: what `layer_of` makes of each."""
    for block in model.blocks:
        block.gravnet = InPlace(layer_of(gravnet_of(block)))
    return model
