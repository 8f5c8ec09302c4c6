"""EdgeConv: networks on the edges of a given graph, or of the graph of the features themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from hitgraph._arguments import check_sizes
from hitgraph.functional import Neighbors, TransposedGraph, knn, knn_with_transposed

from .edge_network import (
    AGGREGATIONS,
    ORDERS,
    SLICE_BYTES,
    EdgeInputs,
    as_linear_edges,
    run_fused,
    run_in_slices,
)
from .edge_presets import EDGE_PRESETS, edge_network
from .graph import GravNetGraph

FUSED_DEVICES = ("cpu", "cuda")

Graph = Tensor | Neighbors | GravNetGraph


class EdgeConv(nn.Module):
    """EdgeConv of arXiv:1801.07829 on a given graph: y_i = ⊕_j h([x_i, x_j − x_i]) over the
    neighbours j of row i, ⊕ the maximum, the mean or the sum.

    A network that is one linear map, maybe batch normalised (over all edges, as in training, or by
    running statistics), maybe followed by ReLU or LeakyReLU, with the maximum, runs fused: the map
    is split into one of x_i and one of x_j, and no tensor of the edges is made. Other networks run
    in slices of rows whose edges are made again in the backward pass. `path` says which it is.
    Both keep the running statistics of torch.nn.BatchNorm1d. The fused way has no second
    derivative.

    The parameters' names are those of torch_geometric.nn.EdgeConv: state dicts are exchanged as
    they are.

    Args:
        nn: h, from 2 F columns, one row an edge.
        aggr: "max", "mean" or "sum".
        order: "own_first": h sees [x_i, x_j − x_i]; "difference_first": [x_j − x_i, x_i].
        slice_bytes: of the widest tensor of a slice's edges.
    """

    def __init__(
        self,
        nn: nn.Module,
        aggr: str = "max",
        *,
        order: str = "own_first",
        slice_bytes: int = SLICE_BYTES,
    ) -> None:
        super().__init__()
        where = self._where()
        if not isinstance(nn, torch.nn.Module):
            raise TypeError(f"{where}: expected nn to be a Module, got {type(nn).__name__}")
        for name, value, known in (("aggr", aggr, AGGREGATIONS), ("order", order, ORDERS)):
            if value not in known:
                raise ValueError(f"{where}: expected {name} to be one of {known}, got {value!r}")
        check_sizes(where, slice_bytes=slice_bytes)
        self.nn = nn
        self.aggr = aggr
        self.order = order
        self.slice_bytes = slice_bytes

    def _where(self) -> str:
        """What errors call the layer."""
        return f"hitgraph.nn.{type(self).__name__}"

    def path(self, device: torch.device | str = "cpu") -> str:
        """ "fused" or "slices": how features on this device are worked on."""
        fusible = self.aggr == "max" and as_linear_edges(self.nn) is not None
        return "fused" if fusible and torch.device(device).type in FUSED_DEVICES else "slices"

    def forward(self, x: Tensor | tuple[Tensor, Tensor], graph: Graph) -> Tensor:
        """
        Args:
            x: (N, F) features of the points, float32 or float64; or a pair, of the points and of
                the rows (M, F) of the graph.
            graph: (M, k) int64 or int32 neighbours of every row, -1 where there is none; or what
                `hitgraph.knn` returned; or a GravNetGraph, whose transposed graph is used too.

        Returns:
            (M, C); 0 in a row without neighbours.

        Raises:
            TypeError, ValueError: x or graph is not that.
        """
        features, centers = x if isinstance(x, tuple) else (x, None)
        index, transposed = _index_of(self._where(), graph)
        inputs = EdgeInputs(features, centers, index, self.order)
        network = as_linear_edges(self.nn)
        if network is None or self.path(features.device) == "slices":
            _check_slices(self._where(), inputs)
            return run_in_slices(self.nn, inputs, self.aggr, self.slice_bytes)
        if torch.is_autocast_enabled(features.device.type):
            dtype = network.linear.weight.dtype
            there = None if centers is None else centers.to(dtype)
            inputs = inputs._replace(features=features.to(dtype), centers=there)
        return run_fused(network, inputs, transposed)

    def extra_repr(self) -> str:
        return f"aggr={self.aggr!r}, order={self.order!r}"


class DynamicEdgeConv(EdgeConv):
    """EdgeConv on the graph of the features' own space: DGCNN's layer, arXiv:1801.07829.

    The neighbours of point i are the k nearest by the features x, or by `coordinates` if they are
    given; itself included, as in the paper and in torch_geometric.nn.DynamicEdgeConv, whose state
    dicts are exchanged as they are.

    Args:
        nn, aggr, order, slice_bytes: as `EdgeConv`.
        k: neighbours of a point.
        include_self: whether a point is its own first neighbour and counts among the k.
        search_options: more options of `hitgraph.knn`, as max_radius or index_dtype.
    """

    def __init__(
        self,
        nn: nn.Module,
        k: int,
        aggr: str = "max",
        *,
        order: str = "own_first",
        include_self: bool = True,
        slice_bytes: int = SLICE_BYTES,
        **search_options: Any,
    ) -> None:
        super().__init__(nn, aggr, order=order, slice_bytes=slice_bytes)
        check_sizes(self._where(), k=k)
        self.k = k
        self.include_self = include_self
        self.search_options = search_options

    @classmethod
    def preset(cls, name: str, widths: Sequence[int], k: int, **changes: Any) -> DynamicEdgeConv:
        """A layer as a system defines it.

        Args:
            name: a key of `hitgraph.nn.EDGE_PRESETS`: "dgcnn", "pyg" or "particlenet".
            widths: columns of x, then of the results of the network's linear maps.
            k: neighbours of a point.
            changes: arguments of the layer that replace the preset's.

        Raises:
            ValueError: an unknown name, fewer than two widths.
        """
        where = "hitgraph.nn.DynamicEdgeConv.preset"
        if name not in EDGE_PRESETS:
            known = ", ".join(EDGE_PRESETS)
            raise ValueError(f"{where}: expected name to be one of {known}, got {name!r}")
        if len(widths) < 2:
            raise ValueError(f"{where}: expected at least two widths, got {list(widths)}")
        preset = EDGE_PRESETS[name]
        given = {"aggr": preset.aggr, "include_self": preset.include_self, **changes}
        return cls(edge_network(preset, widths), k, **given)

    def forward(  # type: ignore[override]
        self,
        x: Tensor,
        row_splits: Tensor | None = None,
        *,
        batch: Tensor | None = None,
        batch_size: int | None = None,
        coordinates: Tensor | None = None,
        mask: Tensor | None = None,
        return_graph: bool = False,
    ) -> Tensor | tuple[Tensor, GravNetGraph]:
        """
        Args:
            x: (N, F) float32 or float64.
            row_splits, batch, batch_size: the events, as in `hitgraph.knn`.
            coordinates: (N, d) where neighbours are searched; x without them.
            mask: (N) bool: False marks padding, which has no neighbours and is nobody's.
            return_graph: return the graph too.

        Returns:
            (N, C), and the graph if it is asked for.
        """
        space = x if coordinates is None else coordinates
        options = dict(
            self.search_options,
            batch=batch,
            batch_size=batch_size,
            include_self=self.include_self,
            query_mask=mask,
            point_mask=mask,
        )
        with torch.no_grad():  # neighbours have no gradient, and their distances are not used
            if x.requires_grad:
                found, transposed = knn_with_transposed(space, self.k, row_splits, **options)
            else:
                found, transposed = knn(space, self.k, row_splits, **options), None
        graph = GravNetGraph(*found, space, transposed)
        y = super().forward(x, graph)
        return (y, graph) if return_graph else y

    def extra_repr(self) -> str:
        return f"k={self.k}, {super().extra_repr()}, include_self={self.include_self}"


def _index_of(where: str, graph: object) -> tuple[Tensor, TransposedGraph | None]:
    if isinstance(graph, GravNetGraph):
        return graph.index, graph.transposed
    index = graph.index if isinstance(graph, Neighbors) else graph
    if not isinstance(index, Tensor):
        raise TypeError(
            f"{where}: expected graph to be a Tensor, Neighbors or a GravNetGraph, "
            f"got {type(graph).__name__}"
        )
    return index, None


def _check_slices(where: str, inputs: EdgeInputs) -> None:
    """What the fused operator checks itself."""
    features, centers, index, _ = inputs
    if features.dim() != 2 or not features.is_floating_point():
        raise ValueError(
            f"{where}: expected x to be 2-D (n, f) floating point, "
            f"got {tuple(features.shape)} {features.dtype}"
        )
    if index.dim() != 2 or index.shape[1] < 1 or index.dtype not in (torch.int64, torch.int32):
        raise ValueError(
            f"{where}: expected graph to be 2-D (m, k) int64 or int32, k at least 1, "
            f"got {tuple(index.shape)} {index.dtype}"
        )
    rows = features.shape[0] if centers is None else centers.shape[0]
    if index.shape[0] != rows:
        raise ValueError(f"{where}: expected graph to have {rows} rows, got {index.shape[0]}")
    if index.is_cpu and index.numel() > 0:
        low, high = int(index.min()), int(index.max())
        if low < -1 or high >= len(features):
            raise ValueError(
                f"{where}: expected index from -1 to {len(features) - 1}, got {low} to {high}"
            )
