"""DGCNN's network that turns its input, arXiv:1801.07829, part segmentation."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hitgraph._arguments import check_sizes
from hitgraph.nn import DynamicEdgeConv

from .dense import normalised_dense
from .events import event_maximum, to_points


class SpatialTransform(nn.Module):
    """Multiplies the points of every event with a matrix that is made of them::

        EdgeConv d → 64 → 128 on the k nearest, Linear → 1024, maximum over the event
        Linear → 512, Linear → 256, Linear → d · d

    Every Linear but the last is followed by batch normalisation and LeakyReLU(0.2). The last begins
    with the weight 0 and the identity as its bias: an untrained network returns its input.

    Args:
        features: d, columns of x.
        k: neighbours of a point, itself among them.
    """

    def __init__(self, features: int = 3, k: int = 20) -> None:
        super().__init__()
        check_sizes("hitgraph.models.SpatialTransform", features=features, k=k)
        self.features = features
        self.edges = DynamicEdgeConv.preset("dgcnn", (features, 64, 128), k)
        self.embed = normalised_dense((128, 1024))
        self.dense = normalised_dense((1024, 512, 256))
        self.out = nn.Linear(256, features * features)
        nn.init.zeros_(self.out.weight)
        with torch.no_grad():
            self.out.bias.copy_(torch.eye(features).flatten())

    def forward(self, x: Tensor, row_splits: Tensor) -> Tensor:
        """(N, d), for x (N, d) and the events' row_splits (B+1) int64: row x_i becomes x_i M."""
        events = event_maximum(self.embed(self.edges(x, row_splits)), row_splits)
        matrices = self.out(self.dense(events)).unflatten(1, (self.features, self.features))
        of_points = to_points(matrices, row_splits, len(x))
        return torch.bmm(x.unsqueeze(1), of_points).squeeze(1)
