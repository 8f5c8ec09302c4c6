"""torch-cluster's contract, asked of torch-cluster and of hitgraph in its place with the same
assertions. Where torch-cluster is wrong: test_compat_corrections.py.
"""

from __future__ import annotations

import importlib

import numpy as np
import pytest
import torch
from cluster_cases import BATCHES, CLOUDS, DTYPES, INTEGERS, numbers
from cluster_reference import (
    all_distance2,
    assert_nearest,
    assert_within,
    epsilon,
    rows_found,
)

FLOWS = ["source_to_target", "target_to_source"]
N, M = 60, 40


@pytest.fixture(params=["torch_cluster", "hitgraph.compat.torch_cluster"])
def cluster(request):
    if request.param == "torch_cluster":
        return pytest.importorskip("torch_cluster", reason="torch-cluster is not installed")
    return importlib.import_module(request.param)


def points_and_queries(cloud: str, d: int, dtype=torch.float32, seed: int = 1):
    x, y = CLOUDS[cloud](N, d, seed), CLOUDS[cloud](M, d, seed + 100)
    if dtype in INTEGERS:  # that fit eight bits, squared and added up
        x, y = x.remainder(5), y.remainder(5)
    return x.to(dtype), y.to(dtype)


def assert_knn(cluster, x, y, k, batch_x=None, batch_y=None, **options):
    edges = cluster.knn(x, y, k, batch_x, batch_y, **options)
    # Four units in the last place; a sum in 16 bits is worse than that.
    assert_nearest(edges, all_distance2(x, y, batch_x, batch_y), k, 4 * epsilon(x.dtype))
    return edges


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("d", [1, 2, 3, 5])
@pytest.mark.parametrize("k", [1, 4, 16])
def test_knn_of_every_cloud(cluster, cloud, d, k):
    assert_knn(cluster, *points_and_queries(cloud, d), k)


@pytest.mark.parametrize("batches", BATCHES)
@pytest.mark.parametrize("k", [1, 7, 100])
def test_knn_of_every_batch(cluster, batches, k):
    x, y = points_and_queries("uniform", 3)
    assert_knn(cluster, x, y, k, *BATCHES[batches])


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("cloud", ["uniform", "lattice", "duplicates"])
def test_knn_of_every_dtype(cluster, dtype, cloud):
    assert_knn(cluster, *points_and_queries(cloud, 2, dtype), 5, numbers(20, 40), numbers(30, 10))


@pytest.mark.parametrize("rows", [(0, 3), (3, 0), (0, 0)])
def test_nothing_to_find_or_nobody_asks(cluster, rows):
    x, y = torch.rand(rows[0], 2), torch.rand(rows[1], 2)
    for edges in (cluster.knn(x, y, 2), cluster.radius(x, y, 1.0)):
        assert edges.shape == (2, 0) and edges.dtype == torch.int64
    if rows == (0, 0):
        empty = torch.zeros(0, dtype=torch.int64)
        for edges in (
            cluster.knn_graph(x, 2),
            cluster.knn_graph(x, 2, empty),
            cluster.radius_graph(x, 1.0, empty),
            cluster.knn(x, y, 2, empty, empty, batch_size=4),
        ):
            assert edges.shape == (2, 0) and edges.dtype == torch.int64


def test_one_dimension_needs_no_axis(cluster):
    x, y = points_and_queries("uniform", 1)
    edges = assert_knn(cluster, x.flatten(), y.flatten(), 4)
    assert torch.equal(edges, cluster.knn(x, y, 4))
    assert torch.equal(cluster.knn(x.flatten(), y, 4), edges)
    assert torch.equal(cluster.knn_graph(x.flatten(), 4), cluster.knn_graph(x, 4))
    assert torch.equal(cluster.radius(x.flatten(), y.flatten(), 0.1), cluster.radius(x, y, 0.1))
    assert torch.equal(cluster.nearest(x.flatten(), y.flatten()), cluster.nearest(x, y))


def test_memory_in_any_order(cluster):
    wide, tall = torch.rand(N, 8), torch.rand(3, M)
    x, y = wide[:, 2:5], tall.t()
    assert not x.is_contiguous() and not y.is_contiguous()
    edges = assert_knn(cluster, x, y, 6)
    assert torch.equal(edges, cluster.knn(x.contiguous(), y.contiguous(), 6))
    within = cluster.radius(x, y, 0.4)
    assert torch.equal(within, cluster.radius(x.contiguous(), y.contiguous(), 0.4))
    every_second = wide[::2, :3]
    graph = cluster.knn_graph(every_second, 5, numbers(10, 20))
    assert torch.equal(graph, cluster.knn_graph(every_second.contiguous(), 5, numbers(10, 20)))


def test_the_same_points_ask_and_are_found(cluster):
    x, _ = points_and_queries("uniform", 3)
    edges = assert_knn(cluster, x, x, 5)
    assert torch.equal(edges[1].view(N, 5)[:, 0], torch.arange(N))
    assert torch.equal(edges, cluster.knn(x, x.clone(), 5))
    batch = numbers(30, 30)
    assert torch.equal(cluster.knn(x, x, 5, batch, batch), cluster.knn(x, x, 5, batch, batch + 0))


def test_batch_size_is_what_the_batches_say_or_more(cluster):
    x, y = points_and_queries("uniform", 3)
    for name in ("three graphs", "a number is missing", "no points in a graph"):
        batch_x, batch_y = BATCHES[name]
        expected = assert_knn(cluster, x, y, 4, batch_x, batch_y)
        for batch_size in (3, 4, 50):
            got = assert_knn(cluster, x, y, 4, batch_x, batch_y, batch_size=batch_size)
            assert torch.equal(got, expected)
    batch = numbers(20, 40)
    for batch_size in (2, 9):
        assert torch.equal(
            cluster.knn_graph(x, 4, batch, batch_size=batch_size), cluster.knn_graph(x, 4, batch)
        )
        assert torch.equal(
            cluster.radius_graph(x, 0.3, batch, batch_size=batch_size),
            cluster.radius_graph(x, 0.3, batch),
        )
    assert torch.equal(cluster.knn(x, y, 4, batch_size=1), cluster.knn(x, y, 4))


def test_num_workers_changes_nothing(cluster):
    x, y = points_and_queries("uniform", 3)
    assert torch.equal(cluster.knn(x, y, 4, num_workers=7), cluster.knn(x, y, 4))
    assert torch.equal(cluster.knn_graph(x, 4, num_workers=7), cluster.knn_graph(x, 4))
    assert torch.equal(cluster.radius(x, y, 0.3, num_workers=7), cluster.radius(x, y, 0.3))
    assert torch.equal(cluster.radius_graph(x, 0.3, num_workers=7), cluster.radius_graph(x, 0.3))


def test_arguments_by_position(cluster):
    x, y = points_and_queries("uniform", 3)
    a, b = BATCHES["three graphs"]
    got = cluster.knn(x, y, 3, a, b, False, 1, 5)
    assert torch.equal(got, cluster.knn(x, y, 3, a, b, batch_size=5))
    got = cluster.knn_graph(x, 3, a, True, FLOWS[1], False, 1, 5)
    assert torch.equal(got, cluster.knn_graph(x, 3, a, loop=True, flow=FLOWS[1]))
    got = cluster.radius(x, y, 0.3, a, b, 4, 1, 5)
    assert torch.equal(got, cluster.radius(x, y, 0.3, a, b, max_num_neighbors=4))
    got = cluster.radius_graph(x, 0.3, a, True, 4, FLOWS[1], 1, 5)
    options = {"loop": True, "max_num_neighbors": 4, "flow": FLOWS[1]}
    assert torch.equal(got, cluster.radius_graph(x, 0.3, a, **options))


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("k", [1, 5, 80])
def test_knn_graph(cluster, flow, batched, k):
    x, _ = points_and_queries("uniform", 3)
    batch = numbers(15, 0, 1, 44) if batched else None
    centre = 1 if flow == FLOWS[0] else 0
    distance2 = all_distance2(x, x, batch, batch)
    loops = cluster.knn_graph(x, k, batch, loop=True, flow=flow)
    assert loops.is_contiguous()
    assert_nearest(loops[[centre, 1 - centre]].contiguous(), distance2, k, 4 * epsilon(x.dtype))
    np.fill_diagonal(distance2, np.inf)
    edges = cluster.knn_graph(x, k, batch, flow=flow)
    assert_nearest(edges[[centre, 1 - centre]].contiguous(), distance2, k, 4 * epsilon(x.dtype))


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("d", [1, 2, 3, 5])
@pytest.mark.parametrize("most", [None, 1, 5])
def test_radius_of_every_cloud(cluster, cloud, d, most):
    x, y = points_and_queries(cloud, d)
    distance2 = all_distance2(x, y, None, None)
    for share in (0.02, 0.3):  # of all pairs
        r = float(np.sqrt(np.quantile(distance2, share)) * 1.01)
        edges = cluster.radius(x, y, r, max_num_neighbors=N if most is None else most)
        assert_within(edges, distance2, r, most, 8 * epsilon(x.dtype))


@pytest.mark.parametrize("batches", BATCHES)
def test_radius_of_every_batch(cluster, batches):
    x, y = points_and_queries("uniform", 3)
    batch_x, batch_y = BATCHES[batches]
    edges = cluster.radius(x, y, 0.35, batch_x, batch_y, max_num_neighbors=N)
    distance2 = all_distance2(x, y, batch_x, batch_y)
    assert_within(edges, distance2, 0.35, None, 8 * epsilon(x.dtype))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_radius_of_every_dtype(cluster, dtype):
    x, y = points_and_queries("lattice", 2, dtype)
    edges = cluster.radius(x, y, 2.0, numbers(20, 40), numbers(30, 10), max_num_neighbors=N)
    distance2 = all_distance2(x, y, numbers(20, 40), numbers(30, 10))
    assert_within(edges, distance2, 2.0, None, 0.0)


def test_radius_is_strict_and_capped_at_32(cluster):
    x = torch.tensor([[0.0], [1.0], [2.0]])
    assert cluster.radius(x, x[:1], 1.0).tolist() == [[0], [0]]
    assert cluster.radius(x, x[:1], 1.001).tolist()[0] == [0, 0]
    assert cluster.radius(x, x[:1], 0.0).shape == (2, 0)
    assert cluster.radius(x, x[:1], float("inf")).shape == (2, 3)
    close = torch.rand(100, 2)
    assert cluster.radius(close, close[:5], 10.0).shape == (2, 5 * 32)
    assert cluster.radius(close, close[:5], 10.0, max_num_neighbors=0).shape == (2, 0)
    assert cluster.radius(close, close[:5], 10.0, max_num_neighbors=-1).shape == (2, 500)


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("batched", [False, True])
def test_radius_graph(cluster, flow, batched):
    x, _ = points_and_queries("uniform", 3)
    batch = numbers(15, 0, 1, 44) if batched else None
    centre = 1 if flow == FLOWS[0] else 0
    distance2 = all_distance2(x, x, batch, batch)
    loops = cluster.radius_graph(x, 0.3, batch, loop=True, max_num_neighbors=N, flow=flow)
    assert_within(loops[[centre, 1 - centre]].contiguous(), distance2, 0.3, None, 1e-6)
    np.fill_diagonal(distance2, np.inf)
    edges = cluster.radius_graph(x, 0.3, batch, max_num_neighbors=N, flow=flow)
    assert edges.is_contiguous()
    assert_within(edges[[centre, 1 - centre]].contiguous(), distance2, 0.3, None, 1e-6)


@pytest.mark.parametrize("flow", ["both", "", "SOURCE_TO_TARGET"])
def test_another_flow_is_an_assertion(cluster, flow):
    x = torch.rand(4, 2)
    with pytest.raises(AssertionError):
        cluster.knn_graph(x, 2, flow=flow)
    with pytest.raises(AssertionError):
        cluster.radius_graph(x, 2.0, flow=flow)


WRONG_BATCHES = {
    "x is too short": (numbers(59), numbers(40), None),
    "x is too long": (numbers(61), numbers(40), None),
    "y is too short": (numbers(60), numbers(39), None),
    "only x of two": (numbers(30, 30), None, None),
    "only y of two": (None, numbers(20, 20), None),
    "a size and no batch": (None, None, 2),
    "a size and only x": (numbers(30, 30), None, 2),
    "a size of none": (numbers(60), numbers(40), 0),
}


@pytest.mark.parametrize("wrong", WRONG_BATCHES)
def test_batches_that_do_not_fit_are_assertions(cluster, wrong):
    x, y = points_and_queries("uniform", 3)
    batch_x, batch_y, batch_size = WRONG_BATCHES[wrong]
    with pytest.raises(AssertionError):
        cluster.knn(x, y, 3, batch_x, batch_y, batch_size=batch_size)
    with pytest.raises(AssertionError):
        cluster.radius(x, y, 0.3, batch_x, batch_y, batch_size=batch_size)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("d", [1, 2, 3])
def test_nearest(cluster, dtype, batched, d):
    x, y = points_and_queries("uniform", d, dtype)
    batch_x, batch_y = (numbers(10, 30, 20), numbers(20, 5, 15)) if batched else (None, None)
    found = cluster.nearest(x, y, batch_x, batch_y)
    assert found.dtype == torch.int64 and found.shape == (N,)
    distance2 = all_distance2(y, x, batch_y, batch_x)
    chosen = distance2[np.arange(N), found.numpy()]
    assert (chosen <= distance2.min(1) * (1 + 1e-4)).all()


NEAREST_REFUSED = {
    "a graph of x alone": (numbers(30, 30), numbers(40)),
    "a graph of x alone, y not told": (numbers(30, 30), None),
    "a graph of y alone": (numbers(60), numbers(20, 20)),
    "a graph in the middle of x alone": (numbers(20, 20, 20), numbers(20, 0, 20)),
    "x is not sorted": (numbers(30, 30).flip(0), numbers(20, 20)),
    "y is not sorted": (numbers(30, 30), numbers(20, 20).flip(0)),
    "x is not sorted and too short": (numbers(30, 29).flip(0), numbers(20, 20)),
}


@pytest.mark.parametrize("refused", NEAREST_REFUSED)
def test_nearest_refuses(cluster, refused):
    x, y = points_and_queries("uniform", 3)
    with pytest.raises(ValueError):
        cluster.nearest(x, y, *NEAREST_REFUSED[refused])


def test_nearest_asserts(cluster):
    x, y = points_and_queries("uniform", 3)
    with pytest.raises(AssertionError):
        cluster.nearest(x, y[:, :2])
    with pytest.raises(AssertionError):
        cluster.nearest(x, y, numbers(59), numbers(40))


def test_three_axes_and_other_types_are_errors(cluster):
    x = torch.rand(4, 2)
    wrong = ((x, torch.rand(4, 2, 2)), (torch.rand(4, 2, 2), x), (x, x.double()))
    for points, queries in wrong:
        with pytest.raises((RuntimeError, ValueError, TypeError)):
            cluster.knn(points, queries, 1)
        with pytest.raises((RuntimeError, ValueError, TypeError)):
            cluster.radius(points, queries, 1.0)


def test_edges_have_no_gradient_and_distances_from_them_do(cluster):
    x = torch.rand(20, 3, requires_grad=True)
    source, target = cluster.knn_graph(x, 4)
    assert not source.requires_grad
    (x[source] - x[target]).square().sum().backward()
    assert x.grad is not None and x.grad.isfinite().all()


@pytest.mark.parametrize("name", ["knn", "knn_graph", "radius", "radius_graph"])
def test_docstrings_name_the_batch_size(cluster, name):
    assert "batch_size" in getattr(cluster, name).__doc__  # PyTorch Geometric 2.4 to 2.7 looks


def test_the_rest_of_the_module(cluster):
    assert cluster.__version__ == "1.6.3"
    testing = importlib.import_module(f"{cluster.__name__}.testing")
    assert torch.device("cpu") in testing.devices and torch.half in testing.grad_dtypes
    assert testing.tensor(None, torch.float, "cpu") is None
    assert testing.tensor([1], torch.half, "cpu").dtype == torch.half
    typing = importlib.import_module(f"{cluster.__name__}.typing")
    assert isinstance(typing.WITH_PTR_LIST, bool)


@pytest.mark.parametrize("cloud", ["uniform", "normal", "far", "line"])
@pytest.mark.parametrize("d", [2, 3, 4, 8])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_both_find_the_same_distances(cloud, d, dtype):
    original = pytest.importorskip("torch_cluster", reason="torch-cluster is not installed")
    own = importlib.import_module("hitgraph.compat.torch_cluster")
    x, y = CLOUDS[cloud](3000, d, 1).to(dtype), CLOUDS[cloud](500, d, 2).to(dtype)
    batch_x, batch_y = numbers(1000, 2000), numbers(250, 250)
    distances = []
    for cluster in (original, own):
        query, neighbour = cluster.knn(x, y, 16, batch_x, batch_y).numpy()
        assert np.array_equal(query, np.repeat(np.arange(500), 16))
        a, b = y.double().numpy()[query], x.double().numpy()[neighbour]
        distances.append(np.square(a.astype(np.longdouble) - b).sum(1))
    assert (np.abs(distances[0] - distances[1]) <= 4 * epsilon(dtype) * distances[1]).all()
    r = float(np.sqrt(np.median(distances[1])))
    sets, counts = [], []
    for cluster in (original, own):
        edges = cluster.radius(x, y, r, batch_x, batch_y, max_num_neighbors=3000)
        sets.append(set(map(tuple, edges.t().tolist())))
        capped = cluster.radius(x, y, r, batch_x, batch_y, max_num_neighbors=5)
        counts.append([len(row) for row in rows_found(capped, 500, 3000)])
    assert sets[0] == sets[1] and counts[0] == counts[1]
