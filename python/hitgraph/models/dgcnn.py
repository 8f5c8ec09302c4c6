"""DGCNN, arXiv:1801.07829: EdgeConv layers whose graphs follow the features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from hitgraph._arguments import check_features, check_sizes
from hitgraph.nn import DynamicEdgeConv

from .dense import normalised_dense
from .events import event_maximum, event_mean, flat_events, splits_of, to_points
from .spatial_transform import SpatialTransform


class _EdgeLayers(nn.Module):
    """EdgeConv layers in a row, each on the graph of its own input; what all of them found.

    Args:
        in_features: columns of x.
        networks: widths of each layer's network.
        k: neighbours of a point.
        coord_slice: the columns of x in which the first graph is searched; None: all.
        transform: whether x goes through a SpatialTransform first.
        where: what errors call the model.
    """

    def __init__(
        self,
        in_features: int,
        networks: Sequence[Sequence[int]],
        k: int,
        coord_slice: slice | None,
        transform: bool,
        where: str,
    ) -> None:
        super().__init__()
        check_sizes(where, in_features=in_features, k=k)
        self.coord_slice = coord_slice
        self.transform = SpatialTransform(in_features, k) if transform else None
        layers, width = [], in_features
        for widths in networks:
            layers.append(DynamicEdgeConv.preset("dgcnn", (width, *widths), k))
            width = widths[-1]
        self.layers = nn.ModuleList(layers)
        self.out_features = sum(widths[-1] for widths in networks)

    def forward(self, x: Tensor, row_splits: Tensor) -> Tensor:
        if self.transform is not None:
            x = self.transform(x, row_splits)
        coordinates = None if self.coord_slice is None else x[:, self.coord_slice].contiguous()
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

    Every Linear but the last is followed by batch normalisation and LeakyReLU(0.2). The paper's
    TensorFlow version turns its input first: ``widths=(64, 64, 64, 128), transform=True``.

    Args:
        in_features: columns of x.
        classes: columns of the result.
        k: neighbours of a point, itself among them.
        widths: of the EdgeConv layers.
        embedding: width before the maximum and the mean.
        hidden: widths behind them.
        dropout: its probability.
        coord_slice: the columns of x in which the first graph is searched; all without it.
        transform: whether x is multiplied with a matrix made of each event first
            (`SpatialTransform`).
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
        coord_slice: slice | None = None,
        transform: bool = False,
    ) -> None:
        super().__init__()
        where = "hitgraph.models.DGCNN"
        self.in_features = in_features
        networks = [(w,) for w in widths]
        self.edges = _EdgeLayers(in_features, networks, k, coord_slice, transform, where)
        self.embed = normalised_dense((self.edges.out_features, embedding))
        self.dense = normalised_dense((2 * embedding, *hidden), dropout)
        self.out = nn.Linear(hidden[-1], classes)

    def forward(
        self,
        x: Tensor,
        row_splits: Tensor | None = None,
        *,
        batch: Tensor | None = None,
        batch_size: int | None = None,
    ) -> Tensor:
        """(B, classes), for x (N, in_features) and events as in `hitgraph.knn`, or x
        (B, P, in_features), B events of P points."""
        where = "hitgraph.models.DGCNN"
        x, row_splits = flat_events(where, x, row_splits, batch)
        check_features(where, x, self.in_features, self.out.weight.dtype)
        splits = splits_of(x, row_splits, batch, batch_size)
        points = self.embed(self.edges(x, splits))
        events = torch.cat((event_maximum(points, splits), event_mean(points, splits)), 1)
        result: Tensor = self.out(self.dense(events))
        return result


SEGMENTATIONS: dict[str, dict[str, Any]] = {
    "s3dis": {},
    "shapenet": {
        "in_features": 3,
        "classes": 50,
        "k": 40,
        "hidden": (256, 256, 128),
        "drop_behind": (0, 1),
        "coord_slice": None,
        "transform": True,
        "categories": 16,
    },
}
"""What `DGCNNSegmentation.preset` passes: the paper's networks for rooms and for parts."""


class DGCNNSegmentation(nn.Module):
    """DGCNN for segmentation: one result a point.

    With the default arguments that of the paper for S3DIS: 9 columns (position, colour, position in
    the room), of which the last three make the first graph::

        EdgeConv 9 → 64 → 64, 64 → 64 → 64, 64 → 64, each on the 20 nearest
        Linear 192 → 1024 of all three together, maximum over the event
        Linear 1024 + 192 → 512, Linear → 256, dropout 0.5, Linear → 13

    ``DGCNNSegmentation.preset("shapenet")`` is that for the parts of ShapeNet: 3 columns that a
    `SpatialTransform` turns first, the same EdgeConv layers with k = 40, the kind of the event from
    16 → 64 beside the maximum, and Linear 1024 + 64 + 192 → 256 → 256 → 128 → 50 with dropout
    behind the first two.

    Args:
        in_features, classes, k, embedding, dropout, coord_slice, transform: as `DGCNN`.
        networks: widths of the EdgeConv layers' networks.
        hidden: widths behind the maximum.
        drop_behind: numbers of the hidden maps that dropout follows.
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
        drop_behind: Sequence[int] = (1,),
        coord_slice: slice | None = slice(6, 9),
        transform: bool = False,
        categories: int = 0,
    ) -> None:
        super().__init__()
        where = "hitgraph.models.DGCNNSegmentation"
        self.in_features = in_features
        self.categories = categories
        self.edges = _EdgeLayers(in_features, networks, k, coord_slice, transform, where)
        self.embed = normalised_dense((self.edges.out_features, embedding))
        self.category = normalised_dense((categories, 64)) if categories else None
        known = embedding + (64 if categories else 0)
        widths = (known + self.edges.out_features, *hidden)
        self.dense = normalised_dense(widths, dropout, drop_behind)
        self.out = nn.Linear(hidden[-1], classes)

    @classmethod
    def preset(cls, name: str, **changes: Any) -> DGCNNSegmentation:
        """One of the paper's networks.

        Args:
            name: "s3dis" or "shapenet", a key of `hitgraph.models.SEGMENTATIONS`.
            changes: arguments that replace the preset's.

        Raises:
            ValueError: an unknown name.
        """
        if name not in SEGMENTATIONS:
            where, known = "hitgraph.models.DGCNNSegmentation.preset", ", ".join(SEGMENTATIONS)
            raise ValueError(f"{where}: expected name to be one of {known}, got {name!r}")
        return cls(**{**SEGMENTATIONS[name], **changes})

    def forward(
        self,
        x: Tensor,
        row_splits: Tensor | None = None,
        *,
        batch: Tensor | None = None,
        batch_size: int | None = None,
        category: Tensor | None = None,
    ) -> Tensor:
        """
        Args:
            x: (N, in_features), or (B, P, in_features) for B events of P points.
            row_splits, batch, batch_size: the events of the former, as in `hitgraph.knn`.
            category: (B) int64 from 0 to categories − 1, the kind of each event.

        Returns:
            (N, classes) or (B, P, classes).
        """
        where = "hitgraph.models.DGCNNSegmentation"
        given = x
        x, row_splits = flat_events(where, x, row_splits, batch)
        check_features(where, x, self.in_features, self.out.weight.dtype)
        if (category is None) != (self.category is None):
            expected = "a category for each event" if self.category else "no category"
            raise ValueError(f"{where}: expected {expected}, got {category!r}")
        splits = splits_of(x, row_splits, batch, batch_size)
        points = self.edges(x, splits)
        events = event_maximum(self.embed(points), splits)
        if category is not None and self.category is not None:
            kinds = nn.functional.one_hot(category, self.categories).to(x.dtype)
            events = torch.cat((events, self.category(kinds)), 1)
        of_points = torch.cat((to_points(events, splits, len(x)), points), 1)
        result: Tensor = self.out(self.dense(of_points)).unflatten(0, given.shape[:-1])
        return result
