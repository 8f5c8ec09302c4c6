"""hitgraph.radius and hitgraph.nearest keep their contract."""

import math

import pytest
import torch
from knn_reference import assert_same_bits, cloud, mask, reference_knn
from knn_reference import lattice as integers
from refusals import assert_raises
from scipy.spatial import cKDTree
from torch.library import opcheck

import hitgraph


def lattice(n, d, seed=0):
    return integers(n, d, seed=seed, side=5)


def reference(points, r, *, max_neighbors=None, inclusive=True, **options):
    """(row_splits, index, distance2) by comparing every pair in float64."""
    index, distance2 = reference_knn(points, max(len(points), 1), max_radius=r, **options)
    found = (index >= 0) & (distance2.isfinite())
    if not inclusive:
        found &= distance2 < r * r
    if max_neighbors is not None:
        found &= torch.arange(index.shape[1]) < max_neighbors
    row_splits = torch.cat([torch.zeros(1, dtype=torch.int64), found.sum(1).cumsum(0)])
    return row_splits, index[found], distance2[found]


def assert_found(got, expected, dtype=torch.float32):
    assert got.row_splits.dtype == torch.int64
    assert torch.equal(got.row_splits, expected[0])
    assert_same_bits(
        (got.index[:, None], got.distance2[:, None]),
        (expected[1][:, None], expected[2].to(dtype)[:, None]),
    )


@pytest.mark.parametrize("r", [0.0, 1.0, 2.0, math.sqrt(5), 100.0, math.inf])
@pytest.mark.parametrize("d", [1, 2, 3, 8])
def test_lattice(d, r):
    points = lattice(200, d)
    assert_found(hitgraph.radius(points, r), reference(points, r))


@pytest.mark.parametrize("inclusive", [True, False])
@pytest.mark.parametrize("r", [0.0, 1.0, 2.0])
def test_the_sphere_belongs_to_it_or_not(r, inclusive):
    points = lattice(100, 3)
    for include_self in (True, False):
        options = {"inclusive": inclusive, "include_self": include_self}
        assert_found(hitgraph.radius(points, r, **options), reference(points, r, **options))


@pytest.mark.parametrize("max_neighbors", [0, 1, 5, 1000])
def test_at_most_so_many(max_neighbors):
    points = lattice(150, 2)
    got = hitgraph.radius(points, 2.0, max_neighbors=max_neighbors)
    assert_found(got, reference(points, 2.0, max_neighbors=max_neighbors))


def test_segments_queries_and_masks():
    points, queries = lattice(120, 3), lattice(90, 3, seed=1)
    splits, query_splits = (
        torch.tensor([0, 0, 50, 50, 119, 120]),
        torch.tensor([0, 20, 60, 70, 90, 90]),
    )
    some = mask(120, seed=2)
    both = {"queries": queries, "query_row_splits": query_splits, "query_mask": some[:90]}
    for options in ({}, {"point_mask": some}, {"query_mask": some}, both, {"include_self": True}):
        got = hitgraph.radius(points, 2.0, splits, **options)
        assert_found(got, reference(points, 2.0, row_splits=splits, **options))


def test_batch_vectors():
    points = lattice(60, 2)
    batch = torch.tensor([0] * 20 + [2] * 40)
    splits = torch.tensor([0, 20, 20, 60])
    got = hitgraph.radius(points, 1.0, batch=batch)
    assert_found(got, hitgraph.radius(points, 1.0, splits))
    got = hitgraph.radius(points, 1.0, batch=batch, queries=points, query_batch=batch)
    assert_found(got, hitgraph.radius(points, 1.0, splits, include_self=True))


@pytest.mark.parametrize("n", [0, 1, 5])
def test_small_and_empty(n):
    points = lattice(n, 3)
    assert_found(hitgraph.radius(points, 2.0), reference(points, 2.0))
    nobody = hitgraph.radius(points, 2.0, queries=torch.zeros(0, 3))
    assert nobody.row_splits.tolist() == [0]
    assert nobody.index.numel() == nobody.distance2.numel() == 0
    if n == 0:
        assert (
            hitgraph.radius(points, 2.0, queries=torch.zeros(2, 3)).row_splits.tolist() == [0] * 3
        )


def test_rows_with_nan_take_no_part():
    points = lattice(80, 3)
    points[3, 1], points[50, 0] = math.nan, math.inf
    assert_found(hitgraph.radius(points, 2.0), reference(points, 2.0))


def test_no_sentinel_distance():
    points = torch.tensor([[0.0], [3e9], [-1e18]])
    assert hitgraph.radius(points, 1e19).row_splits.tolist() == [0, 2, 4, 6]
    # Beyond float32 a distance is missing, whatever the radius.
    assert hitgraph.radius(torch.tensor([[0.0], [3e38]]), math.inf).index.numel() == 0


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("index_dtype", [torch.int64, torch.int32])
def test_dtypes(dtype, index_dtype):
    points = lattice(70, 3).to(dtype)
    got = hitgraph.radius(points, 1.5, index_dtype=index_dtype)
    row_splits, index, distance2 = reference(points, 1.5)
    wide = torch.float64 if dtype == torch.float64 else torch.float32
    assert_found(got, (row_splits, index.to(index_dtype), distance2), wide)


@pytest.mark.parametrize("d", [2, 3, 6])
def test_against_scipy(d):
    points = cloud(3000, d, seed=3, dtype=torch.float64)
    r = {2: 0.05, 3: 0.1, 6: 0.35}[d]
    row_splits, index, _ = hitgraph.radius(points, r, include_self=True)
    theirs = cKDTree(points.numpy()).query_ball_point(points.numpy(), r)
    ours = index.tensor_split(row_splits[1:-1])
    assert all(set(a.tolist()) == set(b) for a, b in zip(ours, theirs, strict=True))


def test_agrees_with_knn():
    points = torch.randn(4000, 4, generator=torch.Generator().manual_seed(4))
    row_splits, index, distance2 = hitgraph.radius(points, 0.6)
    degree = row_splits.diff()
    k = int(degree.max())
    rows = hitgraph.knn(points, k, max_radius=0.6)
    found = rows.index >= 0
    assert torch.equal(found.sum(1), degree)
    assert_same_bits((index, distance2), (rows.index[found], rows.distance2[found]))
    capped = hitgraph.knn(points, 7, max_radius=0.6)
    got = hitgraph.radius(points, 0.6, max_neighbors=7)
    found = capped.index >= 0
    assert_same_bits(got[1:], (capped.index[found], capped.distance2[found]))


def test_any_number_of_threads_gives_the_same_bits():
    points = torch.randn(5000, 3, generator=torch.Generator().manual_seed(5))
    before = torch.get_num_threads()
    try:
        results = []
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            results.append(hitgraph.radius(points, 0.3))
    finally:
        torch.set_num_threads(before)
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


@pytest.mark.parametrize("own", [True, False])
def test_gradient(own):
    random = torch.Generator().manual_seed(6)
    points = torch.randn(12, 3, generator=random, dtype=torch.float64)
    points[4] = points[2]
    points[7, 0] = math.nan
    queries = torch.randn(5, 3, generator=random, dtype=torch.float64)
    tensors = (points.nan_to_num(99).requires_grad_(), queries.requires_grad_())

    def energies(x, y):
        # A sum over each row: at a tie, a small step changes the order of its elements.
        row_splits, _, distance2 = hitgraph.radius(x, 1.5, queries=None if own else y)
        rows = torch.repeat_interleave(row_splits.diff())
        return x.new_zeros(len(row_splits) - 1).index_add(0, rows, distance2.sin())

    assert len(hitgraph.radius(*tensors[:1], 1.5).index) > 5
    assert torch.autograd.gradcheck(energies, tensors)
    assert torch.autograd.gradgradcheck(energies, tensors)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_gradient_against_the_formula(dtype):
    points = torch.randn(500, 3, generator=torch.Generator().manual_seed(7)).to(dtype)
    weights = torch.rand(10**5, generator=torch.Generator().manual_seed(8))
    ours, plain = points.clone().requires_grad_(), points.double().requires_grad_()
    row_splits, index, distance2 = hitgraph.radius(ours, 0.7)
    rows = torch.repeat_interleave(row_splits.diff())
    (distance2 * weights[: len(index)]).sum().backward()
    formula = (plain[rows] - plain[index]).square().sum(1)
    (formula * weights[: len(index)]).sum().backward()
    assert ours.grad.dtype == dtype
    tolerance = 1e-5 if dtype == torch.float32 else 2e-2
    assert torch.allclose(ours.grad.double(), plain.grad, rtol=tolerance, atol=tolerance)


def test_gradient_of_nothing():
    points = torch.tensor([[0.0], [9.0]], requires_grad=True)
    hitgraph.radius(points, 1.0).distance2.sum().backward()
    assert points.grad.abs().sum() == 0


def test_opcheck():
    points = torch.rand(20, 3, dtype=torch.float64)
    splits = torch.tensor([0, 7, 20])
    utils = ("test_schema", "test_faketensor", "test_autograd_registration")
    for tensor in (points, points.clone().requires_grad_()):
        for kwargs in ({}, {"max_neighbors": 3, "index_dtype": torch.int32}):
            opcheck(
                torch.ops.hitgraph.radius.default, (tensor, 0.5, splits), kwargs, test_utils=utils
            )


def test_compiles():
    def energy(x):
        row_splits, _, distance2 = hitgraph.radius(x, 0.5)
        return (-distance2).exp().sum() + row_splits.shape[0]

    x = torch.rand(50, 3)
    with torch._dynamo.config.patch(capture_dynamic_output_shape_ops=True):
        compiled = torch.compile(energy, fullgraph=True, backend="aot_eager")
        ours, plain = x.clone().requires_grad_(), x.clone().requires_grad_()
        compiled(ours).backward()
    energy(plain).backward()
    assert torch.allclose(ours.grad, plain.grad)


REFUSALS = {
    "r is negative": ({"r": -1.0}, ValueError, r"expected r to be a number not below 0, got -1"),
    "r is NaN": ({"r": math.nan}, ValueError, r"expected r to be a number not below 0, got nan"),
    "r is a string": ({"r": "1"}, TypeError, r"expected r to be a float, got str"),
    "r is None": ({"r": None}, TypeError, r"expected r to be a float, got NoneType"),
    "cap is negative": ({"max_neighbors": -1}, ValueError, r"max_neighbors to be at least 0"),
    "cap is a float": ({"max_neighbors": 2.5}, TypeError, r"max_neighbors to be an int"),
    "inclusive is a number": ({"inclusive": 1}, TypeError, r"inclusive to be a bool"),
    "points 1-D": ({"points": torch.rand(4)}, ValueError, r"points to be 2-D \(n, d\), got 1-D"),
    "points of integers": ({"points": torch.zeros(4, 2).long()}, TypeError, r"points to be float"),
    "splits": ({"row_splits": torch.tensor([0, 9])}, ValueError, r"row_splits to end at 10"),
    "batch": ({"batch": torch.zeros(9).long()}, ValueError, r"batch to have 10 elements"),
    "both": (
        {"batch": torch.zeros(10).long(), "row_splits": torch.tensor([0, 10])},
        ValueError,
        r"batch or its row_splits, got both",
    ),
    "other columns": ({"queries": torch.rand(4, 2)}, ValueError, r"queries to have 3 columns"),
    "mask": ({"point_mask": torch.ones(10)}, TypeError, r"point_mask to be bool"),
    "index": ({"index_dtype": torch.float32}, TypeError, r"index_dtype to be torch.int64"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals(name):
    arguments, exception, pattern = REFUSALS[name]
    arguments = {"points": torch.rand(10, 3), "r": 0.5, **arguments}
    assert_raises(exception, pattern, lambda: hitgraph.radius(**arguments), "hitgraph::radius")


def test_operator_refuses_too():
    points = torch.rand(10, 3)
    call = torch.ops.hitgraph.radius
    assert_raises(ValueError, "r to be a number not below 0", lambda: call(points, -1.0))
    assert_raises(ValueError, "max_neighbors", lambda: call(points, 1.0, max_neighbors=-2))
    with pytest.raises(TypeError, match="unexpected keyword"):
        hitgraph.radius(points, 1.0, max_neighbours=3)


def test_nearest():
    points, queries = lattice(100, 3), lattice(40, 3, seed=1)
    for options in ({}, {"queries": queries}, {"include_self": True}, {"max_radius": 0.5}):
        index, distance2 = hitgraph.nearest(points, **options)
        rows = hitgraph.knn(points, 1, **options)
        assert index.shape == distance2.shape == (len(options.get("queries", points)),)
        assert_same_bits((index[:, None], distance2[:, None]), rows)
    assert hitgraph.nearest(points[:1]).index.tolist() == [-1]
    assert_raises(ValueError, "points to be 2-D", lambda: hitgraph.nearest(points[0]))
