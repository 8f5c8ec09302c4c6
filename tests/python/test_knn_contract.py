"""hitgraph.knn keeps its contract: what a result looks like, and who is a neighbour of whom."""

import math

import pytest
import torch
from knn_reference import assert_equals_reference, assert_same_bits, cloud, lattice, mask, offsets

import hitgraph

INF = math.inf


def line(*coordinates: float, dtype=torch.float32) -> torch.Tensor:
    return torch.tensor(coordinates, dtype=dtype)[:, None]


# Shapes, types, order.


@pytest.mark.parametrize(
    ("dtype", "of_distance2"),
    [
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
    ],
)
@pytest.mark.parametrize("index_dtype", [torch.int64, torch.int32])
def test_types_and_values_of_every_coordinate_type(dtype, of_distance2, index_dtype):
    points = lattice(60, 3, seed=1, dtype=dtype)
    result = hitgraph.knn(points, 5, index_dtype=index_dtype)
    assert result.index.dtype == index_dtype and result.distance2.dtype == of_distance2
    assert result.index.shape == result.distance2.shape == (60, 5)
    assert_equals_reference(result, points, 5)


def test_index_is_int64_and_the_result_is_named():
    result = hitgraph.knn(cloud(9, 2, seed=0), 3)
    assert isinstance(result, hitgraph.Neighbors)
    assert result._fields == ("index", "distance2")
    assert result.index.dtype == torch.int64
    assert result.index.is_contiguous() and result.distance2.is_contiguous()


def test_coordinates_of_16_bits_are_searched_in_float32():
    # In float16 the two distances would both overflow; in float32 they differ.
    points = torch.tensor([[0.0], [60000.0], [59968.0]], dtype=torch.float16)
    result = hitgraph.knn(points, 2)
    assert result.index.tolist() == [[2, 1], [2, 0], [1, 0]]
    assert result.distance2[0].tolist() == [59968.0**2, 60000.0**2]


def test_rows_ascend_by_distance2_and_ties_by_index():
    result = hitgraph.knn(lattice(500, 2, seed=3), 20)
    distance2, index = result.distance2, result.index
    assert (distance2.diff(dim=1) >= 0).all()
    tied = distance2.diff(dim=1) == 0
    assert tied.any() and (index.diff(dim=1)[tied] > 0).all()


def test_of_equally_far_points_the_smaller_indices_are_chosen():
    # Twelve points at distance 1 compete for three places; rows are not in spatial order.
    ring = [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]] * 3
    points = torch.tensor([*ring[:7], [0.0, 0.0], *ring[7:]])
    assert hitgraph.knn(points, 3).index[7].tolist() == [0, 1, 2]


@pytest.mark.parametrize("k", [1, 2, 5, 6, 7, 100])
def test_what_is_missing_is_at_the_end(k):
    points = lattice(6, 2, seed=2)
    index, distance2 = hitgraph.knn(points, k)
    assert_equals_reference((index, distance2), points, k)
    assert (index[:, 5:] == -1).all() and (distance2[:, 5:] == INF).all()
    assert (index[:, :5] >= 0).all()


@pytest.mark.parametrize("d", [1, 2, 3, 7, 17, 130])
def test_any_number_of_columns(d):
    points = lattice(70, d, seed=d, side=3)
    assert_equals_reference(hitgraph.knn(points, 6), points, 6)


# Self.


def test_self_is_excluded_by_index_among_coincident_points():
    points = torch.ones(5, 3)
    expected = [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2], [0, 1, 2]]
    assert hitgraph.knn(points, 3).index.tolist() == expected


def test_self_is_included_in_its_place_by_index():
    index = hitgraph.knn(torch.ones(5, 3), 3, include_self=True).index
    # Row 4 has five candidates at distance 0 and room for the three smallest, which it is not.
    assert index.tolist() == [[0, 1, 2]] * 5
    index = hitgraph.knn(line(0, 1, 3), 2, include_self=True).index
    assert index.tolist() == [[0, 1], [1, 0], [2, 1]]


@pytest.mark.parametrize("include_self", [False, True])
def test_queries_exclude_nobody(include_self):
    points = line(0, 1, 3)
    result = hitgraph.knn(points, 2, queries=points.clone(), include_self=include_self)
    assert result.index.tolist() == [[0, 1], [1, 0], [2, 1]]
    assert result.distance2.tolist() == [[0, 1], [0, 1], [0, 4]]


# Masks and queries.


@pytest.mark.parametrize("include_self", [False, True])
def test_masks_say_who_asks_and_who_is_found(include_self):
    points, asks, found = lattice(80, 2, seed=4), mask(80, seed=5), mask(80, seed=6, share=0.3)
    options = {"query_mask": asks, "point_mask": found, "include_self": include_self}
    result = hitgraph.knn(points, 8, **options)
    assert_equals_reference(result, points, 8, **options)
    assert (result.index[~asks] == -1).all()
    assert found[result.index[result.index >= 0]].all()


def test_a_masked_point_may_still_ask():
    result = hitgraph.knn(line(0, 1, 3), 2, point_mask=torch.tensor([False, True, False]))
    assert result.index.tolist() == [[1, -1], [-1, -1], [1, -1]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_other_queries_with_segments_and_masks(dtype):
    points, queries = lattice(70, 2, seed=7, dtype=dtype), lattice(33, 2, seed=8, dtype=dtype)
    options = {
        "row_splits": offsets(20, 0, 5, 45),
        "query_row_splits": offsets(0, 13, 13, 7),
        "point_mask": mask(70, seed=9),
        "query_mask": mask(33, seed=10),
        "max_radius": 2.0,
    }
    result = hitgraph.knn(points, 9, queries=queries, **options)
    assert_equals_reference(result, points, 9, queries=queries, **options)
    # Query 0..12 asks in segment 1, which has no points.
    assert (result.index[:13] == -1).all()


# Segments.


def test_neighbours_are_of_the_same_segment():
    points, splits = lattice(90, 2, seed=11), offsets(0, 30, 1, 0, 0, 2, 57, 0)
    assert_equals_reference(hitgraph.knn(points, 4, splits), points, 4, row_splits=splits)


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32])
def test_row_splits_and_batch_are_the_same(dtype):
    points, sizes = lattice(60, 3, seed=12), (10, 0, 25, 25)
    splits = offsets(*sizes)
    batch = torch.repeat_interleave(torch.arange(4), torch.tensor(sizes))
    expected = hitgraph.knn(points, 5, splits)
    assert_same_bits(hitgraph.knn(points, 5, splits.to(dtype)), expected)
    assert_same_bits(hitgraph.knn(points, 5, batch=batch.to(dtype)), expected)
    assert_same_bits(hitgraph.knn(points, 5, batch=batch.to(dtype), batch_size=4), expected)
    # More segments than the batch has numbers: empty ones at the end.
    assert_same_bits(hitgraph.knn(points, 5, batch=batch.to(dtype), batch_size=9), expected)


def test_row_splits_from_batch():
    splits = hitgraph.row_splits_from_batch(torch.tensor([0, 0, 2, 2, 2]))
    assert splits.dtype == torch.int64 and splits.tolist() == [0, 2, 2, 5]
    splits = hitgraph.row_splits_from_batch(torch.tensor([1], dtype=torch.int32), 4)
    assert splits.dtype == torch.int64 and splits.tolist() == [0, 0, 1, 1, 1]
    assert hitgraph.row_splits_from_batch(torch.empty(0, dtype=torch.int64)).tolist() == [0]
    assert hitgraph.row_splits_from_batch(torch.empty(0, dtype=torch.int64), 2).tolist() == [0] * 3


@pytest.mark.parametrize(
    ("batch", "query_batch"),
    [
        ([0, 0, 1, 1, 2, 2], [0, 1]),  # the last segment asks nothing
        ([0, 0, 1, 1], [0, 1, 2, 2]),  # the last segment has no points
        ([0, 0, 2, 2], [1, 1]),  # and they need not have a segment in common
        ([], [0, 1]),
        ([0, 1], []),
    ],
)
def test_batch_and_query_batch_may_end_at_different_segments(batch, query_batch):
    points, queries = lattice(len(batch), 2, seed=13), lattice(len(query_batch), 2, seed=14)
    batch = torch.tensor(batch, dtype=torch.int64)
    query_batch = torch.tensor(query_batch, dtype=torch.int64)
    got = hitgraph.knn(points, 3, batch=batch, queries=queries, query_batch=query_batch)
    sized = hitgraph.knn(
        points, 3, batch=batch, queries=queries, query_batch=query_batch, batch_size=3
    )
    same = query_batch[:, None] == batch[None]
    distance2 = (queries[:, None] - points[None]).square().sum(-1).masked_fill(~same, INF)
    for row in range(len(queries)):
        expected = sorted((d2, j) for j, d2 in enumerate(distance2[row].tolist()) if d2 < INF)[:3]
        assert [j for j in got.index[row].tolist() if j >= 0] == [j for _, j in expected]
    assert_same_bits(sized, got)


def test_row_splits_may_go_with_query_batch_and_batch_with_query_row_splits():
    points, queries = lattice(12, 2, seed=15), lattice(5, 2, seed=16)
    splits, query_splits = offsets(4, 8, 0), offsets(5, 0, 0)
    batch = torch.tensor([0] * 4 + [1] * 8)
    query_batch = torch.zeros(5, dtype=torch.int64)
    expected = hitgraph.knn(points, 3, splits, queries=queries, query_row_splits=query_splits)
    assert_equals_reference(
        expected, points, 3, row_splits=splits, queries=queries, query_row_splits=query_splits
    )
    got = hitgraph.knn(points, 3, splits, queries=queries, query_batch=query_batch)
    assert_same_bits(got, expected)
    got = hitgraph.knn(points, 3, batch=batch, queries=queries, query_row_splits=query_splits)
    assert_same_bits(got, expected)
