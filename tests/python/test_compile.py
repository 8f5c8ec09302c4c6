"""The operators in torch.compile, torch.export and TorchScript, and the schemas they promise."""

import math
import shutil
from pathlib import Path

import pytest
import torch
from knn_reference import assert_same_bits, cloud, lattice, mask, offsets
from torch._dynamo.testing import CompileCounterWithBackend
from torch.library import opcheck
from torch.testing._internal.optests import aot_autograd_check

import hitgraph
from hitgraph import knn

OPS = torch.ops.hitgraph
SCHEMAS = Path(__file__).with_name("schemas.txt")


@pytest.fixture(autouse=True)
def _fresh_compiler():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def test_the_schemas_are_the_committed_ones():
    # Changing one breaks saved programs: add arguments at the end, with a default.
    schemas = [s for s in torch._C._jit_get_all_schemas() if s.name.startswith("hitgraph::")]
    assert sorted(map(str, schemas)) == SCHEMAS.read_text().splitlines()


# torch.library.opcheck: schema, fake tensors, autograd registration, AOT dispatch.

P32, P64 = cloud(30, 3, seed=1), lattice(30, 2, seed=2, dtype=torch.float64)
SPLITS, QUERY_SPLITS = offsets(10, 0, 20), offsets(4, 4, 0)
SEARCHES = {
    "plain": ((P32, 4), {}),
    "float64": ((P64, 4), {"include_self": True}),
    "half": ((P32.half(), 4), {}),
    "bfloat16 and int32": ((P32.bfloat16(), 2), {"index_dtype": torch.int32}),
    "segments": ((P32, 4, SPLITS), {"max_radius": 0.3}),
    "masks": ((P32, 4), {"query_mask": mask(30, seed=3), "point_mask": mask(30, seed=4)}),
    "queries": (
        (P32, 4, SPLITS),
        {"queries": cloud(8, 3, seed=5), "query_row_splits": QUERY_SPLITS},
    ),
    "not contiguous": ((P32[:, ::2], 4), {"queries": cloud(2, 8, seed=5).t()}),
    "more than there are": ((P32[:3], 7), {}),
    "nothing": ((P32[:0], 4), {}),
    "no queries": ((P32, 4), {"queries": P32[:0]}),
}
DIFFERENTIABLE = {
    "points": ((P32.clone().requires_grad_(), 4, SPLITS), {}),
    "float64": ((P64.clone().requires_grad_(), 4), {"max_radius": 1.0}),
    "half": ((P32.half().requires_grad_(), 4), {}),
    "int32": ((P32.clone().requires_grad_(), 4), {"index_dtype": torch.int32}),
    "both": (
        (P32.clone().requires_grad_(), 4),
        {"queries": cloud(8, 3, seed=5).requires_grad_()},
    ),
    "queries": ((P32, 4), {"queries": cloud(8, 3, seed=5).requires_grad_()}),
}


@pytest.mark.parametrize(("args", "kwargs"), SEARCHES.values(), ids=SEARCHES)
@pytest.mark.parametrize("op", ["knn", "knn_brute_force", "knn_stats"])
def test_opcheck_of_searches(op, args, kwargs):
    opcheck(getattr(OPS, op).default, args, kwargs)


@pytest.mark.parametrize(("args", "kwargs"), DIFFERENTIABLE.values(), ids=DIFFERENTIABLE)
def test_opcheck_of_searches_with_gradients(args, kwargs):
    utils = ("test_schema", "test_autograd_registration", "test_faketensor")
    opcheck(OPS.knn.default, args, kwargs, test_utils=utils)

    # opcheck's last utility adds up all outputs in the type of the first, which fails for any
    # operator that returns an integer tensor first: the same check with distance2 in front.
    def distance2_first(*args, **kwargs):
        args, kwargs = torch.utils._pytree.tree_map_only(torch.Tensor, torch.clone, (args, kwargs))
        index, distance2 = OPS.knn(*args, **kwargs)
        return distance2, index

    for dynamic in (False, True):
        aot_autograd_check(distance2_first, args, kwargs, dynamic, check_gradients="auto")


@pytest.mark.parametrize("requires_grad", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("index_dtype", [torch.int32, torch.int64])
def test_opcheck_of_the_backward(requires_grad, dtype, index_dtype):
    index = torch.tensor([[0, 1, -1], [4, 4, 2]], dtype=index_dtype)
    tensors = [cloud(n, d, seed=n, dtype=dtype) for n, d in ((2, 3), (2, 2), (5, 2))]
    grad, queries, points = (t.requires_grad_(requires_grad) for t in tensors)
    opcheck(OPS.distance2_backward.default, (grad, queries, points, index))


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
@pytest.mark.parametrize("size", [None, 3, 7])
def test_opcheck_of_row_splits(dtype, size):
    numbers = torch.tensor([0, 0, 2], dtype=dtype)
    opcheck(OPS.row_splits_from_batch.default, (numbers, size))


def test_the_fake_kernels_refuse_what_the_real_ones_refuse():
    with torch.device("meta"):
        points = torch.empty(10, 3)
        with pytest.raises((ValueError, RuntimeError), match="points to be 2-D"):
            OPS.knn(points[0], 3)
        with pytest.raises((ValueError, RuntimeError), match="k to be at least 1"):
            OPS.knn(points, 0)
    with pytest.raises(RuntimeError, match="queries on meta like points, got cpu"):
        OPS.knn(points, 3, queries=torch.rand(3, 3))


# torch.compile.


def loss_of(points, k, splits=None):
    index, distance2 = knn(points, k, splits)
    found = index >= 0
    return torch.where(found, torch.exp(-3 * distance2), 0.0).sum() + 0.5 * found.sum()


def assert_equals_eager(compiled, function, points, *arguments):
    got, expected = (points.clone().requires_grad_() for _ in range(2))
    a, b = compiled(got, *arguments), function(expected, *arguments)
    torch.testing.assert_close(a, b)
    a.backward()
    b.backward()
    assert got.grad.abs().sum() > 0
    torch.testing.assert_close(got.grad, expected.grad)


@pytest.mark.parametrize("dynamic", [True, False])
def test_compiled_equals_eager_forward_and_backward(dynamic):
    compiled = torch.compile(loss_of, fullgraph=True, backend="aot_eager", dynamic=dynamic)
    assert_equals_eager(compiled, loss_of, cloud(50, 3, seed=6), 5)
    assert_equals_eager(compiled, loss_of, cloud(50, 3, seed=7), 5, offsets(20, 0, 30))
    assert_equals_eager(compiled, loss_of, cloud(70, 3, seed=8, dtype=torch.float64), 80)


def test_one_compilation_serves_every_number_of_points():
    counter = CompileCounterWithBackend("aot_eager")
    compiled = torch.compile(loss_of, fullgraph=True, backend=counter, dynamic=True)
    for n in (40, 75, 131):
        assert_equals_eager(compiled, loss_of, cloud(n, 3, seed=n), 5, offsets(n - 20, 20))
    assert counter.frame_count == 1


def test_without_the_hint_the_second_compilation_serves_every_number_of_points():
    counter = CompileCounterWithBackend("aot_eager")
    compiled = torch.compile(loss_of, fullgraph=True, backend=counter)
    for n in (40, 75, 131, 200):
        assert_equals_eager(compiled, loss_of, cloud(n, 3, seed=n), 5)
    assert counter.frame_count == 2


def test_compiled_with_every_argument():
    def function(points, queries, splits, query_splits, asks, found):
        return knn(
            points,
            4,
            splits,
            queries=queries,
            query_row_splits=query_splits,
            query_mask=asks,
            point_mask=found,
            max_radius=0.7,
            index_dtype=torch.int32,
        )

    arguments = (
        cloud(30, 3, seed=9),
        cloud(8, 3, seed=10),
        SPLITS,
        QUERY_SPLITS,
        mask(8, seed=11),
        mask(30, seed=12),
    )
    compiled = torch.compile(function, fullgraph=True, backend="aot_eager", dynamic=True)
    got = compiled(*arguments)
    assert isinstance(got, hitgraph.Neighbors)
    assert_same_bits(got, function(*arguments))


def test_compiled_with_batch_vectors():
    def function(points, numbers):
        return knn(points, 4, batch=numbers, batch_size=3)

    compiled = torch.compile(function, fullgraph=True, backend="aot_eager", dynamic=True)
    for n in (30, 45):
        points, numbers = cloud(n, 3, seed=n), torch.arange(n) * 3 // n
        assert_same_bits(compiled(points, numbers), function(points, numbers))


def test_compiled_with_a_batch_of_unknown_size():
    # The number of segments is data: fullgraph needs the size of the splits as an unbacked one.
    def function(points, numbers):
        return knn(points, 4, batch=numbers)

    with torch._dynamo.config.patch(capture_dynamic_output_shape_ops=True):
        compiled = torch.compile(function, fullgraph=True, backend="aot_eager", dynamic=True)
        points, numbers = cloud(30, 3, seed=13), torch.arange(30) // 7
        assert_same_bits(compiled(points, numbers), function(points, numbers))


def test_compiled_with_two_batches_of_unknown_size():
    def search(points, batch, queries, query_batch):
        return knn(points, 3, batch=batch, queries=queries, query_batch=query_batch)

    compiled = torch.compile(search, fullgraph=True, backend="aot_eager")
    points, queries = cloud(20, 3, seed=41), cloud(9, 3, seed=42)
    # Either may have the last segment.
    for divisor in (2, 9):
        arguments = (points, torch.arange(20) // divisor, queries, torch.arange(9) // 2)
        assert_same_bits(compiled(*arguments), search(*arguments))


def test_compiled_errors_are_those_of_eager():
    compiled = torch.compile(loss_of, fullgraph=True, backend="aot_eager", dynamic=True)
    with pytest.raises(ValueError, match="hitgraph::knn: expected row_splits to end at 20"):
        compiled(cloud(20, 3, seed=14), 3, offsets(19))


def test_compiled_with_inductor():
    if not any(shutil.which(name) for name in ("g++", "clang++", "c++")):
        pytest.skip("no C++ compiler for inductor")
    compiled = torch.compile(loss_of, fullgraph=True, dynamic=True)
    for n in (40, 75):
        assert_equals_eager(compiled, loss_of, cloud(n, 3, seed=n), 5)


# torch.export and TorchScript.


class Graph(torch.nn.Module):
    def forward(self, points, row_splits):
        index, distance2 = knn(points, 5, row_splits, max_radius=0.8)
        return index, torch.exp(-distance2)


def test_exported_with_any_number_of_points_and_segments(tmp_path):
    n, b = torch.export.Dim("n", min=2), torch.export.Dim("b", min=2)
    example = (cloud(50, 3, seed=15), offsets(20, 30))
    program = torch.export.export(Graph(), example, dynamic_shapes=({0: n}, {0: b}))
    torch.export.save(program, tmp_path / "graph.pt2")
    loaded = torch.export.load(tmp_path / "graph.pt2").module()
    for size, splits in ((50, (20, 30)), (77, (0, 70, 7)), (9, (4, 5))):
        arguments = cloud(size, 3, seed=size), offsets(*splits)
        assert_same_bits(loaded(*arguments), Graph()(*arguments))


def test_exported_for_training():
    program = torch.export.export(Graph(), (cloud(50, 3, seed=16), offsets(50))).module()
    points = cloud(50, 3, seed=16).requires_grad_()
    program(points, offsets(50))[1].sum().backward()
    assert points.grad.abs().sum() > 0


def _scripted(points: torch.Tensor, k: int) -> torch.Tensor:
    return torch.exp(-torch.ops.hitgraph.knn(points, k)[1]).sum(1)


def test_scripted():
    points = cloud(30, 3, seed=17)
    scripted = torch.jit.script(_scripted)
    assert torch.equal(scripted(points, 4), _scripted(points, 4))


def test_fake_tensors_have_the_shapes_and_types_of_the_real_ones():
    for dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        for index_dtype in (torch.int32, torch.int64):
            real = knn(cloud(7, 2, seed=18, dtype=dtype), 3, index_dtype=index_dtype)
            meta = torch.empty(7, 2, dtype=dtype, device="meta")
            fake = knn(meta, 3, index_dtype=index_dtype)
            for a, b in zip(fake, real, strict=True):
                assert a.dtype == b.dtype and a.shape == b.shape and a.stride() == b.stride()
    assert math.prod(fake.index.shape) == 21
