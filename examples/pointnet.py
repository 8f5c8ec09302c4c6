"""What the examples compare with: a network that sees every point by itself."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class PointNet(nn.Module):
    """The same maps for every point, maximum and mean over the event, dense layers: PointNet
    (arXiv:1612.00593) without its transforms, and what DGCNN and ParticleNet are without a graph.

    Args:
        in_features: columns of x.
        classes: columns of the result.
        widths: of the maps of a point.
        hidden: widths behind the maximum and the mean.
        dropout: its probability, behind the hidden maps.
    """

    def __init__(
        self,
        in_features: int,
        classes: int,
        *,
        widths: Sequence[int],
        hidden: Sequence[int],
        dropout: float,
    ) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(in_features)
        self.points = _maps((in_features, *widths))
        self.dense = _maps((2 * widths[-1], *hidden), dropout)
        self.out = nn.Linear(hidden[-1], classes)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(B, classes), for x (B, P, in_features); mask (B, P) bool is False on padding."""
        if mask is None:
            mask = torch.ones(x.shape[:2], dtype=torch.bool, device=x.device)
        found = self.points(self.norm(x[mask]))
        padded = found.new_zeros((*mask.shape, found.shape[1])).index_put((mask,), found)
        most = padded.masked_fill(~mask.unsqueeze(2), -torch.inf).amax(1)
        mean = padded.sum(1) / mask.sum(1, keepdim=True)
        result: Tensor = self.out(self.dense(torch.cat((most, mean), 1)))
        return result


def _maps(widths: Sequence[int], dropout: float = 0.0) -> nn.Sequential:
    modules: list[nn.Module] = []
    for before, after in itertools.pairwise(widths):
        modules += [nn.Linear(before, after, bias=False), nn.BatchNorm1d(after), nn.ReLU()]
        if dropout:
            modules.append(nn.Dropout(dropout))
    return nn.Sequential(*modules)
