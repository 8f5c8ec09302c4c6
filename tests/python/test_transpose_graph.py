"""hitgraph::transpose_graph: the edges of a graph by the point that they reach."""

import pytest
import torch
from torch.library import opcheck

import hitgraph  # noqa: F401  (registers the operator)

transpose = torch.ops.hitgraph.transpose_graph


def graph(rows, k, points, dtype=torch.int64):
    random = torch.Generator().manual_seed(rows)
    return torch.randint(-1, points, (rows, k), generator=random).to(dtype)


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32])
@pytest.mark.parametrize(("rows", "k", "points"), [(100, 7, 50), (5, 3, 0), (0, 4, 6), (9, 1, 1)])
def test_it_is_a_stable_sort_by_the_end_with_missing_edges_last(rows, k, points, dtype):
    index = graph(rows, k, points, dtype)
    offsets, edges, order = transpose(index, points)
    keys = torch.where(index < 0, points, index.long()).flatten()
    expected = torch.sort(keys, stable=True)
    assert offsets.dtype == torch.int64 and edges.dtype == torch.int32
    assert torch.equal(edges.long(), expected.indices)
    assert torch.equal(offsets, torch.searchsorted(expected.values, torch.arange(points + 1)))
    assert torch.equal(order, torch.arange(points, dtype=torch.int32))  # small, or not of one set


def test_neighbours_come_one_after_another():
    at = torch.randperm(5000)  # a circle of 5000 points in random order, three neighbours a side
    steps = torch.tensor([-3, -2, -1, 1, 2, 3])
    index = at[(torch.argsort(at).unsqueeze(1) + steps) % 5000]
    order = transpose(index, 5000)[2].long()
    assert torch.equal(order.sort().values, torch.arange(5000))
    places = torch.argsort(order)
    apart = (places[index] - places.unsqueeze(1)).abs()
    assert apart.float().median() <= 6
    assert torch.equal(transpose(index % 4000, 4000)[2], torch.arange(4000, dtype=torch.int32))


def test_threads_do_not_matter():
    index = graph(50_000, 20, 3000)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = transpose(index, 3000)
        torch.set_num_threads(2)
        assert all(torch.equal(a, b) for a, b in zip(alone, transpose(index, 3000), strict=True))
    finally:
        torch.set_num_threads(before)


def test_not_contiguous():
    index = graph(40, 30, 20)
    for a, b in zip(transpose(index.t(), 20), transpose(index.t().contiguous(), 20), strict=True):
        assert torch.equal(a, b)


def test_opcheck():
    opcheck(transpose.default, (graph(20, 5, 9), 9))
    opcheck(transpose.default, (graph(0, 5, 9, torch.int32), 9))


def test_a_fake_graph_of_unknown_size():
    compiled = torch.compile(
        lambda index: transpose(index, 50)[1] + 1, fullgraph=True, dynamic=True
    )
    for rows in (10, 30):
        index = graph(rows, 4, 50)
        assert torch.equal(compiled(index), transpose(index, 50)[1] + 1)


@pytest.mark.parametrize(
    ("index", "points", "exception", "pattern"),
    [
        (torch.zeros(3, dtype=torch.int64), 4, ValueError, r"index to be 2-D \(m, k\), got 1-D"),
        (torch.zeros(3, 2), 4, TypeError, "index to be int64 or int32, got float32"),
        (torch.zeros(3, 2, dtype=torch.int64), -1, ValueError, "points from 0 to .*, got -1"),
        (torch.tensor([[0, 4]]), 4, ValueError, "index from -1 to 3, got 4"),
        (torch.tensor([[0, -2]]), 4, ValueError, "index from -1 to 3, got -2"),
    ],
)
def test_bad_input(index, points, exception, pattern):
    with pytest.raises(exception, match=f"hitgraph::transpose_graph: expected {pattern}"):
        transpose(index, points)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_cuda_gives_the_same():
    index = graph(20_000, 16, 3000)
    there = transpose(index.cuda(), 3000)
    offsets, edges, order = (tensor.cpu() for tensor in there)
    assert order.numel() == 0
    expected = transpose(index, 3000)
    assert torch.equal(offsets, expected[0]) and torch.equal(edges, expected[1])
