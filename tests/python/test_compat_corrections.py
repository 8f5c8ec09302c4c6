"""Where torch-cluster is wrong or says nothing, hitgraph's answer: docs/torch_cluster.md."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from cluster_cases import CLOUDS, DTYPES, INTEGERS, numbers
from cluster_reference import all_distance2, assert_nearest, epsilon, rows_found

from hitgraph.compat.torch_cluster import knn, knn_graph, nearest, radius, radius_graph

NAN, INF = float("nan"), float("inf")


def exactly(distance2: np.ndarray, k: int) -> list[list[int]]:
    """The k nearest of every query by (distance2, index)."""
    order = np.argsort(distance2, axis=1, kind="stable")
    present = np.isfinite(distance2).sum(1)
    return [row[: min(k, n)].tolist() for row, n in zip(order, present, strict=True)]


def found(edges: torch.Tensor, queries: int, points: int) -> list[list[int]]:
    return [row.tolist() for row in rows_found(edges, queries, points)]


@pytest.mark.parametrize("k", [1, 4, 30])
@pytest.mark.parametrize("n", [8, 50, 200])
def test_coincident_rows_have_their_degree(k, n):
    batch = numbers(n, 3)
    x = torch.zeros(n + 3, 3)
    edges = knn_graph(x, k, batch)
    degree = torch.bincount(edges[1], minlength=n + 3)
    assert degree.tolist() == [min(k, n - 1)] * n + [min(k, 2)] * 3
    assert (edges[0] != edges[1]).all()
    edges = radius_graph(x, 1.0, batch, max_num_neighbors=k)
    assert torch.equal(torch.bincount(edges[1], minlength=n + 3), degree)


@pytest.mark.parametrize("cloud", ["lattice", "duplicates", "coincident"])
@pytest.mark.parametrize("d", [1, 3])
def test_ties_go_to_the_smaller_row(cloud, d):
    x, y = CLOUDS[cloud](200, d, 1), CLOUDS[cloud](50, d, 2)
    batch_x, batch_y = numbers(80, 120), numbers(20, 30)
    distance2 = all_distance2(x, y, batch_x, batch_y)
    assert found(knn(x, y, 9, batch_x, batch_y), 50, 200) == exactly(distance2, 9)
    assert nearest(y, x, batch_y, batch_x).tolist() == [row[0] for row in exactly(distance2, 1)]
    own = all_distance2(x, x, batch_x, batch_x)
    assert found(knn(x, x, 9, batch_x, batch_x), 200, 200) == exactly(own, 9)
    np.fill_diagonal(own, np.inf)
    edges = knn_graph(x, 9, batch_x, flow="target_to_source")
    assert found(edges, 200, 200) == exactly(own, 9)
    assert torch.equal(knn_graph(x, 9, batch_x), edges.flip(0))


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("most", [1, 6])
def test_a_capped_radius_keeps_the_nearest(cloud, most):
    x, y = CLOUDS[cloud](100, 2, 1), CLOUDS[cloud](30, 2, 2)
    distance2 = all_distance2(x, y, None, None)
    r = float(np.sqrt(np.quantile(distance2, 0.3)) * 1.01) + 0.1
    distance2[distance2 >= np.longdouble(np.float32(r * r))] = np.inf
    edges = radius(x, y, r, max_num_neighbors=most)
    assert_nearest(edges, distance2, most, 4 * epsilon(x.dtype))
    everything = radius(x, y, r, max_num_neighbors=-1)
    assert_nearest(everything, distance2, 100, 4 * epsilon(x.dtype))


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
@pytest.mark.parametrize("row", [0, 700])
def test_one_bad_row_changes_no_other(bad, row):
    clean = torch.rand(1500, 3)
    x = clean.clone()
    x[row, 1] = bad
    others = torch.arange(1500) != row
    numbers_of = torch.cumsum(others, 0) - 1
    for search in (
        lambda points: knn(points, points, 6),
        lambda points: knn(points, clean[:100], 6),
        lambda points: knn_graph(points, 6),
        lambda points: radius(points, points, 0.2),
        lambda points: radius_graph(points, 0.2),
    ):
        edges = search(x)
        assert (edges[0] != row).all() or search(clean).shape[1] == 600
        assert (edges[1] != row).all()
        if len(edges[0].unique()) > 100:
            assert torch.equal(numbers_of[edges], search(clean[others]))
    assert nearest(x, clean)[row] == -1
    assert (nearest(clean, x) != row).all()


@pytest.mark.parametrize("scale", [1e5, 1e9, 1e15])
def test_no_distance_is_too_large(scale):
    x = torch.tensor([[0.0], [1.0], [3.0], [7.0]]) * scale
    assert knn_graph(x, 3).shape == (2, 12)
    assert knn_graph(x, 1).tolist() == [[1, 0, 1, 2], [0, 1, 2, 3]]
    assert radius_graph(x, 2.5 * scale).shape == (2, 4)


@pytest.mark.parametrize("k", [100, 101, 500])
def test_any_k(k):
    x = CLOUDS["lattice"](700, 2, 1)
    distance2 = all_distance2(x, x, None, None)
    assert found(knn(x, x, k), 700, 700) == exactly(distance2, k)


def test_no_k_is_no_edge():
    x = torch.rand(5, 2)
    assert knn(x, x, 0).shape == knn_graph(x, 0).shape == knn_graph(x, 0, loop=True).shape == (2, 0)


def test_integers_do_not_wrap_and_their_radius_is_not_truncated():
    x = torch.tensor([[0], [50_000], [7]], dtype=torch.int32)
    assert knn(x, x[:1], 3)[1].tolist() == [0, 2, 1]
    small = torch.tensor([[-100], [100], [90]], dtype=torch.int8)
    assert knn(small, small[:1], 3)[1].tolist() == [0, 2, 1]
    # 1.5² is 2.25, not 2.
    corner = torch.tensor([[0, 0], [1, 1]])
    assert radius(corner, corner[:1], 1.5)[1].tolist() == [0, 1]
    large = torch.tensor([[0], [2**40], [2**40 - 1]])
    assert knn(large, large[:1], 3)[1].tolist() == [0, 2, 1]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_16_bits_are_searched_in_float32(dtype):
    x = torch.tensor([[0.0], [400.0], [300.0], [-1000.0]], dtype=dtype)
    assert knn(x, x[:1], 4)[1].tolist() == [0, 2, 1, 3]  # 300² is beyond float16
    assert radius(x, x[:1], 350.0)[1].tolist() == [0, 2]
    cloud = torch.rand(300, 4).to(dtype)
    assert torch.equal(knn(cloud, cloud, 9), knn(cloud.float(), cloud.float(), 9))
    assert torch.equal(radius(cloud, cloud, 0.3), radius(cloud.float(), cloud.float(), 0.3))


def test_one_graph_too_many_is_no_merger():
    x = torch.rand(6, 2)
    with pytest.raises(ValueError, match="batch_x to hold numbers below batch_size = 1, got 1"):
        knn(x, x, 2, numbers(3, 3), numbers(3, 3), batch_size=1)
    with pytest.raises(ValueError, match="below batch_size = 2, got 2"):
        knn_graph(x, 2, numbers(2, 2, 2), batch_size=2)


def test_ignore_same_index():
    x, y = CLOUDS["lattice"](60, 2, 1), CLOUDS["lattice"](60, 2, 2)
    for queries, batch in ((x, None), (x.clone(), None), (y, numbers(20, 40)), (y[:30], None)):
        batch_y = batch if len(queries) == 60 else None
        distance2 = all_distance2(x, queries, batch, batch_y)
        distance2[distance2 >= 4] = np.inf
        np.fill_diagonal(distance2, np.inf)
        for most in (-1, 1, 3, 100):
            edges = radius(
                x, queries, 2.0, batch, batch_y, max_num_neighbors=most, ignore_same_index=True
            )
            expected = exactly(distance2, 100 if most < 0 else most)
            assert found(edges, len(queries), 60) == expected


def test_radius_graph_never_has_more_than_asked():
    x = torch.zeros(20, 2)
    for loop in (False, True):
        for most in (1, 3, 19):
            edges = radius_graph(x, 1.0, loop=loop, max_num_neighbors=most)
            assert torch.bincount(edges[1]).tolist() == [most] * 20


def test_nearest_in_many_graphs_keeps_its_precision():
    graphs, n = 2000, 4
    batch = numbers(*[n] * graphs)
    x, y = torch.rand(graphs * n, 3), torch.rand(graphs * n, 3)
    assert torch.equal(nearest(x, y, batch, batch), knn(y, x, 1, batch, batch)[1])
    exact = torch.stack(
        [
            torch.cdist(a.double(), b.double()).argmin(1)
            for a, b in zip(x.split(n), y.split(n), strict=True)
        ]
    )
    assert torch.equal(nearest(x, y, batch, batch) % n, exact.flatten())


# Cosine: torch-cluster has it on CUDA only.


def cosine_distance(x: torch.Tensor, y: torch.Tensor) -> np.ndarray:
    a, b = (t.double().numpy().astype(np.longdouble).reshape(len(t), -1) for t in (x, y))
    a, b = (t / np.sqrt(np.square(t).sum(1, keepdims=True)) for t in (a, b))
    # 1 - cos, without cancellation
    return np.square(b[:, None] - a[None]).sum(-1) / 2


@pytest.mark.parametrize("d", [2, 3, 8])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16], ids=str)
def test_cosine(d, dtype):
    x, y = torch.randn(150, d).to(dtype), torch.randn(40, d).to(dtype)
    batch_x, batch_y = numbers(50, 100), numbers(30, 10)
    distance = cosine_distance(x, y)
    distance[batch_y[:, None].numpy() != batch_x[None].numpy()] = np.inf
    assert_nearest(knn(x, y, 7, batch_x, batch_y, cosine=True), distance, 7, 1e-9)
    own = cosine_distance(x, x)
    np.fill_diagonal(own, np.inf)
    edges = knn_graph(x, 7, cosine=True, flow="target_to_source")
    assert_nearest(edges, own, 7, 1e-9)
    assert torch.bincount(knn_graph(x, 7, cosine=True)[1]).tolist() == [7] * 150


def test_cosine_is_not_what_is_near():
    x = torch.tensor([[1.0, 0.1], [100.0, 0.0], [0.0, 1.0]])
    y = torch.tensor([[1.0, 0.0]])
    assert knn(x, y, 3)[1].tolist() == [0, 2, 1]
    assert knn(x, y, 3, cosine=True)[1].tolist() == [1, 0, 2]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int64], ids=str)
def test_parallel_vectors_tie(dtype):
    direction = torch.tensor([3.0, -7.0, 11.0])
    x = (direction * torch.tensor([5.0, 1.0, 3.0, 1e4, 7.0])[:, None]).to(dtype)
    assert knn(x, x, 5, cosine=True)[1].tolist() == list(range(5)) * 5
    opposite = torch.cat([-x[:1], x])
    assert knn(opposite, x[:1], 6, cosine=True)[1].tolist() == [1, 2, 3, 4, 5, 0]


def test_a_null_vector_has_no_direction():
    x = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    assert knn(x, x, 3, cosine=True).tolist() == [[0, 0, 2, 2], [0, 2, 2, 0]]


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_cosine_of_any_length(scale):
    x = torch.randn(50, 3, dtype=torch.float64)
    assert torch.equal(knn(x * scale, x, 5, cosine=True), knn(x, x.clone(), 5, cosine=True))


@pytest.mark.parametrize("dtype", [dtype for dtype in DTYPES if dtype not in INTEGERS], ids=str)
def test_an_empty_side_of_any_kind(dtype):
    x, none = torch.rand(5, 3).to(dtype), torch.empty(0, 3, dtype=dtype)
    for edges in (knn(none, x, 2), knn(x, none, 2), radius(none, x, 1.0), radius(x, none, 1.0)):
        assert edges.shape == (2, 0) and edges.dtype == torch.int64
    assert nearest(none, x).shape == (0,)


def test_a_huge_k_takes_no_memory_for_neighbours_that_small_graphs_do_not_have():
    """Rows of k would be 48 GB here."""
    sizes = torch.tensor([20_000] + [4] * 60_000)
    batch = torch.repeat_interleave(sizes)
    x = torch.rand(len(batch), 2, generator=torch.Generator().manual_seed(1))
    x[:20_000] += torch.arange(20_000)[:, None]
    edges = knn_graph(x, 30, batch)
    assert edges.shape[1] == 20_000 * 30 + 60_000 * 4 * 3
    few = knn(x, x[:50], 15_000, batch, batch[:50])
    assert few.shape[1] == 50 * 15_000
    small = torch.tensor([3000] + [4] * 3000)
    batch = torch.repeat_interleave(small)
    x = x[20_000 - 3000 : 20_000 + 12_000]
    edges = knn_graph(x, 2900, batch)
    assert edges.shape[1] == 3000 * 2900 + 3000 * 4 * 3
    rows = edges[:, edges[1] == 7][0]
    near = (x[:3000] - x[7]).square().sum(1)
    near[7] = torch.inf
    assert torch.equal(rows.sort().values, near.topk(2900, largest=False).indices.sort().values)
