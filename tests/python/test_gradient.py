"""The gradient of distance2: exact, deterministic, to every order; zero where points coincide."""

import math

import pytest
import torch
from knn_reference import assert_same_bits, cloud, lattice, mask, offsets
from torch.autograd import forward_ad, gradcheck, gradgradcheck

from hitgraph import debug, knn, knn_with_transposed, radius

NAN, INF = math.nan, math.inf
distance2_backward = torch.ops.hitgraph.distance2_backward


def separated(n, d, *, seed):
    """Points whose order of neighbours survives the steps of a finite difference."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(n, d, generator=generator, dtype=torch.float64) * 4


def gathered_distance2(points, index, queries=None):
    """distance2 of given neighbours in plain tensor operations; +inf where there is none."""
    own = points if queries is None else queries
    difference = own[:, None] - points[index.clamp(min=0).long()]
    return difference.square().sum(-1).masked_fill(index < 0, INF)


def finite_distance2(points, k, queries=None, **options):
    """The function that is differentiated: +inf, which has no derivative, is made a constant."""
    index, distance2 = knn(points, k, queries=queries, **options)
    return distance2.masked_fill(index < 0, 0.0)


def assert_derivatives(function, inputs):
    """Both orders against finite differences; the second along random directions, for time."""
    assert gradcheck(function, inputs)
    assert gradgradcheck(function, inputs, fast_mode=True)


OPTIONS = {
    "plain": (5, {}),
    "itself": (5, {"include_self": True}),
    "segments": (4, {"row_splits": offsets(0, 3, 1, 6)}),
    "more than there are": (11, {}),
    "radius": (5, {"max_radius": 1.7}),
    "masks": (4, {"point_mask": mask(10, seed=1), "query_mask": mask(10, seed=2)}),
    "int32": (4, {"index_dtype": torch.int32}),
}


@pytest.mark.parametrize(("k", "options"), OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("d", [1, 3])
def test_derivatives_of_first_and_second_order(k, options, d):
    points = separated(10, d, seed=d).requires_grad_()
    assert_derivatives(lambda p: finite_distance2(p, k, **options), points)


BIPARTITE = {
    "plain": (5, {}),
    "segments": (4, {"row_splits": offsets(3, 0, 6), "query_row_splits": offsets(2, 3, 1)}),
    "radius": (6, {"max_radius": 1.7}),
    "masks": (4, {"point_mask": mask(9, seed=3), "query_mask": mask(6, seed=4)}),
}


@pytest.mark.parametrize(("k", "options"), BIPARTITE.values(), ids=BIPARTITE)
def test_derivatives_with_queries(k, options):
    points = separated(9, 3, seed=5).requires_grad_()
    queries = separated(6, 3, seed=6).requires_grad_()

    def function(p, q):
        return finite_distance2(p, k, queries=q, **options)

    assert_derivatives(function, (points, queries))


def test_derivatives_when_only_one_side_asks_for_them():
    points, queries = separated(12, 2, seed=7), separated(7, 2, seed=8)
    wanted = points.clone().requires_grad_()
    assert_derivatives(lambda p: knn(p, 3, queries=queries).distance2, wanted)
    wanted = queries.clone().requires_grad_()
    assert_derivatives(lambda q: knn(points, 3, queries=q).distance2, wanted)


def test_the_same_tensor_as_points_and_as_queries():
    points = separated(9, 2, seed=9).requires_grad_()
    assert_derivatives(lambda p: knn(p, 3, queries=p).distance2, points)


@pytest.mark.parametrize("make", [cloud, lattice])
def test_forces_can_be_trained(make):
    # A loss on the gradient itself, as molecular dynamics has it. The lattice's points coincide.
    points = make(60, 3, seed=10, dtype=torch.float64).requires_grad_()
    index, distance2 = knn(points, 6)

    def force(distances):
        energy = torch.exp(-distances).sum()
        return torch.autograd.grad(energy, points, create_graph=True)[0]

    (got,) = torch.autograd.grad(force(distance2).square().sum(), points)
    again = gathered_distance2(points, index)
    (expected,) = torch.autograd.grad(force(again).square().sum(), points)
    torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-13)], ids=["32", "64"]
)
@pytest.mark.parametrize("bipartite", [False, True])
@pytest.mark.parametrize("make", [cloud, lattice])
def test_the_gradient_is_that_of_the_gathered_formula(make, bipartite, dtype, tolerance):
    points = make(300, 4, seed=11, dtype=dtype).requires_grad_()
    queries = make(90, 4, seed=12, dtype=dtype).requires_grad_() if bipartite else None
    inputs = [points, queries] if bipartite else [points]
    index, distance2 = knn(points, 12, queries=queries)
    weight = cloud(*distance2.shape, seed=13, dtype=dtype)
    got = torch.autograd.grad((distance2 * weight).sum(), inputs)
    again = gathered_distance2(points, index, queries)
    expected = torch.autograd.grad((again * weight).sum(), inputs)
    for a, b in zip(got, expected, strict=True):
        assert a.dtype == dtype and a.shape == b.shape
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


def test_coincident_points_have_no_gradient():
    # The square root's derivative is infinite at 0, and 0 times that is no number.
    points = torch.zeros(4, 3, dtype=torch.float64)
    points[3, 0] = 2.0
    points.requires_grad_()
    distance = knn(points, 3).distance2.sqrt()
    (gradient,) = torch.autograd.grad(distance.sum(), points)
    # 3 - 0, seen from both ends, for three neighbours of point 3 and one of each other.
    expected = [[-2.0, 0, 0], [-2.0, 0, 0], [-2.0, 0, 0], [6.0, 0, 0]]
    assert gradient.tolist() == expected


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_coincident_points_ignore_any_upstream_gradient(bad):
    points = torch.ones(5, 2).requires_grad_()
    distance2 = knn(points, 2, include_self=True).distance2
    (gradient,) = torch.autograd.grad(distance2, points, torch.full_like(distance2, bad))
    assert torch.equal(gradient, torch.zeros(5, 2))


@pytest.mark.parametrize("bad", [NAN, INF, -INF, 1e30])
@pytest.mark.parametrize("bipartite", [False, True])
def test_missing_neighbours_ignore_any_upstream_gradient(bad, bipartite):
    points = separated(6, 2, seed=14).requires_grad_()
    queries = separated(4, 2, seed=15).requires_grad_() if bipartite else None
    options = {"queries": queries, "max_radius": 2.0}
    if not bipartite:
        options["row_splits"] = offsets(1, 5)
    index, distance2 = knn(points, 8, **options)
    assert (index < 0).any() and (index >= 0).any()
    upstream = torch.where(index < 0, bad, 1.0).double()
    inputs = [points, queries] if bipartite else [points]
    got = torch.autograd.grad(distance2, inputs, upstream, retain_graph=True)
    expected = torch.autograd.grad(distance2, inputs, (index >= 0).double())
    for a, b in zip(got, expected, strict=True):
        assert a.isfinite().all() and torch.equal(a, b)


def test_exponential_weights_need_no_mask():
    # +inf in a missing place makes the weight and its derivative vanish by themselves.
    points = separated(5, 2, seed=16).requires_grad_()
    torch.exp(-knn(points, 9).distance2).sum().backward()
    assert points.grad.isfinite().all() and points.grad.abs().sum() > 0


@pytest.mark.parametrize("bad", [NAN, INF])
def test_non_finite_points_have_gradient_zero_and_leave_the_others_theirs(bad):
    points = cloud(40, 3, seed=17)
    points[[3, 20], [0, 2]] = bad
    points.requires_grad_()
    knn(points, 4).distance2.masked_fill(~points.isfinite().all(1)[:, None], 0).sum().backward()
    assert points.grad.isfinite().all()
    assert not points.grad[[3, 20]].any()
    kept = torch.tensor([row for row in range(40) if row not in (3, 20)])
    alone = points.detach()[kept].requires_grad_()
    knn(alone, 4).distance2.sum().backward()
    assert torch.equal(points.grad[kept], alone.grad)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_gradients_of_16_bit_coordinates_have_their_type(dtype):
    points = lattice(50, 3, seed=18, dtype=dtype).requires_grad_()
    queries = lattice(20, 3, seed=19, dtype=dtype).requires_grad_()
    knn(points, 3, queries=queries).distance2.sum().backward()
    assert points.grad.dtype == queries.grad.dtype == dtype
    wide, wide_queries = (t.detach().float().requires_grad_() for t in (points, queries))
    knn(wide, 3, queries=wide_queries).distance2.sum().backward()
    # Small integers: exact in 16 bits as well.
    assert torch.equal(points.grad.float(), wide.grad)
    assert torch.equal(queries.grad.float(), wide_queries.grad)


def test_index_has_no_gradient_and_distance2_has_one_only_if_asked():
    points = cloud(20, 2, seed=20)
    assert not knn(points, 3).distance2.requires_grad
    points.requires_grad_()
    for dtype in (torch.int32, torch.int64):
        index, distance2 = knn(points, 3, index_dtype=dtype)
        assert not index.requires_grad and distance2.requires_grad
    with torch.no_grad():
        assert not knn(points, 3).distance2.requires_grad
    with torch.inference_mode():
        assert not knn(points, 3).distance2.requires_grad


SEARCHES = {
    "knn": lambda x: knn(x, 3).distance2,
    "queries": lambda x: knn(x.new_zeros(4, 2), 3, queries=x).distance2,
    "knn_with_transposed": lambda x: knn_with_transposed(x, 3)[0].distance2,
    "radius": lambda x: radius(x, 0.5).distance2,
}


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)
def test_derivatives_that_there_are_not_are_refused_and_not_left_out(search):
    points = cloud(20, 2, seed=23)
    with forward_ad.dual_level(), pytest.raises(RuntimeError, match="jvp is not implemented"):
        search(forward_ad.make_dual(points, torch.ones_like(points)))
    for transform in (torch.func.grad, torch.func.jacfwd):
        with pytest.raises(RuntimeError):
            transform(lambda x: search(x).sum())(points)


def test_the_bits_of_the_forward_do_not_depend_on_the_gradient():
    points = cloud(500, 3, seed=21)
    plain = knn(points, 9)
    index, distance2 = knn(points.clone().requires_grad_(), 9)
    assert_same_bits((index, distance2.detach()), plain)


def test_the_gradient_is_deterministic_and_independent_of_threads():
    points = torch.cat([cloud(3000, 3, seed=22), lattice(3000, 3, seed=23, side=5) / 5])
    points.requires_grad_()
    queries = cloud(2000, 3, seed=24).requires_grad_()
    threads = torch.get_num_threads()
    runs = []
    try:
        for count in (1, 2, 3, 8, 2):
            torch.set_num_threads(count)
            own, other = knn(points, 20).distance2, knn(points, 20, queries=queries).distance2
            loss = torch.exp(-5 * own).sum() + torch.exp(-5 * other).sum()
            runs.append(torch.autograd.grad(loss, (points, queries)))
    finally:
        torch.set_num_threads(threads)
    for run in runs[1:]:
        assert torch.equal(run[0], runs[0][0]) and torch.equal(run[1], runs[0][1])


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 4), (4, 0)])
def test_gradients_of_nothing(n, m):
    points, queries = (torch.rand(size, 2, requires_grad=True) for size in (n, m))
    distance2 = knn(points, 3, queries=queries).distance2
    got = torch.autograd.grad(distance2.nan_to_num(posinf=0).sum(), (points, queries))
    assert [tuple(g.shape) for g in got] == [(n, 2), (m, 2)]
    assert not any(g.any() for g in got)


def test_second_derivatives_of_nothing():
    grad, queries, points = (
        torch.rand(n, 2, dtype=torch.float64, requires_grad=True) for n in (4, 4, 0)
    )
    by_queries, by_points = distance2_backward(grad, queries, points, torch.full((4, 2), -1))
    total = by_queries.sum() + by_points.sum()
    for derivative, of in zip(
        torch.autograd.grad(total, (grad, queries, points)), (grad, queries, points), strict=True
    ):
        assert derivative.shape == of.shape and not derivative.any()


def test_non_contiguous_points_and_upstream_gradients():
    wide = cloud(40, 6, seed=25, dtype=torch.float64).requires_grad_()
    dense = wide.detach()[:, ::2].clone().requires_grad_()
    upstream = cloud(5, 40, seed=26, dtype=torch.float64).t()
    knn(wide[:, ::2], 5).distance2.backward(upstream)
    knn(dense, 5).distance2.backward(upstream.contiguous())
    assert torch.equal(wide.grad[:, ::2], dense.grad) and not wide.grad[:, 1::2].any()


def test_modified_points_are_noticed():
    points = cloud(20, 2, seed=27).requires_grad_()
    moved = points * 1
    distance2 = knn(moved, 3).distance2
    moved.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        distance2.sum().backward()


def test_functions_of_debug_have_no_gradient():
    points = cloud(20, 2, seed=28).requires_grad_()
    assert not debug.knn_brute_force(points, 3).distance2.requires_grad
    assert not debug.knn_stats(points, 3).distance2.requires_grad


# The operator of the backward, called by itself.


def test_the_backward_operator_counts_repeated_neighbours():
    points, queries = separated(5, 2, seed=29), separated(2, 2, seed=30)
    neighbours = torch.tensor([[0, 1, -1], [4, 4, 2]])
    grad = torch.tensor([[1.0, 2.0, NAN], [3.0, 4.0, 5.0]], dtype=torch.float64)
    for dtype in (torch.int64, torch.int32):
        by_queries, by_points = distance2_backward(grad, queries, points, neighbours.to(dtype))
        expected_queries, expected_points = torch.zeros(2, 2).double(), torch.zeros(5, 2).double()
        for i, c in ((0, 0), (0, 1), (1, 0), (1, 1), (1, 2)):
            step = 2 * grad[i, c] * (queries[i] - points[neighbours[i, c]])
            expected_queries[i] += step
            expected_points[neighbours[i, c]] -= step
        torch.testing.assert_close(by_queries, expected_queries)
        torch.testing.assert_close(by_points, expected_points)
