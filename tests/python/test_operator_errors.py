"""What the other operators refuse, and what a build without CUDA kernels says of a CUDA tensor."""

import pytest
import torch
from refusals import assert_raises

import hitgraph
from hitgraph import debug

POINTS = torch.rand(10, 3, generator=torch.Generator().manual_seed(0))


def ints(*values):
    return torch.tensor(values, dtype=torch.int64)


def test_an_unknown_simd_level():
    pattern = r"simd to be a level of this machine.*got sse"
    assert_raises(ValueError, pattern, lambda: debug.knn_stats(POINTS, 3, simd="sse"))


BATCH = {
    "2-D": (torch.zeros(2, 2, dtype=torch.int64), None, ValueError, r"batch to be 1-D"),
    "float": (torch.zeros(2), None, TypeError, r"batch to be int64 or int32"),
    "bool": (torch.ones(2, dtype=torch.bool), None, TypeError, r"batch to be int64 or int32"),
    "unsorted": (ints(0, 2, 1), None, ValueError, r"batch to be sorted, got 2 then 1 at row 2"),
    "negative": (ints(-2, 0), None, ValueError, r"numbers from 0, got -2"),
    "batch_size 1 of 2": (ints(0, 1), 1, ValueError, r"numbers below batch_size = 1, got 1"),
    "batch_size -1": (ints(), -1, ValueError, r"batch_size to be at least 0"),
    "overflow": (ints(2**63 - 1), None, (ValueError, RuntimeError), r"batch"),
}


@pytest.mark.parametrize(("numbers", "size", "exception", "pattern"), BATCH.values(), ids=BATCH)
def test_row_splits_from_batch_refuses(numbers, size, exception, pattern):
    op = "hitgraph::row_splits_from_batch"
    assert_raises(exception, pattern, lambda: hitgraph.row_splits_from_batch(numbers, size), op)


# distance2_backward

GRAD, QUERIES, FIVE = torch.ones(2, 3), torch.rand(2, 2), torch.rand(5, 2)
INDEX = torch.tensor([[0, 1, -1], [4, 4, 2]])
REFUSED = {
    "index too large": ((GRAD, QUERIES, FIVE, INDEX + 1), ValueError, r"index from -1 to 4, got 5"),
    "index too small": ((GRAD, QUERIES, FIVE, INDEX - 1), ValueError, r"index from -1 .*got -2"),
    "index of floats": ((GRAD, QUERIES, FIVE, INDEX.float()), TypeError, r"index to be int64"),
    "index 1-D": ((GRAD, QUERIES, FIVE, INDEX[0]), ValueError, r"index of shape \(2, k\)"),
    "other k": ((GRAD[:, :2], QUERIES, FIVE, INDEX), ValueError, r"grad and index of shape"),
    "other queries": ((GRAD, FIVE, FIVE, INDEX), ValueError, r"grad and index of shape \(5, k\)"),
    "other width": (
        (GRAD, QUERIES[:, :1], FIVE, INDEX),
        ValueError,
        r"queries \(m, d\) and points",
    ),
    "points 1-D": ((GRAD, QUERIES, FIVE[0], INDEX), ValueError, r"queries \(m, d\) and points"),
    "other types": ((GRAD.double(), QUERIES, FIVE, INDEX), TypeError, r"grad and queries to be"),
    "16 bits": (
        (GRAD.half(), QUERIES.half(), FIVE.half(), INDEX),
        TypeError,
        r"points to be float",
    ),
    "index on meta": ((GRAD, QUERIES, FIVE, INDEX.to("meta")), RuntimeError, r"index on cpu"),
    "grad on meta": ((GRAD.to("meta"), QUERIES, FIVE, INDEX), RuntimeError, r"grad on cpu"),
}


@pytest.mark.parametrize(("arguments", "exception", "pattern"), REFUSED.values(), ids=REFUSED)
def test_the_backward_operator_refuses(arguments, exception, pattern):
    with pytest.raises(exception, match=f"hitgraph::distance2_backward: expected.*{pattern}"):
        torch.ops.hitgraph.distance2_backward(*arguments)


# CUDA


@pytest.mark.parametrize("op", ["knn", "knn_brute_force", "knn_stats"])
def test_a_cuda_tensor_is_refused_with_the_cure(op):
    # Without a GPU: the kernel registered for CUDA is called with a CPU tensor.
    if hitgraph._C.build_info()["cuda"]:
        pytest.skip("this build has CUDA kernels")
    keys = torch._C.DispatchKeySet(torch._C.DispatchKey.CUDA)
    call = getattr(torch.ops.hitgraph, op).default
    message = assert_raises(
        RuntimeError, r"CPU tensors, got CUDA", lambda: call.redispatch(keys, POINTS, 3), op
    )
    assert hitgraph.__version__ in message and "points.cpu()" in message


def test_a_kernel_for_cuda_refuses_other_tensors():
    if not hitgraph._C.build_info()["cuda"]:
        pytest.skip("this build has no CUDA kernels")
    keys = torch._C.DispatchKeySet(torch._C.DispatchKey.CUDA)
    with pytest.raises(RuntimeError, match="hitgraph: expected CUDA tensors, got cpu"):
        torch.ops.hitgraph.knn.default.redispatch(keys, POINTS, 3)


def test_the_other_operators_refuse_cuda_tensors_too():
    if hitgraph._C.build_info()["cuda"]:
        pytest.skip("this build has CUDA kernels")
    keys = torch._C.DispatchKeySet(torch._C.DispatchKey.CUDA)
    ops = torch.ops.hitgraph
    with pytest.raises(RuntimeError, match="row_splits_from_batch: expected CPU tensors"):
        ops.row_splits_from_batch.default.redispatch(keys, ints(0, 1))
    with pytest.raises(RuntimeError, match="distance2_backward: expected CPU tensors"):
        index = ints(*[0] * 10)[:, None]
        ops.distance2_backward.default.redispatch(keys, POINTS[:, :1], POINTS, POINTS, index)
