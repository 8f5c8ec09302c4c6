"""The contract on CUDA tensors: the CPU's bits, no synchronisation, streams, graphs, debug mode."""

import pytest
import torch
from knn_reference import assert_same_bits

import hitgraph
from hitgraph import datasets, debug

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available() or not hitgraph._C.build_info()["cuda"],
    reason="needs a GPU and a build with CUDA kernels",
)

CUDA = "cuda"
SETS = [(name, d) for d in (1, 2, 3, 4, 5, 8, 16, 64) for name in datasets.names(d=d)]


def on_gpu(options):
    return {k: v.to(CUDA) if isinstance(v, torch.Tensor) else v for k, v in options.items()}


def assert_as_on_the_cpu(points, k, **options):
    expected = hitgraph.knn(points, k, **options)
    got = hitgraph.knn(points.to(CUDA), k, **on_gpu(options))
    assert_same_bits((got.index.cpu(), got.distance2.cpu()), expected)


@pytest.mark.parametrize(("name", "d"), SETS)
def test_every_set_has_the_bits_of_the_cpu(name, d):
    batch = datasets.batch(name, 9000, d, rng=1)
    points, splits = torch.as_tensor(batch.points), torch.as_tensor(batch.row_splits)
    for k in (1, 7, 40, 64, 257):
        assert_as_on_the_cpu(points, k, row_splits=splits)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_other_types(dtype):
    points = torch.randn(5000, 4, generator=torch.Generator().manual_seed(1)).to(dtype)
    assert_as_on_the_cpu(points, 20)
    assert_as_on_the_cpu(points, 20, index_dtype=torch.int32)


def test_masks_queries_radius_and_self():
    random = torch.Generator().manual_seed(2)
    points = torch.rand(20_000, 3, generator=random)
    queries = torch.rand(3000, 3, generator=random)
    found, asking = (
        torch.rand(20_000, generator=random) < 0.5,
        torch.rand(20_000, generator=random) < 0.1,
    )
    splits, others = torch.tensor([0, 5, 5, 9000, 20_000]), torch.tensor([0, 100, 100, 2000, 3000])
    assert_as_on_the_cpu(points, 30, row_splits=splits, point_mask=found, query_mask=asking)
    assert_as_on_the_cpu(points, 30, row_splits=splits, queries=queries, query_row_splits=others)
    assert_as_on_the_cpu(points, 30, include_self=True, max_radius=0.04)


@pytest.mark.parametrize("n", [0, 1, 2, 31, 32, 33, 2048, 2049, 65536, 65537, 1_000_000])
def test_sizes(n):
    points = torch.rand(n, 3, generator=torch.Generator().manual_seed(n))
    assert_as_on_the_cpu(points, 5)


def test_large_k_and_many_segments():
    random = torch.Generator().manual_seed(3)
    assert_as_on_the_cpu(torch.rand(6000, 3, generator=random), 5000)
    sizes = torch.randint(0, 20, (10_000,), generator=random)
    splits = torch.cat([torch.zeros(1, dtype=torch.int64), sizes.cumsum(0)])
    assert_as_on_the_cpu(torch.rand(int(splits[-1]), 3, generator=random), 16, row_splits=splits)


def test_outputs_of_more_than_2_31_elements():
    n, k = 34_000_000, 64
    if torch.cuda.mem_get_info()[0] < 60 * 2**30:
        pytest.skip("needs 60 GiB of GPU memory")
    points = torch.rand(n, 2, device=CUDA)
    index, distance2 = hitgraph.knn(points, k, index_dtype=torch.int32)
    rows = torch.randint(n - 1000, n, (50,), device=CUDA)
    gathered = points[index[rows].long()].double()
    expected = ((gathered - points[rows].double()[:, None]) ** 2).sum(-1)
    torch.testing.assert_close(distance2[rows].double(), expected, rtol=1e-5, atol=1e-12)
    assert (distance2[rows, 1:] >= distance2[rows, :-1]).all()
    everybody = points.double()
    for row in rows[:5].tolist():
        nearest = ((everybody - everybody[row]) ** 2).sum(-1).topk(k + 1, largest=False).values[1:]
        torch.testing.assert_close(distance2[row].double(), nearest, rtol=1e-5, atol=1e-12)


def test_nothing_waits_for_the_device():
    points = torch.rand(5000, 3, device=CUDA, requires_grad=True)
    splits = torch.tensor([0, 2000, 5000], device=CUDA)
    batch = torch.zeros(5000, dtype=torch.int64, device=CUDA)
    hitgraph.knn(points, 8, splits)
    torch.cuda.set_sync_debug_mode("error")
    try:
        hitgraph.knn(points, 8, splits).distance2.sum().backward()
        hitgraph.knn(points, 8)
        hitgraph.knn(points, 8, batch=batch, batch_size=1)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_a_side_stream_is_used():
    points = torch.rand(200_000, 3)
    expected = hitgraph.knn(points, 16)
    source, there = points.to(CUDA), torch.zeros(200_000, 3, device=CUDA)
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        # The copy is queued behind a long wait: a search on another stream would see zeros.
        torch.cuda._sleep(50_000_000)
        there.copy_(source)
        got = hitgraph.knn(there, 16)
    stream.synchronize()
    assert_same_bits((got.index.cpu(), got.distance2.cpu()), expected)


def test_a_cuda_graph_captures_it_and_replays_on_new_points():
    points = torch.rand(30_000, 4, device=CUDA)
    hitgraph.knn(points, 16)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        index, distance2 = hitgraph.knn(points, 16)
    fresh = torch.rand(30_000, 4)
    points.copy_(fresh)
    graph.replay()
    torch.cuda.synchronize()
    assert_same_bits((index.cpu(), distance2.cpu()), hitgraph.knn(fresh, 16))


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
def test_another_device_than_the_current_one():
    points = torch.rand(5000, 3)
    got = hitgraph.knn(points.to("cuda:1"), 8)
    assert got.index.device == torch.device("cuda:1")
    assert_same_bits((got.index.cpu(), got.distance2.cpu()), hitgraph.knn(points, 8))


def gradients(points, queries, weights):
    points, queries = points.detach().requires_grad_(), queries.detach().requires_grad_()
    _, distance2 = hitgraph.knn(points, weights.shape[1], queries=queries)
    (distance2 * weights).sum().backward()
    return points.grad, queries.grad


@pytest.mark.parametrize("size", [20_000, 15])  # 15 points that all the queries find: hubs
def test_the_gradient_is_that_of_the_cpu_and_deterministic(size):
    random = torch.Generator().manual_seed(5)
    points, queries = torch.rand(size, 3, generator=random), torch.rand(20_000, 3, generator=random)
    weights = torch.rand(20_000, 12, generator=random)
    there = [tensor.to(CUDA) for tensor in (points, queries, weights)]
    for expected, got, again in zip(
        gradients(points, queries, weights), gradients(*there), gradients(*there), strict=True
    ):
        scale = expected.abs().max().item()
        torch.testing.assert_close(got.cpu(), expected, rtol=1e-6, atol=1e-6 * scale)
        assert scale > 0 and torch.equal(got, again)


def test_many_missing_edges_and_no_points():
    queries = torch.rand(500, 3, device=CUDA, requires_grad=True)
    found = hitgraph.knn(torch.zeros(0, 3, device=CUDA), 16, queries=queries).distance2
    found.nan_to_num(posinf=0).sum().backward()
    assert torch.isinf(found).all() and (queries.grad == 0).all()


def test_thousands_of_dimensions():
    assert_as_on_the_cpu(torch.rand(100, 5000, generator=torch.Generator().manual_seed(1)), 8)


def test_gradcheck_and_second_derivatives():
    points = torch.rand(40, 3, dtype=torch.float64, device=CUDA, requires_grad=True)
    assert torch.autograd.gradcheck(lambda p: hitgraph.knn(p, 5).distance2, points)
    assert torch.autograd.gradgradcheck(lambda p: hitgraph.knn(p, 5).distance2, points)


def test_it_compiles_in_one_graph():
    points = torch.rand(3000, 3, device=CUDA)
    compiled = torch.compile(lambda p: hitgraph.knn(p, 8).distance2.sqrt(), fullgraph=True)
    torch.testing.assert_close(compiled(points), hitgraph.knn(points, 8).distance2.sqrt())


@pytest.mark.parametrize("splits", [[0, 60, 40, 100], [0, 101], [-1, 100], [0, 2**40, 100]])
def test_malformed_row_splits_find_nobody_and_debug_mode_says_so(splits):
    points, splits = torch.rand(100, 3, device=CUDA), torch.tensor(splits, device=CUDA)
    with debug.checks(False):
        index, distance2 = hitgraph.knn(points, 4, splits)
        assert (index == -1).all() and torch.isinf(distance2).all()
    with debug.checks(True), pytest.raises(ValueError, match="hitgraph::knn: expected row_splits"):
        hitgraph.knn(points, 4, splits)


def test_a_batch_vector_and_its_checks():
    batch = torch.tensor([0] * 30 + [2] * 70)
    points = torch.rand(100, 3)
    expected = hitgraph.knn(points, 4, batch=batch)
    for size in (None, 3):
        got = hitgraph.knn(points.to(CUDA), 4, batch=batch.to(CUDA), batch_size=size)
        assert_same_bits((got.index.cpu(), got.distance2.cpu()), expected)
    with debug.checks(True), pytest.raises(ValueError, match="batch to be sorted"):
        hitgraph.knn(points.to(CUDA), 4, batch=batch.flip(0).to(CUDA))


def test_an_index_out_of_range_is_a_missing_edge_and_debug_mode_says_so():
    backward = torch.ops.hitgraph.distance2_backward
    points = torch.rand(4, 2, device=CUDA)
    index = torch.tensor([[1, 9], [-7, 2**40], [0, -1], [3, 3]], device=CUDA)
    with debug.checks(False):
        by_queries, by_points = backward(torch.ones(4, 2, device=CUDA), points, points, index)
        assert by_queries.isfinite().all() and by_points.isfinite().all()
        assert (by_queries[1] == 0).all()
    with debug.checks(True), pytest.raises(ValueError, match="distance2_backward: expected index"):
        backward(torch.ones(4, 2, device=CUDA), points, points, index)


def test_bad_arguments_are_told_as_on_the_cpu():
    points = torch.rand(10, 3, device=CUDA)
    with pytest.raises(ValueError, match="expected points to be 2-D"):
        hitgraph.knn(points[None], 3)
    with pytest.raises(RuntimeError, match="row_splits on cuda:0 like points, got cpu"):
        hitgraph.knn(points, 3, torch.tensor([0, 10]))
    with pytest.raises(ValueError, match="no simd level for CUDA tensors"):
        debug.knn_stats(points, 3, simd="avx2")


def test_the_counting_build_finds_the_same():
    points = torch.rand(50_000, 3)
    stats = debug.knn_stats(points.to(CUDA), 40)
    assert_same_bits((stats.index.cpu(), stats.distance2.cpu()), hitgraph.knn(points, 40))
    cpu = debug.knn_stats(points, 40).counters
    assert stats.counters.queries == cpu.queries
    assert stats.counters.candidates <= 1.1 * cpu.candidates
