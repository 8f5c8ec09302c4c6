"""EdgeConv with every edge written out: what the layers are compared with."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def edge_conv(
    network: nn.Module,
    features: Tensor,
    index: Tensor,
    *,
    aggr: str = "max",
    order: str = "own_first",
    centers: Tensor | None = None,
) -> Tensor:
    """The network on the edges that exist, one row each, then a loop over the rows."""
    own = features if centers is None else centers
    rows, slots = (index >= 0).nonzero(as_tuple=True)
    x_i, x_j = own[rows], features[index[rows, slots].long()]
    parts = (x_i, x_j - x_i) if order == "own_first" else (x_j - x_i, x_i)
    values = network(torch.cat(parts, 1))
    results = []
    for row in range(len(index)):
        of_row = values[rows == row]
        if len(of_row) == 0:
            results.append(values.new_zeros(values.shape[1]))
        elif aggr == "max":
            results.append(of_row.max(0).values)
        else:
            results.append(of_row.sum(0) / (len(of_row) if aggr == "mean" else 1))
    return torch.stack(results) if results else values.new_zeros((0, values.shape[1]))
