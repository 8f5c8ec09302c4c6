"""The network of the talk "Faster dynamic GNNs with GPUs" (2024): four GravNets in a row."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from hitgraph._arguments import check_features, check_sizes
from hitgraph.nn import GravNet, GravNetGraph

_WHERE = "hitgraph.models.GravNetModel"


class GravNetBlock(nn.Module):
    """A GravNet layer and three dense layers, wider in the middle, each with its activation.

    Args:
        gravnet: the layer.
        hidden_features: width between the dense layers; the block returns as many features as the
            GravNet layer.
        activation: makes the activation of a dense layer.
        device, dtype: of the dense layers' parameters.
    """

    def __init__(
        self,
        gravnet: GravNet,
        hidden_features: int,
        activation: Callable[[], nn.Module] = nn.ReLU,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.gravnet = gravnet
        features = gravnet.out_features
        widths = (features, hidden_features, hidden_features, features)
        self.dense = _dense(widths, activation, device=device, dtype=dtype)

    def forward(
        self,
        x: Tensor,
        row_splits: Tensor | None = None,
        *,
        batch: Tensor | None = None,
        return_graph: bool = False,
    ) -> tuple[Tensor, GravNetGraph | None]:
        """(N, features), and the graph if it is asked for; arguments as of `GravNet.forward`."""
        result = self.gravnet(x, row_splits, batch=batch, return_graph=return_graph)
        y, graph = result if return_graph else (result, None)
        return self.dense(y), graph


class GravNetModel(nn.Module):
    """The network that the talk "Faster dynamic GNNs with GPUs" (2024) times, one result a hit.

    With the default arguments, layer by layer, each Linear but the last followed by a ReLU::

        Linear 64 → 128, Linear 128 → 128
        4 times:  GravNet → 64      k = 64 neighbours in 4 dimensions, 32 features along the edges
                  Linear 64 → 128, Linear 128 → 128, Linear 128 → 64
        Linear 64 → 128, Linear 128 → 10

    Every GravNet searches the graph of its own space. The talk's measurements were made with
    fastgraphcompute's layer, so that is the form of GravNet here (scale 10, the hit itself among
    its k neighbours, aggregates as they are). The talk's slide writes the layer with the aggregates
    subtracted from the hit's own features: that is ``preset="talk"``, and the same amount of work.

    Example::

        model = GravNetModel(in_features=9, out_features=3, k=40)
        y = model(hits, row_splits)                                  # (N, 3)
        y, graphs = model(hits, row_splits, return_graphs=True)      # and 4 GravNetGraph

    Args:
        in_features: columns of x.
        out_features: columns of the result.
        space_dimensions: dimensions of the spaces that are searched.
        propagate_features: features sent along the edges.
        k: neighbours of a hit.
        hidden_features: width of the dense layers.
        block_features: width of a GravNet's result, and of a block's; None: 2 · propagate_features.
        blocks: number of blocks.
        preset: the form of the GravNets, a key of `hitgraph.nn.PRESETS`. The sizes are the model's.
        layer_options: further arguments of `hitgraph.nn.GravNet` that replace the preset's.
        activation: makes the activation of a dense layer, such as a class of torch.nn. That of the
            GravNets is the preset's.
        device, dtype: of the parameters.

    Raises:
        ValueError: a size below 1, an unknown preset.
    """

    def __init__(
        self,
        in_features: int = 64,
        out_features: int = 10,
        *,
        space_dimensions: int = 4,
        propagate_features: int = 32,
        k: int = 64,
        hidden_features: int = 128,
        block_features: int | None = None,
        blocks: int = 4,
        preset: str = "fastgraphcompute",
        layer_options: Mapping[str, Any] | None = None,
        activation: Callable[[], nn.Module] = nn.ReLU,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if block_features is None:
            block_features = 2 * propagate_features
        check_sizes(
            _WHERE,
            in_features=in_features,
            out_features=out_features,
            space_dimensions=space_dimensions,
            propagate_features=propagate_features,
            k=k,
            hidden_features=hidden_features,
            block_features=block_features,
            blocks=blocks,
        )
        self.in_features, self.out_features = in_features, out_features
        where: dict[str, Any] = {"device": device, "dtype": dtype}
        options = {
            "space_dimensions": space_dimensions,
            "propagate_features": propagate_features,
            "k": k,
            **(layer_options or {}),
            **where,
        }
        self.input = _dense((in_features, hidden_features, hidden_features), activation, **where)
        self.blocks = nn.ModuleList()
        features = hidden_features
        for _ in range(blocks):
            gravnet = GravNet.preset(preset, features, block_features, **options)
            self.blocks.append(GravNetBlock(gravnet, hidden_features, activation, **where))
            features = block_features
        self.output = _dense((features, hidden_features), activation, **where)
        self.output.append(nn.Linear(hidden_features, out_features, **where))

    def forward(
        self,
        x: Tensor,
        row_splits: Tensor | None = None,
        *,
        batch: Tensor | None = None,
        return_graphs: bool = False,
    ) -> Tensor | tuple[Tensor, list[GravNetGraph]]:
        """Apply the network to the hits of one or several events, which do not see each other.

        Args:
            x: (N, in_features) floating point, in the dtype of the parameters (any under autocast).
            row_splits: (B+1,) int64 from 0 to N; event b is x[row_splits[b] : row_splits[b+1]].
                Without it (and batch) all hits are of one event.
            batch: (N,) int64, ascending event numbers: another way to say row_splits.
            return_graphs: also return the graphs, one a block.

        Returns:
            (N, out_features), or that and a list of `hitgraph.nn.GravNetGraph`.

        Raises:
            ValueError, TypeError: x, row_splits or batch is not as described.
        """
        check_features(_WHERE, x, self.in_features, next(self.parameters()).dtype)
        y = self.input(x)
        graphs = []
        for block in self.blocks:
            y, graph = block(y, row_splits, batch=batch, return_graph=return_graphs)
            graphs.append(graph)
        y = self.output(y)
        return (y, graphs) if return_graphs else y


def _dense(
    widths: tuple[int, ...], activation: Callable[[], nn.Module], **where: Any
) -> nn.Sequential:
    """Linear layers of these widths, an activation after each."""
    layers = nn.Sequential()
    for before, after in itertools.pairwise(widths):
        layers.append(nn.Linear(before, after, **where))
        layers.append(activation())
    return layers
