"""The neighbour graph of a layer: searched in its space, or handed in."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from hitgraph.functional import (
    Neighbors,
    TransposedGraph,
    knn,
    knn_with_transposed,
    transpose_graph,
)


class GravNetGraph(NamedTuple):
    """The neighbour graph of one forward pass.

    Attributes:
        index: (N, k) int64, or the layer's index_dtype; -1 for a missing neighbour.
        distance2: (N, k), squared distance in the learned space, +inf for a missing neighbour.
        coordinates: (N, space_dimensions), the learned space; None if the graph came from
            elsewhere.
        transposed: the edges by the point that they reach, for gradients; None without them.
    """

    index: Tensor  # type: ignore[assignment]  # a tuple has a method of this name
    distance2: Tensor
    coordinates: Tensor | None
    transposed: TransposedGraph | None = None


def search_graph(
    coordinates: Tensor, k: int, row_splits: Tensor | None, **options: Any
) -> GravNetGraph:
    """The graph of these coordinates (N, d), transposed too if there will be gradients.

    Args:
        coordinates, k, row_splits, options: arguments of `hitgraph.knn`.
    """
    if not (torch.is_grad_enabled() and coordinates.requires_grad):
        return GravNetGraph(*knn(coordinates, k, row_splits, **options), coordinates)
    found, transposed = knn_with_transposed(coordinates, k, row_splits, **options)
    return GravNetGraph(*found, coordinates, transposed)


def adopt_graph(where: str, x: Tensor, graph: GravNetGraph | Neighbors) -> GravNetGraph:
    """A graph that was handed to a layer, for the points x (N, features).

    Raises:
        TypeError: it is no graph.
        ValueError: it has not one row a point.
    """
    if not isinstance(graph, (GravNetGraph, Neighbors)):
        raise TypeError(
            f"{where}: expected graph to be a GravNetGraph or Neighbors, got {type(graph).__name__}"
        )
    if graph.index.dim() != 2 or graph.index.shape[0] != x.shape[0]:
        raise ValueError(
            f"{where}: expected graph.index to be ({x.shape[0]}, k), one row a point, "
            f"got {tuple(graph.index.shape)}"
        )
    if not isinstance(graph, GravNetGraph):
        graph = GravNetGraph(graph.index, graph.distance2, None)
    if torch.is_grad_enabled() and graph.transposed is None:
        # Here and not in the backward pass, so that further layers find it.
        graph = graph._replace(transposed=transpose_graph(graph.index, x.shape[0]))
    return graph
