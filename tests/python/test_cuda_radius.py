"""hitgraph.radius on CUDA tensors: the CPU's bits."""

import math

import pytest
import torch
from knn_reference import assert_same_bits, cloud, lattice, mask

import hitgraph
from hitgraph import datasets

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available() or not hitgraph._C.build_info()["cuda"],
    reason="needs a GPU and a build with CUDA kernels",
)

CUDA = "cuda"


def assert_as_on_the_cpu(points, r, **options):
    expected = hitgraph.radius(points, r, **options)
    there = {k: v.to(CUDA) if isinstance(v, torch.Tensor) else v for k, v in options.items()}
    got = hitgraph.radius(points.to(CUDA), r, **there)
    assert torch.equal(got.row_splits.cpu(), expected.row_splits)
    assert_same_bits(
        (got.index.cpu()[:, None], got.distance2.cpu()[:, None]),
        (expected.index[:, None], expected.distance2[:, None]),
    )


@pytest.mark.parametrize("name", datasets.names(d=3))
@pytest.mark.parametrize("cap", [None, 0, 7, 1500])
def test_every_set_has_the_bits_of_the_cpu(name, cap):
    batch = datasets.batch(name, 6000, 3, rng=1)
    points, splits = torch.as_tensor(batch.points), torch.as_tensor(batch.row_splits)
    reach = hitgraph.knn(points, 20, splits).distance2[:, -1].sqrt()
    r = reach[reach.isfinite()].median().item()
    assert_as_on_the_cpu(points, r, row_splits=splits, max_neighbors=cap)


@pytest.mark.parametrize("d", [1, 2, 4, 5, 6, 7, 8, 12])
def test_dimensions_and_types(d):
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        points = lattice(1500, d, seed=d).to(dtype)
        for index_dtype in (torch.int32, torch.int64):
            assert_as_on_the_cpu(points, 1.5, index_dtype=index_dtype, inclusive=d % 2 == 0)


def test_masks_queries_self_and_segments():
    points, queries = cloud(9000, 3, seed=1), cloud(700, 3, seed=2)
    splits, others = torch.tensor([0, 5, 5, 4000, 9000]), torch.tensor([0, 100, 100, 600, 700])
    assert_as_on_the_cpu(points, 0.08, row_splits=splits, point_mask=mask(9000, seed=3))
    assert_as_on_the_cpu(points, 0.08, query_mask=mask(9000, seed=4), include_self=True)
    assert_as_on_the_cpu(points, 0.1, row_splits=splits, queries=queries, query_row_splits=others)


@pytest.mark.parametrize("n", [0, 1, 2, 31, 33, 2048, 2049, 70_000])
def test_sizes(n):
    points = cloud(n, 3, seed=n)
    assert_as_on_the_cpu(points, 0.05)
    assert_as_on_the_cpu(points[:100], math.inf)
    nobody = hitgraph.radius(points.to(CUDA), 1.0, queries=torch.zeros(0, 3, device=CUDA))
    assert nobody.row_splits.tolist() == [0] and len(nobody.index) == 0


def test_long_rows():
    points = torch.zeros(5000, 2)
    points[:40] = 5 * cloud(40, 2, seed=5)
    assert_as_on_the_cpu(points, 1.0, query_mask=torch.arange(5000) < 60)


def test_gradient():
    points = cloud(3000, 3, seed=6, dtype=torch.float64)
    here, there = points.clone().requires_grad_(), points.to(CUDA).requires_grad_()
    for leaf in (here, there):
        hitgraph.radius(leaf, 0.1).distance2.sin().sum().backward()
    assert torch.allclose(here.grad, there.grad.cpu(), rtol=1e-12, atol=1e-12)
    again = points.to(CUDA).requires_grad_()
    hitgraph.radius(again, 0.1).distance2.sin().sum().backward()
    assert torch.equal(again.grad, there.grad)


def test_malformed_row_splits_read_nothing_outside():
    points = cloud(1000, 3, seed=7).to(CUDA)
    for splits in ([0, 900, 100, 1000], [5, 2000], [-9, 1000]):
        got = hitgraph.radius(points, 0.5, torch.tensor(splits, device=CUDA))
        assert got.row_splits[-1].item() == len(got.index)
