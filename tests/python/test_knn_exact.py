"""The search against its oracles, bit for bit: every set of points, every SIMD level.

`hitgraph.debug.knn_brute_force` compares every pair in the search's arithmetic; that it is right
itself is tested here too, against NumPy where float32 is exact and in float64 elsewhere.
"""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from knn_reference import (
    assert_equals_reference,
    assert_same_bits,
    cloud,
    lattice,
    mask,
    offsets,
)
from scipy.spatial import cKDTree

import hitgraph
from hitgraph import datasets, debug

LEVELS = hitgraph._C.build_info()["simd_available"]
DIMENSIONS = (1, 2, 3, 4, 5, 8, 16, 64)
NEIGHBOURS = (1, 7, 16, 40, 64, 257, None)  # None: more than there are points
SETS = [(name, d) for d in DIMENSIONS for name in datasets.names(d=d)]


def assert_exact(points, k, levels=LEVELS, **options):
    expected = debug.knn_brute_force(points, k, **options)
    assert_same_bits(hitgraph.knn(points, k, **options), expected)
    for level in levels:
        stats = debug.knn_stats(points, k, simd=level, **options)
        assert_same_bits((stats.index, stats.distance2), expected)


def as_tensors(name, n, d, seed, dtype=torch.float32):
    if name == "one_huge_many_tiny":
        n = max(n, 8000)  # its 3000 tiny events alone hold some 7500 points
    made = datasets.batch(name, n, d, seed)
    return torch.from_numpy(made.points).to(dtype), torch.from_numpy(made.row_splits)


# Tables: every set and width with every k, a level and a type in turn; the levels all at some k.


@pytest.mark.parametrize(("name", "d"), SETS)
def test_every_set_with_every_k(name, d):
    for turn, k in enumerate(NEIGHBOURS):
        dtype = (torch.float32, torch.float64)[(turn + d) % 2]
        points, splits = as_tensors(name, 400, d, turn, dtype)
        if k is None:
            points, splits, k = points[:150], splits.clamp(max=150), 170
        levels = LEVELS if k in (16, 40) else (LEVELS[turn % len(LEVELS)],)
        assert_exact(points, k, levels, row_splits=splits)


@pytest.mark.parametrize("name", datasets.names(d=3))
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_set_with_everything_else(name, dtype):
    points, splits = as_tensors(name, 1500, 3, 11, dtype)
    n = len(points)
    finite = points[points.isfinite().all(dim=1)]
    radius = float((finite[::7] - finite[3]).double().square().sum(1).sqrt().median())
    found, asks = mask(n, seed=1), mask(n, seed=2, share=0.4)
    assert_exact(points, 16, row_splits=splits, include_self=True, max_radius=radius)
    assert_exact(points, 40, row_splits=splits, point_mask=found, query_mask=asks)
    # The other way round in the bipartite case: the even rows ask among the odd ones.
    assert_exact(points[1::2], 7, queries=points[::2], max_radius=radius)
    half = splits // 2  # segments of half the size; the queries' are as many, in reverse
    assert_exact(
        points[: n // 2],
        40,
        row_splits=half,
        queries=points[n // 2 :].flip(0),
        query_row_splits=(n - n // 2) - half.flip(0),
        point_mask=found[: n // 2],
        query_mask=asks[n // 2 :],
    )


@pytest.mark.parametrize("name", ["clustered", "detector_lattice", "line_with_outlier"])
def test_larger_sets_with_several_levels_of_boxes(name):
    # 40 000 points are more than 32 x 32 buckets: a hierarchy of three levels.
    points, _ = as_tensors(name, 40_000, 3, 5)
    asks = torch.zeros(len(points), dtype=torch.bool)
    asks[::97] = True
    assert_exact(points, 40, query_mask=asks)


@pytest.mark.parametrize(
    "sizes",
    [
        (0, 0, 300, 0),
        (300, 0, 0, 0, 300, 0, 0),
        (0,),
        (1,) * 400,
        (2, 0) * 200,
        (31, 32, 33, 63, 64, 65, 1, 1023, 1024, 1025),
        (2000, *(3,) * 2000),
    ],
    ids=lambda sizes: f"{len(sizes)}-segments",
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_segments_of_every_size(sizes, dtype):
    splits = offsets(*sizes)
    points = lattice(int(splits[-1]), 2, seed=3, side=30, dtype=dtype)
    assert_exact(points, 7, row_splits=splits)
    assert_exact(points, 40, row_splits=splits, include_self=True)


@pytest.mark.parametrize("n", [1, 2, 31, 32, 33, 64, 65, 255, 257, 1024, 1025, 2049])
@pytest.mark.parametrize("d", [1, 3, 9])
def test_numbers_of_points_around_the_sizes_of_buckets(n, d):
    assert_exact(lattice(n, d, seed=n, side=6), 33)
    assert_exact(cloud(n, d, seed=n), 32)


def test_k_around_the_sizes_of_pools():
    points = lattice(600, 3, seed=1, side=7)
    for k in (*range(1, 20), 31, 32, 33, 63, 65, 127, 128, 129, 255, 256, 512, 599, 600):
        assert_exact(points, k, LEVELS[-1:])


# Properties.

SMALL = settings(max_examples=120, deadline=None, derandomize=True)


@st.composite
def problems(draw):
    """Arguments of a search: coordinates on a lattice, so that ties abound, or not."""
    d = draw(st.sampled_from([1, 2, 3, 4, 5, 8, 11]))
    k = draw(st.integers(1, 70))
    sizes = draw(st.lists(st.sampled_from([0, 0, 1, 2, 5, 33, 70, 150]), min_size=1, max_size=6))
    seed = draw(st.integers(0, 2**16))
    dtype = draw(st.sampled_from([torch.float32, torch.float64]))
    # From one value an axis (all points coincide) to coordinates without ties.
    side = draw(st.sampled_from([1, 2, 4, 20, None]))

    def some(n, seed):
        made = cloud(n, d, seed=seed, dtype=dtype)
        return made if side is None else (made * side).floor() * draw(st.sampled_from([1, 0.1]))

    n = sum(sizes)
    points = some(n, seed)
    options = {"include_self": draw(st.booleans())}
    if len(sizes) > 1 or draw(st.booleans()):
        options["row_splits"] = offsets(*sizes)
    m = n
    if draw(st.booleans()):
        query_sizes = [draw(st.sampled_from([0, 1, 7, 40])) for _ in sizes]
        m = sum(query_sizes)
        options["queries"] = some(m, seed + 1)
        if "row_splits" in options:
            options["query_row_splits"] = offsets(*query_sizes)
    if draw(st.booleans()):
        options["point_mask"] = mask(n, seed=seed + 2, share=draw(st.sampled_from([0.05, 0.8])))
    if draw(st.booleans()):
        options["query_mask"] = mask(m, seed=seed + 3, share=0.6)
    if draw(st.booleans()):
        options["max_radius"] = draw(st.sampled_from([0.0, 0.1, 1.0, math.sqrt(2), 3.0]))
    if draw(st.booleans()) and n:
        points[draw(st.integers(0, n - 1)), draw(st.integers(0, d - 1))] = math.nan
    return points, k, options


@SMALL
@given(problems())
def test_any_problem_is_solved_exactly(problem):
    points, k, options = problem
    assert_exact(points, k, **options)


@settings(SMALL, max_examples=40)
@given(problems(), st.integers(0, 2**16))
def test_the_order_of_the_points_does_not_change_the_distances(problem, seed):
    points, k, options = problem
    for name in ("row_splits", "query_row_splits"):
        options.pop(name, None)
    if "queries" in options:
        options.pop("queries")
        options.pop("query_mask", None)
    order = torch.randperm(len(points), generator=torch.Generator().manual_seed(seed))
    moved = {n: v[order] if isinstance(v, torch.Tensor) else v for n, v in options.items()}
    distance2 = hitgraph.knn(points, k, **options).distance2
    assert torch.equal(hitgraph.knn(points[order], k, **moved).distance2, distance2[order])


@settings(SMALL, max_examples=40)
@given(problems())
def test_a_smaller_k_is_the_start_of_the_row(problem):
    points, k, options = problem
    index, distance2 = hitgraph.knn(points, k, **options)
    less = max(1, k // 2)
    assert_same_bits(hitgraph.knn(points, less, **options), (index[:, :less], distance2[:, :less]))


# Other oracles.


@pytest.mark.parametrize("d", [2, 3, 4, 8])
@pytest.mark.parametrize("name", ["uniform", "clustered", "integer_lattice", "far_from_origin"])
def test_float64_agrees_with_scipy(name, d):
    points = torch.from_numpy(datasets.points(name, 3000, d, 3)).double()
    k = 20
    index, distance2 = hitgraph.knn(points, k, include_self=True)
    expected, _ = cKDTree(points.numpy()).query(points.numpy(), k)
    np.testing.assert_allclose(distance2.sqrt().numpy(), expected, rtol=1e-12)
    # Among ties SciPy chooses others; that each index has its distance is what can be asked.
    own = (points[:, None] - points[index]).square().sum(-1)
    torch.testing.assert_close(own, distance2, rtol=1e-13, atol=0)
    ordered = index.sort(dim=1).values
    assert (ordered.diff(dim=1) > 0).all(), "a neighbour is listed twice"


@pytest.mark.parametrize("d", [1, 3, 7])
def test_the_oracle_is_the_reference_where_float32_is_exact(d):
    points, queries = lattice(80, d, seed=d, side=5), lattice(30, d, seed=d + 1, side=5)
    points[7] = math.nan
    splits, query_splits = offsets(0, 30, 50, 0), offsets(3, 17, 0, 10)
    for options in (
        {},
        {"include_self": True, "max_radius": 2.0},
        {"row_splits": splits, "point_mask": mask(80, seed=1), "query_mask": mask(80, seed=2)},
        {"row_splits": splits, "queries": queries, "query_row_splits": query_splits},
    ):
        for dtype in (torch.float32, torch.float64):
            typed = {n: v.to(dtype) if n == "queries" else v for n, v in options.items()}
            result = debug.knn_brute_force(points.to(dtype), 9, **typed)
            assert_equals_reference(result, points, 9, **options)


@pytest.mark.parametrize("d", [1, 2, 3, 8, 64])
def test_the_oracle_is_close_to_the_formula_in_float64(d):
    points = cloud(400, d, seed=d)
    exact = (points.double()[:, None] - points.double()[None]).square().sum(-1)
    exact.fill_diagonal_(math.inf)
    index, distance2 = debug.knn_brute_force(points, 30)
    expected = exact.sort(dim=1).values[:, :30]
    # d subtractions and d fused steps, each rounded once: (d + 2) half units in the last place.
    torch.testing.assert_close(distance2.double(), expected, rtol=(d + 2) * 2.0**-24, atol=0)
    own = exact.gather(1, index)
    torch.testing.assert_close(distance2.double(), own, rtol=(d + 2) * 2.0**-24, atol=0)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_distance2_has_the_bits_of_fused_multiply_adds(d):
    # The product of two float32 is exact in float64. Rounding first the sum to 53 and then to 24
    # bits differs from rounding once only where the first lands on a tie: those are left out.
    points = cloud(300, d, seed=40 + d)
    index, distance2 = hitgraph.knn(points, 20)
    difference = (points[:, None] - points[index]).double()
    total = torch.zeros_like(distance2)
    sure = torch.ones_like(distance2, dtype=torch.bool)
    for axis in range(d):
        wide = difference[..., axis].square() + total.double()
        sure &= (wide.view(torch.int64) & (2**29 - 1)) != 2**28
        total = wide.float()
    assert sure.float().mean() > 0.9
    assert torch.equal(distance2[sure], total[sure])
