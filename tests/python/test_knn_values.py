"""hitgraph.knn on every layout, on values at the limits, on nothing; the same bits always."""

import math
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

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
LEVELS = ("portable", "avx2", "avx512")


def line(*coordinates: float, dtype=torch.float32) -> torch.Tensor:
    return torch.tensor(coordinates, dtype=dtype)[:, None]


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


def test_the_environment_variable_caps_the_simd_level_and_changes_no_bit(tmp_path):
    points = torch.cat([cloud(700, 3, seed=27), lattice(700, 3, seed=28)])
    torch.save(points, tmp_path / "points.pt")
    script = (
        "import sys, torch, hitgraph\n"
        "points = torch.load(sys.argv[1])\n"
        "torch.save(tuple(hitgraph.knn(points, 40)), sys.argv[2])\n"
        "print(hitgraph._C.build_info()['simd'])\n"
    )
    expected, available = hitgraph.knn(points, 40), hitgraph._C.build_info()["simd_available"]
    for level in LEVELS:
        run = subprocess.run(
            [sys.executable, "-c", script, tmp_path / "points.pt", tmp_path / "result.pt"],
            env={**os.environ, "HITGRAPH_SIMD": level},
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stderr
        # It caps: a level that the processor has not gives the best one below it.
        below = [name for name in available if LEVELS.index(name) <= LEVELS.index(level)]
        assert run.stdout.strip() == below[-1]
        assert_same_bits(torch.load(tmp_path / "result.pt"), expected)


def test_searches_in_several_python_threads_do_not_disturb_each_other():
    problems = [(cloud(2000, d, seed=d), k) for d in (2, 3, 5) for k in (4, 30)] * 3
    expected = [hitgraph.knn(*problem) for problem in problems]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda problem: hitgraph.knn(*problem), problems))
    for got, alone in zip(results, expected, strict=True):
        assert_same_bits(got, alone)


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
