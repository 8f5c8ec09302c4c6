"""DGCNN, arXiv:1801.07829: EdgeConv layers whose graphs follow the features."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hitgraph._arguments import check_features, check_sizes
from hitgraph.nn import DynamicEdgeConv

from .events import event_maximum, event_mean, splits_of, to_points


def _dense(widths: Sequence[int], dropout: float = 0.0) -> nn.Sequential:
    """Linear without bias, batch normalisation, LeakyReLU and dropout, from width to width."""
    modules: list[nn.Module] = []
    for before, after in itertools.pairwise(widths):
        modules += [
            nn.Linear(before, after, bias=False),
            nn.BatchNorm1d(after),
            nn.LeakyReLU(0.2),
        ]
        if dropout:
            modules.append(nn.Dropout(dropout))
    return nn.Sequential(*modules)


class _EdgeLayers(nn.Module):
    """EdgeConv layers in a row, each on the graph of its own input; what all of them found."""

    def __init__(
        self, in_features: int, networks: Sequence[Sequence[int]], k: int, where: str
    ) -> None:
        super().__init__()
        check_sizes(where, in_features=in_features, k=k)
        layers, width = [], in_features
        for widths in networks:
            layers.append(DynamicEdgeConv.preset("dgcnn", (width, *widths), k))
            width = widths[-1]
        self.layers = nn.ModuleList(layers)
        self.out_features = sum(widths[-1] for widths in networks)

    def forward(self, x: Tensor, row_splits: Tensor, coordinates: Tensor | None) -> Tensor:
        found = []
        for layer in self.layers:
            x = layer(x, row_splits, coordinates=coordinates)
            coordinates = None  # given for the first graph alone
            found.append(x)
        return torch.cat(found, 1)


class DGCNN(nn.Module):
    """DGCNN for classification: one result an event.

    With the default arguments that of the paper for ModelNet40 (1024 points, k = 20; 40 for 2048),
    as its PyTorch versions have it::

        4 EdgeConv  3 → 64 → 64 → 128 → 256, each on the 20 nearest by its own input
        Linear 512 → 1024 of all four together; maximum and mean over the event: 2048
        Linear → 512, Linear → 256, dropout 0.5 behind each, Linear → 40

    Every Linear but the last is followed by batch normalisation and LeakyReLU(0.2).

    Args:
        in_features: columns of x.
        classes: columns of the result.
        k: neighbours of a point, itself among them.
        widths: of the EdgeConv layers.
        embedding: width before the maximum and the mean.
        hidden: widths behind them.
        dropout: its probability.
        coordinates: the columns of x in which the first graph is searched; all without it.
    """

    def __init__(
        self,
        in_features: int = 3,
        classes: int = 40,
        *,
        k: int = 20,
        widths: Sequence[int] = (64, 64, 128, 256),
        embedding: int = 1024,
        hidden: Sequence[int] = (512, 256),
        dropout: float = 0.5,
        coordinates: slice | None = None,
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.coordinates = coordinates
        self.edges = _EdgeLayers(in_features, [(w,) for w in widths], k, "hitgraph.models.DGCNN")
        self.embed = _dense((self.edges.out_features, embedding))
        self.dense = _dense((2 * embedding, *hidden), dropout)
        self.out = nn.Linear(hidden[-1], classes)

    def forward(
        self,
        x: Tensor,
        row_splits: Tensor | None = None,
        *,
        batch: Tensor | None = None,
        batch_size: int | None = None,
    ) -> Tensor:
        """(B, classes), for x (N, in_features) and events as in `hitgraph.knn`."""
        check_features("hitgraph.models.DGCNN", x, self.in_features, self.out.weight.dtype)
        splits = splits_of(x, row_splits, batch, batch_size)
        first = None if self.coordinates is None else x[:, self.coordinates].contiguous()
        points = self.embed(self.edges(x, splits, first))
        events = torch.cat((event_maximum(points, splits), event_mean(points, splits)), 1)
        result: Tensor = self.out(self.dense(events))
        return result


class DGCNNSegmentation(nn.Module):
    """DGCNN for segmentation: one result a point.

    With the default arguments that of the paper for S3DIS: 9 columns (position, colour, position in
    the room), of which the last three make the first graph::

        EdgeConv 9 → 64 → 64, 64 → 64 → 64, 64 → 64, each on the 20 nearest
        Linear 192 → 1024 of all three together, maximum over the event
        Linear 1024 + 192 → 512, Linear → 256, dropout 0.5, Linear → 13

    ``DGCNNSegmentation(3, 50, k=40, coordinates=None, hidden=(256, 256, 128), categories=16)`` is
    that for the parts of ShapeNet, without the network that turns its input.

    Args:
        in_features, classes, k, embedding, dropout, coordinates: as `DGCNN`.
        networks: widths of the EdgeConv layers' networks.
        hidden: widths behind the maximum.
        categories: how many kinds of events there are, if a point's class depends on it; 0: none.
    """

    def __init__(
        self,
        in_features: int = 9,
        classes: int = 13,
        *,
        k: int = 20,
        networks: Sequence[Sequence[int]] = ((64, 64), (64, 64), (64,)),
        embedding: int = 1024,
        hidden: Sequence[int] = (512, 256),
        dropout: float = 0.5,
        coordinates: slice | None = slice(6, 9),
        categories: int = 0,
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.categories = categories
        self.coordinates = coordinates
        self.edges = _EdgeLayers(in_features, networks, k, "hitgraph.models.DGCNNSegmentation")
        self.embed = _dense((self.edges.out_features, embedding))
        self.category = _dense((categories, 64)) if categories else None
        known = embedding + (64 if categories else 0)
        self.dense = _dense((known + self.edges.out_features, *hidden))
        self.out = nn.Sequential(nn.Dropout(dropout), nn.Linear(hidden[-1], classes))

    def forward(
        self,
        x: Tensor,
        row_splits: Tensor | None = None,
        *,
        batch: Tensor | None = None,
        batch_size: int | None = None,
        category: Tensor | None = None,
    ) -> Tensor:
        """(N, classes), for x (N, in_features) and events as in `hitgraph.knn`.

        Args:
            category: (B) int64 from 0 to categories − 1, the kind of each event.
        """
        where = "hitgraph.models.DGCNNSegmentation"
        check_features(where, x, self.in_features, next(self.parameters()).dtype)
        if (category is None) != (self.category is None):
            expected = "a category for each event" if self.category else "no category"
            raise ValueError(f"{where}: expected {expected}, got {category!r}")
        splits = splits_of(x, row_splits, batch, batch_size)
        first = None if self.coordinates is None else x[:, self.coordinates].contiguous()
        points = self.edges(x, splits, first)
        events = event_maximum(self.embed(points), splits)
        if category is not None and self.category is not None:
            kinds = nn.functional.one_hot(category, self.categories).to(x.dtype)
            events = torch.cat((events, self.category(kinds)), 1)
        result: Tensor = self.out(
            self.dense(torch.cat((to_points(events, splits, len(x)), points), 1))
        )
        return result
