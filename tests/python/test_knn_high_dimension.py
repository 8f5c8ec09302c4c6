"""The search in many dimensions, as on the features of a network: exact where expanded forms of the
distance are not."""

import pytest
import torch
from knn_reference import assert_equals_reference, assert_same_bits, cloud, lattice, offsets

import hitgraph
from hitgraph import debug


@pytest.mark.parametrize("d", [15, 16, 17, 64, 128, 512])
def test_lattices_against_the_reference(d):
    points = lattice(130, d, seed=d, side=2)
    splits = offsets(0, 1, 33, 0, 96)
    for options in ({}, {"include_self": True}, {"max_radius": 5.0}):
        got = hitgraph.knn(points, 20, splits, **options)
        assert_equals_reference(got, points, 20, row_splits=splits, **options)
    queries = lattice(50, d, seed=d + 1, side=2)
    got = hitgraph.knn(points, 7, queries=queries)
    assert_equals_reference(got, points, 7, queries=queries)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("center", [10.0, 100.0, 1000.0])
@pytest.mark.parametrize("d", [64, 128])
def test_tight_clusters_far_from_the_origin(d, center, dtype):
    """|x|^2 + |y|^2 - 2 x y loses the neighbours here: a recall of 0.2 and less."""
    random = torch.Generator().manual_seed(1)
    centers = center * torch.randn(6, d, generator=random)
    points = centers.repeat_interleave(60, 0) + 1e-3 * torch.randn(360, d, generator=random)
    points = points.to(dtype)
    got = hitgraph.knn(points, 20)
    assert_same_bits(got, debug.knn_brute_force(points, 20))
    differences = points.double()[:, None] - points.double()[None]
    truth = differences.square().sum(-1).fill_diagonal_(torch.inf).topk(20, largest=False).values
    assert torch.allclose(got.distance2.double(), truth, rtol=1e-5, atol=0)
    if dtype == torch.float32:
        squares = points.square().sum(1)
        expanded = squares[:, None] + squares[None] - 2 * points @ points.T
        expanded.fill_diagonal_(torch.inf)
        theirs = expanded.topk(20, largest=False).indices
        found = (theirs[:, :, None] == got.index[:, None, :]).any(2).float().mean()
        assert found < 0.9, "this cloud should be hard for the expanded form"


@pytest.mark.parametrize("name", ["identical", "two values", "features"])
def test_clouds_like_features(name):
    points = cloud(700, 64, seed=3)
    if name == "identical":
        points[:] = points[0]
    elif name == "two values":
        points = (points > 0.5).float()
        points[350:] = points[:350]
    else:
        weights = torch.randn(3, 64, generator=torch.Generator().manual_seed(4))
        points = (points[:, :3] @ weights).relu()
    splits = torch.tensor([0, 300, 700])
    for k in (1, 20, 299, 500):
        got = hitgraph.knn(points, k, splits)
        assert_same_bits(got, debug.knn_brute_force(points, k, row_splits=splits))


def test_a_big_cloud_of_features():
    """Rows of one large cloud, clustered, with copies and a lattice among its points."""
    random = torch.Generator().manual_seed(6)
    points = cloud(20_000, 64, seed=7) + 10 * torch.randn(200, 64, generator=random).repeat(100, 1)
    points[5000:6000] = points[:1000]
    points[7000:8000] = lattice(1000, 64, seed=8, side=2)
    asked = torch.zeros(len(points), dtype=torch.bool)
    asked[torch.randperm(len(points), generator=random)[:400]] = True
    asked[[0, 5000, 7000]] = True
    got = hitgraph.knn(points, 20, query_mask=asked)
    assert_same_bits(got, debug.knn_brute_force(points, 20, query_mask=asked))


def test_boxes_that_spare_nobody_are_asked_by_one_group_of_a_block():
    """32 queries of 128 ask the root and the three nodes below it; where boxes help, all do."""
    points = torch.randn(1280, 64, generator=torch.Generator().manual_seed(0))
    normal = debug.knn_stats(points, 12)
    assert_same_bits(normal[:2], debug.knn_brute_force(points, 12))
    assert normal.counters.nodes == 1280 / 128 * 4
    assert normal.counters.candidates == 1280**2
    weights = torch.randn(3, 64, generator=torch.Generator().manual_seed(1))
    surface = debug.knn_stats((points[:, :3] @ weights).relu(), 12).counters
    assert surface.nodes > 3 * normal.counters.nodes
    assert surface.candidates < 1280**2 / 2


def test_queries_elsewhere_and_a_radius_beside_boxes_that_are_not_asked():
    points = (100 * torch.randn(700, 20, generator=torch.Generator().manual_seed(2))).round()
    queries = (100 * torch.randn(300, 20, generator=torch.Generator().manual_seed(3))).round()
    for options in ({"queries": queries}, {"max_radius": 500.0}, {"include_self": True}):
        got = hitgraph.knn(points, 9, **options)
        assert_equals_reference(got, points, 9, **options)


def test_every_level_of_instructions_does_the_same_work():
    points = cloud(900, 40, seed=5)
    levels = hitgraph._C.build_info()["simd_available"]
    results = [debug.knn_stats(points, 12, simd=level) for level in levels]
    for other in results[1:]:
        assert_same_bits(other[:2], results[0][:2])
        assert other.counters == results[0].counters
