"""hitgraph.knn keeps its contract: what a result looks like, whatever the arguments look like."""

import math
import os
import subprocess
import sys

import pytest
import torch
from knn_reference import (
    assert_equals_reference,
    assert_same_bits,
    cloud,
    lattice,
    mask,
    offsets,
    reference_knn,
)

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


# Layout in memory.


def test_layout_in_memory_does_not_matter():
    points = lattice(64, 3, seed=17)
    expected = hitgraph.knn(points, 7)
    wide = torch.full((128, 7), -1.0)
    wide[::2, 1:7:2] = points
    for same in (points.t().contiguous().t(), wide[::2, 1:7:2], points.flip(0).flip(0)):
        assert_same_bits(hitgraph.knn(same, 7), expected)
    assert_same_bits(hitgraph.knn(points[::2], 7), hitgraph.knn(points[::2].clone(), 7))
    one = torch.tensor([[1.0, 2.0]]).expand(20, 2)
    assert_same_bits(hitgraph.knn(one, 3), hitgraph.knn(one.clone(), 3))


def test_strided_masks_splits_and_queries():
    points, queries = lattice(40, 2, seed=18), lattice(20, 4, seed=19)[:, ::2]
    flags, splits = mask(80, seed=20), offsets(15, 25)
    spread = torch.full((6,), 7)
    spread[::2] = splits
    got = hitgraph.knn(
        points,
        4,
        spread[::2],
        queries=queries,
        query_row_splits=offsets(9, 11),
        point_mask=flags[::2],
        query_mask=torch.ones(1, dtype=torch.bool).expand(20),
    )
    assert_equals_reference(
        got,
        points,
        4,
        row_splits=splits,
        queries=queries.clone(),
        query_row_splits=offsets(9, 11),
        point_mask=flags[::2].clone(),
    )


def test_arguments_are_not_modified():
    arguments = [
        lattice(30, 2, seed=21),
        offsets(10, 20),
        lattice(8, 2, seed=22),
        offsets(4, 4),
        mask(8, seed=23),
        mask(30, seed=24),
    ]
    arguments[0][3] = math.nan
    before = [argument.clone() for argument in arguments]
    points, splits, queries, query_splits, query_mask, point_mask = arguments
    hitgraph.knn(
        points,
        3,
        splits,
        queries=queries,
        query_row_splits=query_splits,
        query_mask=query_mask,
        point_mask=point_mask,
    )
    for now, then in zip(arguments, before, strict=True):
        assert torch.equal(now.nan_to_num(77), then.nan_to_num(77))


# Values at the limits.


@pytest.mark.parametrize("bad", [math.nan, INF, -INF])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
def test_non_finite_rows_touch_nobody_else(bad, dtype):
    points = lattice(100, 3, seed=25, dtype=dtype)
    rows = torch.tensor([0, 17, 50, 51, 52, 99])
    points[rows, torch.tensor([0, 1, 2, 0, 1, 2])] = bad
    result = hitgraph.knn(points, 6, include_self=True)
    assert_equals_reference(result, points, 6, include_self=True)
    assert (result.index[rows] == -1).all() and (result.distance2[rows] == INF).all()


@pytest.mark.parametrize("bad", [math.nan, INF])
def test_nothing_finite_at_all(bad):
    result = hitgraph.knn(torch.full((40, 2), bad), 3)
    assert (result.index == -1).all() and (result.distance2 == INF).all()


@pytest.mark.parametrize(
    ("radius", "neighbours"),
    [(0.0, [0]), (0.999, [0]), (1.0, [0, 2]), (4.999, [0, 2]), (5.0, [0, 2, 3]), (INF, [0, 2, 3])],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_max_radius_is_inclusive(radius, neighbours, dtype):
    points = torch.tensor([[0, 0], [0, 0], [1, 0], [3, 4]], dtype=dtype)
    index = hitgraph.knn(points, 5, max_radius=radius).index[1]
    assert index[index >= 0].tolist() == neighbours


@pytest.mark.parametrize("radius", [0.1, 0.3, 0.7, 1e-3, 1234.5678])
def test_a_point_at_the_radius_along_an_axis_is_found(radius):
    # 0.1 is no float32: the radius is rounded as the coordinates are.
    points = torch.tensor([[0.0, 0.0], [0.0, radius]])
    assert hitgraph.knn(points, 1, max_radius=radius).index.tolist() == [[1], [0]]
    just_less = float(torch.nextafter(points[1, 1], torch.tensor(0.0)))
    assert hitgraph.knn(points, 1, max_radius=just_less).index.tolist() == [[-1], [-1]]


def test_a_huge_radius_is_no_bound():
    points = line(0, 1e18)
    assert_same_bits(hitgraph.knn(points, 1, max_radius=1e30), hitgraph.knn(points, 1))


@pytest.mark.parametrize("far", [1e9, 1e18])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_far_neighbours_are_found(far, dtype):
    points = torch.cat([line(*range(50), dtype=dtype), line(far, -far, dtype=dtype)])
    result = hitgraph.knn(points, 51)
    assert (result.index >= 0).all()
    assert result.index[0, -2:].tolist() == [50, 51]
    expected = torch.tensor(far, dtype=dtype).square().item()
    assert result.distance2[0, -2:].tolist() == [expected, expected]


def test_a_distance_that_overflows_is_missing():
    result = hitgraph.knn(line(0, 2e19, 3e38, 1), 3)
    assert result.index.tolist() == [[3, -1, -1], [-1] * 3, [-1] * 3, [0, -1, -1]]
    assert (result.distance2[result.index == -1] == INF).all()
    finite = hitgraph.knn(line(0, 2e19, 3e38, 1, dtype=torch.float64), 3)
    assert finite.index[0].tolist() == [3, 1, 2]


def test_negative_zero_is_zero():
    points = torch.tensor([[0.0, -0.0], [-0.0, 0.0], [0.0, 0.0]])
    result = hitgraph.knn(points, 2)
    assert result.index.tolist() == [[1, 2], [0, 2], [0, 1]]
    assert not torch.signbit(result.distance2).any()


def test_no_cancellation_away_from_the_origin():
    # The expanded form |x|^2 + |y|^2 - 2xy would return zeros here.
    points = torch.tensor([[10000.0], [10000.0078125], [10000.0234375]])
    expected = [[2.0**-14, 9 * 2.0**-14], [2.0**-14, 4 * 2.0**-14], [4 * 2.0**-14, 9 * 2.0**-14]]
    assert hitgraph.knn(points, 2).distance2.tolist() == expected


def test_distance2_is_one_fused_multiply_add_per_axis():
    # 1 + 2^-12 squared needs 25 bits; the fused form rounds once, after the addition of 2^-24.
    x = 1 + 2.0**-12
    result = hitgraph.knn(torch.tensor([[0.0, 0.0], [2.0**-12, x]]), 1)
    assert result.distance2[0, 0].item() == float(torch.tensor(2.0**-24 + x * x).float())


# Nothing.


@pytest.mark.parametrize(
    "splits", [None, offsets(), offsets(0), offsets(0, 0, 0)], ids=["none", "0", "1", "3"]
)
def test_no_points_at_all(splits):
    result = hitgraph.knn(torch.empty(0, 3), 4, splits)
    assert result.index.shape == result.distance2.shape == (0, 4)


@pytest.mark.parametrize(("n", "m"), [(0, 5), (5, 0), (0, 0)])
@pytest.mark.parametrize("segmented", [False, True])
def test_no_points_or_no_queries(n, m, segmented):
    options = {}
    if segmented:
        options = {"row_splits": offsets(0, n), "query_row_splits": offsets(m, 0)}
    result = hitgraph.knn(cloud(n, 2, seed=1), 3, queries=cloud(m, 2, seed=2), **options)
    assert result.index.shape == result.distance2.shape == (m, 3)
    if segmented or n == 0:
        assert (result.index == -1).all() and (result.distance2 == INF).all()


def test_one_point_and_masks_without_a_true():
    assert hitgraph.knn(line(5), 2).index.tolist() == [[-1, -1]]
    assert hitgraph.knn(line(5), 2, include_self=True).index.tolist() == [[0, -1]]
    nobody = torch.zeros(50, dtype=torch.bool)
    points = cloud(50, 2, seed=3)
    assert (hitgraph.knn(points, 2, point_mask=nobody).index == -1).all()
    assert (hitgraph.knn(points, 2, query_mask=nobody).index == -1).all()


# The same bits, however they are computed.


def test_the_number_of_threads_does_not_change_a_bit():
    threads = torch.get_num_threads()
    points, splits = lattice(4000, 3, seed=26, side=12), offsets(0, 1500, 3, 2497)
    try:
        results = []
        for count in (1, 2, 3, 8):
            torch.set_num_threads(count)
            results.append(hitgraph.knn(points, 20, splits))
    finally:
        torch.set_num_threads(threads)
    for result in results[1:]:
        assert_same_bits(result, results[0])


def test_the_environment_variable_of_the_simd_level_does_not_change_a_bit(tmp_path):
    points = torch.cat([cloud(700, 3, seed=27), lattice(700, 3, seed=28)])
    torch.save(points, tmp_path / "points.pt")
    script = (
        "import sys, torch, hitgraph\n"
        "points = torch.load(sys.argv[1])\n"
        "torch.save(tuple(hitgraph.knn(points, 40)), sys.argv[2])\n"
        "print(hitgraph._C.build_info()['simd'])\n"
    )
    expected = hitgraph.knn(points, 40)
    for level in ("portable", "avx2", "avx512"):
        run = subprocess.run(
            [sys.executable, "-c", script, tmp_path / "points.pt", tmp_path / "result.pt"],
            env={**os.environ, "HITGRAPH_SIMD": level},
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stderr
        if level == "portable":
            assert run.stdout.strip() == "portable"
        assert_same_bits(torch.load(tmp_path / "result.pt"), expected)


def test_autocast_leaves_geometry_in_float32():
    points = cloud(100, 3, seed=29)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        result = hitgraph.knn(points, 5)
    assert result.distance2.dtype == torch.float32
    assert_same_bits(result, hitgraph.knn(points, 5))


def test_the_reference_of_these_tests_can_fail():
    points = lattice(30, 2, seed=30)
    index, distance2 = reference_knn(points, 3)
    swapped = index.clone()
    swapped[4, [0, 1]] = swapped[4, [1, 0]]
    with pytest.raises(AssertionError, match="row 4"):
        assert_same_bits((swapped, distance2), (index, distance2))
