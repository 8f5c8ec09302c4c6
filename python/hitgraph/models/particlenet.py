"""ParticleNet, arXiv:1902.08570: EdgeConv blocks on the particles of a jet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from hitgraph._arguments import check_features, check_sizes
from hitgraph.nn import DynamicEdgeConv

from .events import event_mean, flat_events, splits_of


class ParticleNetBlock(nn.Module):
    """EdgeConv with the mean over the k nearest others, and a short cut around it, then ReLU.

    Args:
        in_features: columns of x.
        widths: of the network's three (or any number of) linear maps.
        k: neighbours of a particle, itself not among them.
    """

    def __init__(self, in_features: int, widths: Sequence[int], k: int) -> None:
        super().__init__()
        self.edges = DynamicEdgeConv.preset("particlenet", (in_features, *widths), k)
        self.shortcut = nn.Sequential(
            nn.Linear(in_features, widths[-1], bias=False), nn.BatchNorm1d(widths[-1])
        )

    def forward(
        self, x: Tensor, coordinates: Tensor, row_splits: Tensor, mask: Tensor | None = None
    ) -> Tensor:
        """(N, widths[-1]), for x (N, in_features) and the graph's coordinates (N, d)."""
        edges = self.edges(x, row_splits, coordinates=coordinates, mask=mask)
        if mask is None:
            return torch.relu(edges + self.shortcut(x))
        # Padding is kept out of the statistics of the short cut's normalisation.
        short = torch.zeros_like(edges).index_put((mask,), self.shortcut(x[mask]))
        return torch.relu(edges + short)


class Sizes(NamedTuple):
    """What tells one ParticleNet from another."""

    blocks: tuple[tuple[int, tuple[int, ...]], ...]  # k and widths of each
    hidden: int


SIZES = {
    "full": Sizes(((16, (64,) * 3), (16, (128,) * 3), (16, (256,) * 3)), 256),
    "lite": Sizes(((7, (32,) * 3), (7, (64,) * 3)), 128),
}


class ParticleNet(nn.Module):
    """ParticleNet: one result a jet. The first graph is that of the particles' coordinates (η, φ),
    further ones of the features before. φ is taken as it comes: give it relative to the jet's axis,
    or particles on both sides of ±π are far apart.

    Args:
        in_features: columns of the features.
        classes: columns of the result.
        size: "full" (k = 16; 64, 128 and 256 channels; 256 behind the mean) or "lite" (k = 7; 32
            and 64; 128).
        dropout: its probability, behind the first linear map.
    """

    def __init__(
        self, in_features: int, classes: int = 2, *, size: str = "full", dropout: float = 0.1
    ) -> None:
        super().__init__()
        where = "hitgraph.models.ParticleNet"
        check_sizes(where, in_features=in_features, classes=classes)
        if size not in SIZES:
            raise ValueError(f"{where}: expected size to be 'full' or 'lite', got {size!r}")
        self.in_features = in_features
        self.norm = nn.BatchNorm1d(in_features)
        blocks, width = [], in_features
        for k, widths in SIZES[size].blocks:
            blocks.append(ParticleNetBlock(width, widths, k))
            width = widths[-1]
        self.blocks = nn.ModuleList(blocks)
        hidden = SIZES[size].hidden
        self.dense = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(dropout))
        self.out = nn.Linear(hidden, classes)

    def forward(
        self,
        coordinates: Tensor,
        features: Tensor,
        row_splits: Tensor | None = None,
        *,
        batch: Tensor | None = None,
        batch_size: int | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        """
        Args:
            coordinates: (N, d), or (B, P, d) for B jets padded to P particles.
            features: (N, in_features), or (B, P, in_features).
            row_splits, batch, batch_size: the jets, as in `hitgraph.knn`; not for padded ones.
            mask: (N) or (B, P) bool: False marks padding, whose coordinates and features may be
                anything finite.

        Returns:
            (B, classes).
        """
        where = "hitgraph.models.ParticleNet"
        if features.dim() == 3:
            coordinates = coordinates.flatten(0, 1)
            mask = None if mask is None else mask.flatten()
        features, row_splits = flat_events(where, features, row_splits, batch)
        check_features(where, features, self.in_features, self.out.weight.dtype)
        splits = splits_of(features, row_splits, batch, batch_size)
        if mask is None:
            x = self.norm(features)
        else:
            x = torch.zeros_like(features).index_put((mask,), self.norm(features[mask]))
        space = coordinates
        for block in self.blocks:
            x = block(x, space, splits, mask)
            space = x
        result: Tensor = self.out(self.dense(event_mean(x, splits, mask)))
        return result
