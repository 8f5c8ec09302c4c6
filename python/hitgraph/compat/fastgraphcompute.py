"""FastGraphCompute's search and layer, answered by hitgraph::

    from hitgraph.compat.fastgraphcompute import GravNetOp, binned_select_knn

Both compile to TorchScript. State dicts of its GravNetOp load as they are.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["GravNetOp", "binned_select_knn"]


def binned_select_knn(
    K: int,
    coords: Tensor,
    row_splits: Tensor,
    direction: Tensor | None = None,
    n_bins: Tensor | None = None,
    max_bin_dims: int = 3,
    torch_compatible_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """Every point itself and its K - 1 nearest others of its segment.

    Beside the original: neighbours are sorted by distance, ties by index; any d from 1; nothing
    raises for a NaN, whose row has no neighbours and is nobody's; N may be 0; float64 is searched
    in float64.

    Args:
        K: columns of the result, the point itself among them.
        coords: (N, d) float32, float64, float16 or bfloat16.
        row_splits: (B+1) int64 or int32 from 0 to N.
        direction: (N) integers: 0 may only be a neighbour, 1 may only have neighbours, 2 neither,
            anything else both. Who has none still has itself.
        n_bins, max_bin_dims: ignored: the bins follow the data.
        torch_compatible_indices: what stands where there are fewer than K: False: -1, True: the
            point's own index.

    Returns:
        index (N, K) int64, the point itself first, and squared distances (N, K) float32 (float64
        for float64), 0 for the point itself and for what is missing. The distances have a gradient.

    Raises:
        ValueError: K is negative; and what hitgraph::knn raises.
    """
    if K < 0:
        raise ValueError(f"binned_select_knn: expected K to be at least 0, got {K}")
    own = torch.arange(coords.shape[0], device=coords.device).unsqueeze(1)
    asks: Tensor | None = None
    found: Tensor | None = None
    if direction is not None:
        asks = (direction != 0) & (direction != 2)
        found = (direction != 1) & (direction != 2)
    # Searched for K = 0 and 1, too: the arguments are to be checked.
    index, distance2 = torch.ops.hitgraph.knn(
        coords, max(K - 1, 1), row_splits, None, None, asks, found, False, None, None
    )
    distance2 = torch.where(index >= 0, distance2, torch.zeros_like(distance2))
    if torch_compatible_indices:
        index = torch.where(index >= 0, index, own)
    index = torch.cat([own, index], dim=1)[:, :K]
    distance2 = torch.cat([torch.zeros_like(distance2[:, :1]), distance2], dim=1)[:, :K]
    return index.contiguous(), distance2.contiguous()


class GravNetOp(nn.Module):
    """FastGraphCompute's GravNet layer, its aggregation fused.

    With X the input, s = space_transformations(X), f = propagate_transformations(X), j the k
    nearest of s, the point itself first, w_ij = exp(−10 |s_i − s_j|²)::

        output_transformations([X, Σ_j w_ij f_j / k, max_j w_ij f_j])

    where a missing neighbour counts as 0 in both. `hitgraph.nn.GravNet.preset("fastgraphcompute")`
    is the same layer with hitgraph's arguments.

    Args:
        in_channels, out_channels: columns of the input and of the result.
        space_dimensions, propagate_dimensions: columns of s and of f.
        k: neighbours, the point itself among them.
        output_activation: applied to the result; a module.
        optimization_arguments: ignored, as the original does.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        space_dimensions: int,
        propagate_dimensions: int,
        k: int,
        output_activation: nn.Module | None = None,
        optimization_arguments: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.k = k
        self.space_transformations = nn.Linear(in_channels, space_dimensions)
        self.propagate_transformations = nn.Linear(in_channels, propagate_dimensions)
        self.output_transformations = nn.Sequential(
            nn.Linear(in_channels + 2 * propagate_dimensions, out_channels),
            nn.ReLU() if output_activation is None else output_activation,
        )

    def forward(self, x: Tensor, row_splits: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Apply the layer.

        Args:
            x: (N, in_channels).
            row_splits: (B+1) int64 from 0 to N.

        Returns:
            The result (N, out_channels); the neighbours' indices (N, k) and squared distances
            (N, k) as `binned_select_knn` gives them; the coordinates s (N, space_dimensions).
        """
        space = self.space_transformations(x)
        features = self.propagate_transformations(x)
        index, distance2 = binned_select_knn(self.k, space, row_splits)
        mean, maximum, _ = torch.ops.hitgraph.gravnet_aggregate(
            features, index, distance2, 10.0, True, True, "k", "zero"
        )
        out = self.output_transformations(torch.cat([x, mean, maximum], dim=1))
        return out, index, distance2, space
