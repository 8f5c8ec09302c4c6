"""Wrong arguments get a sentence that names the operator and the argument; never a wrong answer."""

import pytest
import torch
from refusals import assert_raises

from hitgraph import debug, knn

POINTS = torch.rand(10, 3, generator=torch.Generator().manual_seed(0))
NAN, INF = float("nan"), float("inf")


def ints(*values, dtype=torch.int64):
    return torch.tensor(values, dtype=dtype)


def flags(n, device="cpu"):
    return torch.ones(n, dtype=torch.bool, device=device)


def batch(n):
    return torch.zeros(n, dtype=torch.int64)


SPLITS = ints(0, 4, 10)

# What hitgraph.knn is given beside 10 points and k = 3, the exception, and what it says.
KNN = {
    "points 1-D": ({"points": torch.rand(4)}, ValueError, r"points to be 2-D \(n, d\), got 1-D"),
    "points 3-D": ({"points": torch.rand(4, 3, 2)}, ValueError, r"points .* 2-D .* got 3-D"),
    "points 0-D": ({"points": torch.tensor(1.0)}, ValueError, r"points .* 2-D .* got 0-D"),
    "no columns": ({"points": torch.rand(4, 0)}, ValueError, r"points .* at least one column"),
    "points of integers": (
        {"points": torch.zeros(4, 2, dtype=torch.int64)},
        TypeError,
        r"points to be float32, float64, float16 or bfloat16, got \w+",
    ),
    "points of bool": ({"points": flags(4)[:, None]}, TypeError, r"points to be float32"),
    "complex points": ({"points": POINTS.cfloat()}, TypeError, r"points to be float32"),
    "points are a list": ({"points": [[0.0], [1.0]]}, TypeError, r"points.*list"),
    "points are an array": ({"points": POINTS.numpy()}, TypeError, r"points.*ndarray"),
    "k is 0": ({"k": 0}, ValueError, r"k to be at least 1, got 0"),
    "k is beyond int32": ({"k": 2**31}, ValueError, r"k to be at most 2147483647, got 2147483648"),
    "k is negative": ({"k": -5}, ValueError, r"k to be at least 1, got -5"),
    "k is a float": ({"k": 2.0}, TypeError, r"\bk\b.*float"),
    "k is None": ({"k": None}, TypeError, r"\bk\b.*NoneType"),
    "k needs more than 64 bits": ({"k": 2**70}, (TypeError, ValueError, RuntimeError), r"\bk\b"),
    # row_splits
    "splits decrease": (
        {"row_splits": ints(0, 6, 4, 10)},
        ValueError,
        r"row_splits not to decrease, got 6 then 4 at segment 1",
    ),
    "splits do not start at 0": ({"row_splits": ints(1, 10)}, ValueError, r"start at 0, got 1"),
    "splits are negative": ({"row_splits": ints(-1, 10)}, ValueError, r"row_splits .* got -1"),
    "splits end early": ({"row_splits": ints(0, 9)}, ValueError, r"row_splits to end at 10.*got 9"),
    "splits end late": (
        {"row_splits": ints(0, 11)},
        ValueError,
        r"row_splits to end at 10.*got 11",
    ),
    "splits overshoot": (
        {"row_splits": ints(0, 99, 10)},
        ValueError,
        r"row_splits not to decrease",
    ),
    "one split": ({"row_splits": ints(0)}, ValueError, r"row_splits to end at 10.*got 0"),
    "splits are empty": ({"row_splits": ints()}, ValueError, r"row_splits .*at least one element"),
    "splits are 2-D": ({"row_splits": ints(0, 10)[None]}, ValueError, r"row_splits to be 1-D"),
    "splits are 0-D": ({"row_splits": torch.tensor(0)}, ValueError, r"row_splits to be 1-D"),
    "splits are float": (
        {"row_splits": torch.tensor([0.0, 10.0])},
        TypeError,
        r"row_splits to be int64 or int32, got \w+",
    ),
    "splits are bool": ({"row_splits": flags(2)}, TypeError, r"row_splits to be int64 or int32"),
    "splits are a list": ({"row_splits": [0, 10]}, TypeError, r"row_splits.*list"),
    "splits on meta": (
        {"row_splits": torch.empty(2, dtype=torch.int64, device="meta")},
        RuntimeError,
        r"row_splits on cpu like points, got meta",
    ),
    # batch
    "batch is not sorted": ({"batch": ints(*[0] * 8, 1, 0)}, ValueError, r"batch .*sorted.*row 9"),
    "batch is negative": ({"batch": ints(-1, *[0] * 9)}, ValueError, r"batch .*from 0, got -1"),
    "batch is 2-D": ({"batch": batch(10)[:, None]}, ValueError, r"batch to be 1-D \(n\), got 2-D"),
    "batch is float": ({"batch": torch.zeros(10)}, TypeError, r"batch to be int64 or int32"),
    "batch is a list": ({"batch": [0] * 10}, TypeError, r"batch.*list"),
    "batch is shorter": ({"batch": batch(9)}, ValueError, r"\bbatch\b.*10.*9"),
    "batch is longer": ({"batch": batch(11)}, ValueError, r"\bbatch\b.*10.*11"),
    "batch on meta": ({"batch": batch(10).to("meta")}, RuntimeError, r"batch on cpu.*got meta"),
    "batch overflows": ({"batch": ints(*[2**63 - 1] * 10)}, (ValueError, RuntimeError), r"batch"),
    "batch_size is too small": (
        {"batch": ints(*[0] * 5, *[2] * 5), "batch_size": 2},
        ValueError,
        r"batch .*below batch_size = 2, got 2",
    ),
    "batch_size is negative": (
        {"batch": batch(10), "batch_size": -1},
        ValueError,
        r"batch_size to be at least 0, got -1",
    ),
    "batch_size is 0": ({"batch": batch(10), "batch_size": 0}, ValueError, r"batch_size"),
    "batch_size is a float": ({"batch": batch(10), "batch_size": 1.5}, TypeError, r"batch_size"),
    "batch_size alone": ({"batch_size": 1}, ValueError, r"batch_size only together with batch"),
    "batch and splits": (
        {"batch": batch(10), "row_splits": SPLITS},
        ValueError,
        r"batch or its row_splits, got both",
    ),
    # masks
    "point_mask is shorter": (
        {"point_mask": flags(9)},
        ValueError,
        r"point_mask to have shape \(10\), got \[9\]",
    ),
    "query_mask is longer": ({"query_mask": flags(11)}, ValueError, r"query_mask .*10.*11"),
    "point_mask is 2-D": ({"point_mask": flags(10)[:, None]}, ValueError, r"point_mask to have"),
    "point_mask of integers": ({"point_mask": batch(10)}, TypeError, r"point_mask to be bool"),
    "query_mask of floats": ({"query_mask": torch.ones(10)}, TypeError, r"query_mask to be bool"),
    "point_mask on meta": (
        {"point_mask": flags(10, "meta")},
        RuntimeError,
        r"point_mask on cpu like points, got meta",
    ),
    "query_mask on meta": ({"query_mask": flags(10, "meta")}, RuntimeError, r"query_mask on cpu"),
    "query_mask counts the points": (
        {"queries": POINTS[:4], "query_mask": flags(10)},
        ValueError,
        r"query_mask to have shape \(4\), got \[10\]",
    ),
    # queries
    "queries are 1-D": ({"queries": torch.rand(3)}, ValueError, r"queries to be 2-D"),
    "queries of other width": (
        {"queries": torch.rand(4, 2)},
        ValueError,
        r"queries to have 3 columns like points, got 2",
    ),
    "queries of other type": (
        {"queries": POINTS.double()},
        TypeError,
        r"queries to be \w+ like points, got \w+",
    ),
    "queries of integers": ({"queries": POINTS.long()}, TypeError, r"queries to be float32"),
    "queries on meta": ({"queries": POINTS.to("meta")}, RuntimeError, r"queries on cpu like"),
    "query_row_splits without queries": (
        {"row_splits": SPLITS, "query_row_splits": SPLITS},
        ValueError,
        r"query_row_splits only together with queries",
    ),
    "query_batch without queries": (
        {"query_batch": batch(10)},
        ValueError,
        r"query_batch only together with queries",
    ),
    "only row_splits": (
        {"queries": POINTS, "row_splits": SPLITS},
        ValueError,
        r"row_splits and query_row_splits both or neither, got only row_splits",
    ),
    "only query_row_splits": (
        {"queries": POINTS, "query_row_splits": SPLITS},
        ValueError,
        r"both or neither, got only query_row_splits",
    ),
    "only batch": ({"queries": POINTS, "batch": batch(10)}, ValueError, r"both or neither"),
    "only query_batch": ({"queries": POINTS, "query_batch": batch(10)}, ValueError, r"both or"),
    "another number of segments": (
        {"queries": POINTS, "row_splits": SPLITS, "query_row_splits": ints(0, 10)},
        ValueError,
        r"query_row_splits to have as many segments as row_splits, 2, got 1",
    ),
    "query_row_splits end at the points": (
        {"queries": POINTS[:5], "row_splits": SPLITS, "query_row_splits": SPLITS},
        ValueError,
        r"query_row_splits to end at 5.*got 10",
    ),
    "query_batch and query_row_splits": (
        {"queries": POINTS, "query_row_splits": SPLITS, "query_batch": batch(10)},
        ValueError,
        r"query_batch or its row_splits, got both",
    ),
    "query_batch is negative": (
        {"queries": POINTS, "batch": batch(10), "query_batch": ints(-1, *[0] * 9)},
        ValueError,
        r"query_batch .*got -1",
    ),
    "query_batch is shorter": (
        {"queries": POINTS, "batch": batch(10), "query_batch": batch(9)},
        ValueError,
        r"\bquery_batch\b.*10.*9",
    ),
    "query_batch has more segments than row_splits": (
        {"queries": POINTS, "row_splits": SPLITS, "query_batch": ints(*[2] * 10)},
        ValueError,
        r"query_batch .*2",
    ),
    "query_batch with empty splits": (
        {"queries": POINTS, "row_splits": ints(), "query_batch": batch(10)},
        ValueError,
        r"row_splits to be 1-D",
    ),
    "query_batch with 0-D splits": (
        {"queries": POINTS, "row_splits": torch.tensor(0), "query_batch": batch(10)},
        ValueError,
        r"row_splits to be 1-D",
    ),
    # the rest
    "max_radius is negative": (
        {"max_radius": -0.5},
        ValueError,
        r"max_radius .*not below 0.*-0\.5",
    ),
    "max_radius is NaN": ({"max_radius": NAN}, ValueError, r"max_radius .*got nan"),
    "max_radius is -inf": ({"max_radius": -INF}, ValueError, r"max_radius .*got -inf"),
    "max_radius is a word": ({"max_radius": "far"}, TypeError, r"max_radius.*str"),
    "index_dtype is a float": (
        {"index_dtype": torch.float32},
        TypeError,
        r"index_dtype to be torch.int64 or torch.int32, got \w+",
    ),
    "index_dtype is int16": ({"index_dtype": torch.int16}, TypeError, r"index_dtype to be"),
    "index_dtype is a word": ({"index_dtype": "int64"}, TypeError, r"index_dtype"),
    "an unknown argument": ({"loop": True}, TypeError, r"unexpected keyword argument 'loop'"),
}


@pytest.mark.parametrize(("arguments", "exception", "pattern"), KNN.values(), ids=KNN.keys())
def test_knn_refuses(arguments, exception, pattern):
    assert_raises(exception, pattern, lambda: knn(**{"points": POINTS, "k": 3, **arguments}))


# The oracle and the counting build take the same arguments through the same checks.
DEBUG = {name: case for name, case in KNN.items() if "batch" not in name and "unknown" not in name}


@pytest.mark.parametrize("function", [debug.knn_stats, debug.knn_brute_force])
def test_the_functions_of_debug_refuse_with_their_own_name(function):
    for arguments, exception, pattern in DEBUG.values():
        if exception is TypeError and "to be" not in pattern:
            continue  # what Python checks is above
        given = {"points": POINTS, "k": 3, **arguments}
        assert_raises(exception, pattern, lambda given=given: function(**given), function.__name__)


@pytest.mark.parametrize("function", [debug.knn_stats, debug.knn_brute_force])
@pytest.mark.parametrize("name", ["batch", "loop"])
def test_the_functions_of_debug_name_an_unexpected_argument(function, name):
    with pytest.raises(TypeError, match=f"unexpected argument '{name}', expected: row_splits"):
        function(POINTS, 3, **{name: batch(10)})


def test_a_result_that_fits_no_memory_is_an_error_and_no_crash():
    with pytest.raises((ValueError, RuntimeError)):
        knn(POINTS, 2**62)


def test_an_error_leaves_the_next_search_alone():
    with pytest.raises(ValueError, match="row_splits"):
        knn(POINTS, 3, ints(0, 11))
    assert (knn(POINTS, 3).index >= 0).all()
