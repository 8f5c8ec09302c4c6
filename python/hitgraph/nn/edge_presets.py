"""EdgeConv as the systems of the field define it.

Sources: "dgcnn": arXiv:1801.07829 and its TensorFlow code (MIT); "pyg": torch_geometric's
DynamicEdgeConv with the networks of its examples (MIT); "particlenet": arXiv:1902.08570 and
weaver-core (MIT). All see [x_i, x_j − x_i]; dgcnn.pytorch (MIT) turns the two around, which is
``order="difference_first"``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from torch import nn


class EdgePreset(NamedTuple):
    """What makes a system's layer.

    Attributes:
        aggr: "max", "mean" or "sum".
        include_self: whether a point is one of its own k neighbours.
        bias: whether the linear maps before a normalisation have one.
        activation: makes the activation behind each.
    """

    aggr: str
    include_self: bool
    bias: bool
    activation: Callable[[], nn.Module]


EDGE_PRESETS = {
    "dgcnn": EdgePreset("max", True, False, lambda: nn.LeakyReLU(0.2)),
    "pyg": EdgePreset("max", True, True, nn.ReLU),
    "particlenet": EdgePreset("mean", False, False, nn.ReLU),
}


def edge_network(preset: EdgePreset, widths: Sequence[int]) -> nn.Sequential:
    """Linear, normalisation and activation, from 2 · widths[0] columns to widths[1], and on."""
    modules: list[nn.Module] = []
    before = 2 * widths[0]
    for width in widths[1:]:
        modules += [
            nn.Linear(before, width, bias=preset.bias),
            nn.BatchNorm1d(width),
            preset.activation(),
        ]
        before = width
    return nn.Sequential(*modules)
