"""Shapes and types of the operators' results, for torch.compile, torch.export and fake tensors.

Nothing here reads data; sizes may be symbolic.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

COUNTERS = 7  # of knn_stats; the names are in hitgraph.debug


def _check_devices(
    op: str, points: Tensor, tensors: Mapping[str, Tensor | None], like: str = "points"
) -> None:
    # A tensor on the meta device brings any call here.
    for name, tensor in tensors.items():
        if tensor is not None and tensor.device != points.device:
            raise RuntimeError(
                f"{op}: expected {name} on {points.device} like {like}, got {tensor.device}"
            )


def _neighbors(
    op: str,
    points: Tensor,
    k: int,
    tensors: dict[str, Tensor | None],
    index_dtype: torch.dtype | None,
) -> tuple[Tensor, Tensor]:
    torch._check(points.dim() == 2, lambda: f"{op}: expected points to be 2-D (n, d)")
    torch._check(k >= 1, lambda: f"{op}: expected k to be at least 1, got {k}")
    _check_devices(op, points, tensors)
    queries = tensors["queries"]
    rows = (points if queries is None else queries).shape[0]
    half = points.dtype in (torch.float16, torch.bfloat16)
    index = points.new_empty((rows, k), dtype=index_dtype or torch.int64)
    return index, points.new_empty((rows, k), dtype=torch.float32 if half else points.dtype)


def _knn(op: str):  # type: ignore[no-untyped-def]
    def fake(
        points: Tensor,
        k: int,
        row_splits: Tensor | None = None,
        queries: Tensor | None = None,
        query_row_splits: Tensor | None = None,
        query_mask: Tensor | None = None,
        point_mask: Tensor | None = None,
        include_self: bool = False,
        max_radius: float | None = None,
        index_dtype: torch.dtype | None = None,
    ) -> tuple[Tensor, Tensor]:
        tensors = {
            "row_splits": row_splits,
            "queries": queries,
            "query_row_splits": query_row_splits,
            "query_mask": query_mask,
            "point_mask": point_mask,
        }
        return _neighbors(op, points, k, tensors, index_dtype)

    return fake


knn = torch.library.register_fake("hitgraph::knn", _knn("hitgraph::knn"))
torch.library.register_fake("hitgraph::knn_brute_force", _knn("hitgraph::knn_brute_force"))


@torch.library.register_fake("hitgraph::knn_stats")
def _knn_stats(
    points: Tensor, k: int, *arguments: object, **named: object
) -> tuple[Tensor, Tensor, Tensor]:
    named.pop("simd", None)
    index, distance2 = _knn("hitgraph::knn_stats")(points, k, *arguments[:8], **named)
    return index, distance2, points.new_empty((COUNTERS,), dtype=torch.int64)


@torch.library.register_fake("hitgraph::radius")
def _radius(
    points: Tensor,
    r: float,
    row_splits: Tensor | None = None,
    queries: Tensor | None = None,
    query_row_splits: Tensor | None = None,
    query_mask: Tensor | None = None,
    point_mask: Tensor | None = None,
    include_self: bool = False,
    max_neighbors: int | None = None,
    inclusive: bool = True,
    index_dtype: torch.dtype | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    tensors = {
        "row_splits": row_splits,
        "queries": queries,
        "query_row_splits": query_row_splits,
        "query_mask": query_mask,
        "point_mask": point_mask,
    }
    index, distance2 = _neighbors("hitgraph::radius", points, 1, tensors, index_dtype)
    # How many neighbours there are is in the data.
    edges = torch.library.get_ctx().new_dynamic_size()
    offsets = points.new_empty((index.shape[0] + 1,), dtype=torch.int64)
    return offsets, index.new_empty((edges,)), distance2.new_empty((edges,))


@torch.library.register_fake("hitgraph::distance2_backward")
def _distance2_backward(
    grad: Tensor,
    queries: Tensor,
    points: Tensor,
    index: Tensor,
    offsets: Tensor | None = None,
    edges: Tensor | None = None,
    order: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    tensors = {
        "grad": grad,
        "queries": queries,
        "index": index,
        "offsets": offsets,
        "edges": edges,
        "order": order,
    }
    _check_devices("hitgraph::distance2_backward", points, tensors)
    return queries.new_empty(queries.shape), points.new_empty(points.shape)


@torch.library.register_fake("hitgraph::transpose_graph")
def _transpose_graph(index: Tensor, points: int) -> tuple[Tensor, Tensor, Tensor]:
    torch._check(index.dim() == 2, lambda: "hitgraph::transpose_graph: expected index to be 2-D")
    edge = torch.int32 if index.numel() < 2**31 else torch.int64
    offsets = index.new_empty((points + 1,), dtype=torch.int64)
    order = index.new_empty((points if index.device.type == "cpu" else 0,), dtype=torch.int32)
    return offsets, index.new_empty((index.numel(),), dtype=edge), order


@torch.library.register_fake("hitgraph::knn_with_transposed")
def _knn_with_transposed(
    points: Tensor, k: int, *arguments: Any, **named: Any
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    index, distance2 = _knn("hitgraph::knn_with_transposed")(points, k, *arguments, **named)
    return index, distance2, *_transpose_graph(index, points.shape[0])


@torch.library.register_fake("hitgraph::gravnet_aggregate")
def _gravnet_aggregate(
    features: Tensor,
    index: Tensor,
    values: Tensor,
    scale: float | None,
    total: bool = True,
    maximum: bool = True,
    divisor: str = "k",
    missing: str = "skip",
    offsets: Tensor | None = None,
    edges: Tensor | None = None,
    order: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    op = "hitgraph::gravnet_aggregate"
    torch._check(features.dim() == 2, lambda: f"{op}: expected features to be 2-D (n, f)")
    torch._check(index.dim() == 2, lambda: f"{op}: expected index to be 2-D (m, k)")
    tensors = {
        "index": index,
        "distance2": values,
        "offsets": offsets,
        "edges": edges,
        "order": order,
    }
    _check_devices(op, features, tensors, "features")
    shape = (index.shape[0], features.shape[1])
    slot = torch.uint8 if index.shape[1] <= 255 else torch.int32
    return (
        features.new_empty(shape if total else (0,)),
        features.new_empty(shape if maximum else (0,)),
        features.new_empty(shape if maximum else (0,), dtype=slot),
    )


@torch.library.register_fake("hitgraph::gravnet_aggregate_backward")
def _gravnet_aggregate_backward(
    grad_total: Tensor | None,
    grad_maximum: Tensor | None,
    features: Tensor,
    index: Tensor,
    values: Tensor,
    slot: Tensor,
    scale: float | None,
    divisor: str = "k",
    by_features: bool = True,
    by_values: bool = True,
    offsets: Tensor | None = None,
    edges: Tensor | None = None,
    order: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    tensors = {
        "index": index,
        "distance2": values,
        "offsets": offsets,
        "edges": edges,
        "order": order,
    }
    _check_devices("hitgraph::gravnet_aggregate_backward", features, tensors, "features")
    return (
        features.new_empty(features.shape if by_features else (0,)),
        values.new_empty(values.shape if by_values else (0,)),
    )


@torch.library.register_fake("hitgraph::edge_conv_max")
def _edge_conv_max(
    features: Tensor,
    index: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    scale: Tensor | None = None,
    shift: Tensor | None = None,
    mean: Tensor | None = None,
    variance: Tensor | None = None,
    eps: float = 1e-5,
    slope: float = 1.0,
    centers: Tensor | None = None,
    offsets: Tensor | None = None,
    edges: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    op = "hitgraph::edge_conv_max"
    torch._check(features.dim() == 2, lambda: f"{op}: expected features to be 2-D (n, f)")
    torch._check(index.dim() == 2, lambda: f"{op}: expected index to be 2-D (m, k)")
    torch._check(weight.dim() == 2, lambda: f"{op}: expected weight to be 2-D (c, 2 f)")
    _check_devices(op, features, {"index": index, "weight": weight}, "features")
    shape = (index.shape[0], weight.shape[0])
    slot = torch.uint8 if index.shape[1] <= 255 else torch.int32
    channels = (weight.shape[0],) if scale is not None and mean is None else (0,)
    return (
        features.new_empty(shape),
        features.new_empty(shape, dtype=slot),
        features.new_empty(channels),
        features.new_empty(channels),
    )


@torch.library.register_fake("hitgraph::edge_conv_max_backward")
def _edge_conv_max_backward(
    grad: Tensor,
    slot: Tensor,
    features: Tensor,
    index: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    scale: Tensor | None,
    shift: Tensor | None,
    mean: Tensor | None,
    variance: Tensor | None,
    eps: float,
    trained: bool,
    slope: float,
    centers: Tensor | None,
    offsets: Tensor | None,
    edges: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    rows = features.new_empty((0,) if centers is None else centers.shape)
    channels = [features.new_empty((weight.shape[0],)) for _ in range(3)]
    by_bias, by_scale, by_shift = channels
    return (
        features.new_empty(features.shape),
        rows,
        weight.new_empty(weight.shape),
        by_bias,
        by_scale,
        by_shift,
    )


@torch.library.register_fake("hitgraph::condensation_objects")
def _condensation_objects(
    beta: Tensor, labels: Tensor, row_splits: Tensor, noise_label: int = -1
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    op = "hitgraph::condensation_objects"
    torch._check(beta.dim() == 1, lambda: f"{op}: expected beta to be 1-D (n)")
    _check_devices(op, beta, {"labels": labels, "row_splits": row_splits}, "beta")
    # How many objects there are is in the data.
    objects = torch.library.get_ctx().new_dynamic_size()
    return (
        beta.new_empty(beta.shape, dtype=torch.int32),
        beta.new_empty(beta.shape, dtype=torch.int32),
        beta.new_empty((objects + 1,), dtype=torch.int64),
        row_splits.new_empty(row_splits.shape, dtype=torch.int64),
        beta.new_empty((objects,), dtype=torch.int64),
    )


@torch.library.register_fake("hitgraph::condensation_potential")
def _condensation_potential(
    coordinates: Tensor, weight: Tensor, centres: Tensor, factor: Tensor, *others: Any, **named: Any
) -> tuple[Tensor, Tensor]:
    op = "hitgraph::condensation_potential"
    torch._check(coordinates.dim() == 2, lambda: f"{op}: expected coordinates to be 2-D (n, d)")
    tensors = {"weight": weight, "centres": centres, "factor": factor}
    _check_devices(op, coordinates, tensors, "coordinates")
    return factor.new_empty(factor.shape), factor.new_empty(factor.shape)


@torch.library.register_fake("hitgraph::condensation_potential_backward")
def _condensation_potential_backward(
    grad_attraction: Tensor,
    grad_repulsion: Tensor,
    coordinates: Tensor,
    weight: Tensor,
    centres: Tensor,
    factor: Tensor,
    *others: Any,
    **named: Any,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    given = (coordinates, weight, centres, factor)
    by_coordinates, by_weight, by_centres, by_factor = (x.new_empty(x.shape) for x in given)
    return by_coordinates, by_weight, by_centres, by_factor


@torch.library.register_fake("hitgraph::condensate")
def _condensate(
    beta: Tensor,
    coordinates: Tensor,
    row_splits: Tensor,
    beta_threshold: float,
    distance_threshold: float,
    radius: Tensor | None = None,
    assignment: str = "first",
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    op = "hitgraph::condensate"
    torch._check(coordinates.dim() == 2, lambda: f"{op}: expected coordinates to be 2-D (n, d)")
    tensors = {"beta": beta, "row_splits": row_splits, "radius": radius}
    _check_devices(op, coordinates, tensors, "coordinates")
    hits = (coordinates.shape[0],)
    # How many points there are is in the data.
    points = torch.library.get_ctx().new_dynamic_size()
    return (
        coordinates.new_empty(hits, dtype=torch.int64),
        coordinates.new_empty(hits, dtype=torch.int64),
        coordinates.new_empty((points,), dtype=torch.int64),
        row_splits.new_empty(row_splits.shape, dtype=torch.int64),
    )


@torch.library.register_fake("hitgraph::row_splits_from_batch")
def _row_splits_from_batch(
    batch: Tensor, batch_size: int | None = None, name: str = "batch"
) -> Tensor:
    torch._check(batch.dim() == 1, lambda: "hitgraph::row_splits_from_batch: expected 1-D batch")
    if batch_size is None:
        # How many segments there are is in the data.
        offsets = torch.library.get_ctx().new_dynamic_size(min=1)
        return batch.new_empty((offsets,), dtype=torch.int64)
    return batch.new_empty((batch_size + 1,), dtype=torch.int64)


def edge_search(op: str, *names: str, rows: bool = False):  # type: ignore[no-untyped-def]
    """torch-cluster's searches, by the names of the arguments after x: (2, E), where how many edges
    there are is in the data; or `rows`: one number for every row of x.
    """

    def fake(x: Tensor, *arguments: Any, **named: Any) -> Tensor:
        given = {**dict(zip(names, arguments, strict=False)), **named}
        tensors = {name: value for name, value in given.items() if isinstance(value, Tensor)}
        _check_devices(op, x, tensors, "x")
        if rows:
            return x.new_empty((x.shape[0],), dtype=torch.int64)
        return x.new_empty((2, torch.library.get_ctx().new_dynamic_size()), dtype=torch.int64)

    return fake


for _op, *_names in (
    ("hitgraph::knn_edges", "y", "k", "batch_x", "batch_y"),
    ("hitgraph::radius_edges", "y", "r", "batch_x", "batch_y"),
    ("hitgraph::nearest_rows", "y", "batch_x", "batch_y"),
):
    torch.library.register_fake(_op, edge_search(_op, *_names, rows=_op.endswith("rows")))
