"""The network of examples/reconstruct.py, and the same network and loss on plain tensor operations,
for comparison.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from hitgraph.models.events import event_mean, to_points
from hitgraph.nn import GravNet, ObjectCondensationLoss

K = 16
FEATURES, WIDTH = 6, 48
DIMENSIONS = 3  # of the space that hits condense in


class Block(nn.Module):
    """Event mean, two dense layers, GravNet, normalisation."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.dense = nn.Sequential(
            nn.Linear(2 * features, WIDTH), nn.ELU(), nn.Linear(WIDTH, WIDTH), nn.ELU()
        )
        self.gravnet = GravNet(
            WIDTH,
            WIDTH,
            space_dimensions=4,
            propagate_features=16,
            k=K,
            scale=10.0,
            include_self=True,
            activation=torch.relu,
        )
        self.norm = nn.BatchNorm1d(WIDTH)

    def forward(self, x: Tensor, row_splits: Tensor, fused: bool) -> Tensor:
        mean = to_points(event_mean(x, row_splits), row_splits, len(x))
        x = self.dense(torch.cat([x, mean], dim=1))
        x = self.gravnet(x, row_splits) if fused else plain_gravnet(self.gravnet, x, row_splits)
        y: Tensor = self.norm(x)
        return y


class Reconstruction(nn.Module):
    """Of every hit: β in (0, 1), and where it condenses, in three dimensions."""

    def __init__(self, fused: bool = True) -> None:
        super().__init__()
        self.fused = fused
        self.norm = nn.BatchNorm1d(FEATURES)
        self.blocks = nn.ModuleList(Block(f) for f in (FEATURES, WIDTH, WIDTH))
        self.head = nn.Sequential(
            nn.Linear(3 * WIDTH, 64), nn.ELU(), nn.Linear(64, 64), nn.ELU(),
            nn.Linear(64, 1 + DIMENSIONS),
        )  # fmt: skip

    def forward(self, features: Tensor, row_splits: Tensor) -> tuple[Tensor, Tensor]:
        x = self.norm(features)
        outputs = []
        for block in self.blocks:
            x = block(x, row_splits, self.fused)
            outputs.append(x)
        y = self.head(torch.cat(outputs, dim=1))
        return y[:, 0].sigmoid(), y[:, 1:]


def plain_gravnet(layer: GravNet, x: Tensor, row_splits: Tensor) -> Tensor:
    """`layer` with a k-d tree for each event and one tensor of all edges' features. An event's hits
    are more than k.
    """
    from scipy.spatial import cKDTree

    space, features = layer.space(x), layer.propagate(x)
    coordinates = space.detach().cpu().numpy()
    found = [
        cKDTree(coordinates[begin:end]).query(coordinates[begin:end], layer.k)[1] + begin
        for begin, end in pairwise(row_splits.tolist())
    ]
    index = torch.from_numpy(np.concatenate(found)).to(x.device)
    embedding = nn.functional.embedding  # its gradient is faster than that of an index
    distance2 = (embedding(index, space) - space[:, None]).square().sum(-1)
    weighted = embedding(index, features) * torch.exp(-layer.scale * distance2)[..., None]
    aggregates = [weighted.mean(1), weighted.amax(1)]
    return torch.relu(layer.output(torch.cat([x, *aggregates], dim=1)))


def plain_loss(
    loss: ObjectCondensationLoss, beta: Tensor, x: Tensor, labels: Tensor, row_splits: Tensor
) -> Tensor:
    """The paper's loss with a matrix of hits times objects for each event."""
    events = []
    for begin, end in pairwise(row_splits.tolist()):
        b, y, label = beta[begin:end], x[begin:end], labels[begin:end]
        noise = label < 0
        names = label[~noise].unique()
        member = label[:, None] == names
        alpha = torch.where(member, b[:, None], -1.0).argmax(0)
        charge = torch.atanh(b / loss.beta_guard).square() + loss.charge_minimum
        squares = (y[:, None] - y[alpha]).square().sum(-1)
        # The root has no derivative at 0.
        distance = torch.where(squares > 0, squares.clamp(min=1e-20).sqrt(), 0.0)
        potential = torch.where(member, squares, (1 - distance).clamp(min=0))
        pairs = (charge[:, None] * charge[alpha] * potential).sum() / len(b)
        of_noise = b[noise].sum() / noise.sum().clamp(min=1)
        events.append(pairs + (1 - b[alpha]).mean() + loss.noise_weight * of_noise)
    return torch.stack(events).mean()
