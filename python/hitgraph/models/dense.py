"""What DGCNN puts between its layers on graphs and its result."""

from __future__ import annotations

import itertools
from collections.abc import Container, Sequence

from torch import nn


def normalised_dense(
    widths: Sequence[int], dropout: float = 0.0, drop_behind: Container[int] | None = None
) -> nn.Sequential:
    """Linear without bias, batch normalisation, LeakyReLU(0.2) and dropout, from width to width.

    Args:
        widths: of the input, then of the results.
        dropout: its probability; 0 leaves the modules out.
        drop_behind: numbers of the maps that have dropout; None: all.
    """
    modules: list[nn.Module] = []
    for number, (before, after) in enumerate(itertools.pairwise(widths)):
        modules += [
            nn.Linear(before, after, bias=False),
            nn.BatchNorm1d(after),
            nn.LeakyReLU(0.2),
        ]
        if dropout and (drop_behind is None or number in drop_behind):
            modules.append(nn.Dropout(dropout))
    return nn.Sequential(*modules)
