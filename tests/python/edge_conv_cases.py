"""Graphs and networks for the tests of EdgeConv."""

import torch
from torch import nn


def graph_of(n, k, *, points=None, seed=0):
    """(n, k) neighbours with holes, a row of one and a row of none, and a hub."""
    random = torch.Generator().manual_seed(seed)
    index = torch.randint(points or n, (n, k), generator=random)
    index[torch.rand(n, k, generator=random) < 0.1] = -1
    index[:, 0] = 3
    index[1, 1:], index[2] = -1, -1
    return index


def linear_network(kind, f, c, seed=1):
    torch.manual_seed(seed)
    parts = {
        "linear": [],
        "relu": [nn.ReLU()],
        "norm": [nn.BatchNorm1d(c), nn.LeakyReLU(0.2)],
        "norm without parameters": [nn.BatchNorm1d(c, affine=False), nn.ReLU()],
        "norm without memory": [nn.BatchNorm1d(c, track_running_stats=False)],
        "cumulative norm": [nn.BatchNorm1d(c, momentum=None), nn.LeakyReLU(0.2)],
    }[kind]
    network = nn.Sequential(nn.Linear(2 * f, c, bias=kind != "norm"), *parts)
    for module in network:
        if isinstance(module, nn.BatchNorm1d) and module.affine:
            nn.init.normal_(module.weight)  # negative ones turn the maximum into a minimum
            nn.init.normal_(module.bias)
    return network


KINDS = (
    "linear",
    "relu",
    "norm",
    "norm without parameters",
    "norm without memory",
    "cumulative norm",
)


def deep_network(f, c):
    torch.manual_seed(2)
    return nn.Sequential(
        nn.Linear(2 * f, 8, bias=False),
        nn.BatchNorm1d(8),
        nn.ReLU(),
        nn.Sequential(nn.Linear(8, 6), nn.BatchNorm1d(6), nn.Tanh()),
        nn.Linear(6, c),
    )
