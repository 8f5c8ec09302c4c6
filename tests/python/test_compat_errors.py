"""Wrong arguments of the functions in torch-cluster's place get a sentence that names function,
argument, expectation and what came.
"""

from __future__ import annotations

import pytest
import torch
from cluster_cases import numbers
from refusals import assert_raises

from hitgraph.compat.torch_cluster import knn, knn_graph, nearest, radius, radius_graph

X, Y = torch.rand(6, 3), torch.rand(4, 3)
B6, B4 = numbers(3, 3), numbers(2, 2)

# What is given beside x = X, y = Y, the exception, and what it says.
BOTH = {
    "x is a list": ({"x": [[0.0]]}, TypeError, r"expected x to be a Tensor, got list"),
    "y is None": ({"y": 3}, TypeError, r"expected y to be a Tensor, got int"),
    "batch_x is a list": (
        {"batch_x": [0] * 6},
        TypeError,
        r"expected batch_x to be a Tensor, got list",
    ),
    "x is 3-D": ({"x": X[None]}, ValueError, r"x to be 2-D \(n, d\) or 1-D \(n\), got 3-D"),
    "x is 0-D": ({"x": torch.tensor(1.0)}, ValueError, r"x to be 2-D .* got 0-D"),
    "y is 3-D": ({"y": Y[None]}, ValueError, r"y to be 2-D .* got 3-D"),
    "y is narrower": ({"y": Y[:, :2]}, ValueError, r"y to have 3 columns like x, got \[4, 2\]"),
    "y is wider": ({"y": torch.rand(4, 5)}, ValueError, r"y to have 3 columns like x"),
    "y is 1-D": ({"y": torch.rand(4)}, ValueError, r"y to have 3 columns like x, got \[4\]"),
    "y is double": ({"y": Y.double()}, TypeError, r"y to be float32 like x, got float64"),
    "x is bool": ({"x": X > 0}, TypeError, r"x to be float32, .* or integers, got bool"),
    "x is complex": ({"x": X.cfloat()}, TypeError, r"x to be float32, .*, got complex64"),
    "y is on meta": ({"y": Y.to("meta")}, RuntimeError, r"y on cpu like x, got meta"),
    "batch_x is on meta": (
        {"batch_x": B6.to("meta"), "batch_y": B4},
        RuntimeError,
        r"batch_x on cpu like x, got meta",
    ),
    "batch_x is not sorted": (
        {"batch_x": B6.flip(0), "batch_y": B4},
        ValueError,
        r"batch_x to be sorted",
    ),
    "batch_y is not sorted": (
        {"batch_x": B6, "batch_y": B4.flip(0)},
        ValueError,
        r"batch_y to be sorted",
    ),
    "batch_x is negative": (
        {"batch_x": B6 - 1, "batch_y": B4},
        ValueError,
        r"batch_x to hold numbers from 0, got -1",
    ),
    "batch_x is float": (
        {"batch_x": B6.float(), "batch_y": B4},
        TypeError,
        r"batch_x to be int64 or int32, got float32",
    ),
    "batch_y is 2-D": (
        {"batch_x": B6, "batch_y": B4[:, None]},
        ValueError,
        r"batch_y to be 1-D with 4 elements, a row of y each, got \[4, 1\]",
    ),
}
SIZED = {
    "batch_x is shorter": (
        {"batch_x": B6[:5], "batch_y": B4},
        AssertionError,
        r"batch_x to have 6 elements, a row of x each, got 5",
    ),
    "batch_y is longer": (
        {"batch_x": B6, "batch_y": numbers(2, 3)},
        AssertionError,
        r"batch_y to have 4 elements, a row of y each, got 5",
    ),
    "batch_y is missing": (
        {"batch_x": B6},
        AssertionError,
        r"expected batch_y for 2 graphs, got None",
    ),
    "batch_x is missing": (
        {"batch_y": B4},
        AssertionError,
        r"expected batch_x for 2 graphs, got None",
    ),
    "a number at batch_size": (
        {"batch_x": B6, "batch_y": B4, "batch_size": 1},
        ValueError,
        r"batch_x to hold numbers below batch_size = 1, got 1",
    ),
    "batch_size is 0": ({"batch_size": 0}, AssertionError, r"batch_size to be at least 1, got 0"),
    "batch_size alone": (
        {"batch_size": 3},
        AssertionError,
        r"expected batch_x for 3 graphs, got None",
    ),
}


@pytest.mark.parametrize("case", [*BOTH, *SIZED])
def test_knn_and_radius_refuse(case):
    arguments, exception, pattern = (BOTH | SIZED)[case]
    given = {"x": X, "y": Y, **arguments}
    assert_raises(exception, pattern, lambda: knn(k=2, **given), "")
    assert_raises(exception, pattern, lambda: radius(r=2.0, **given), "")


@pytest.mark.parametrize("case", BOTH)
def test_nearest_refuses(case):
    arguments, exception, pattern = BOTH[case]
    if "columns" in pattern:  # with torch-cluster's type, and its roles
        exception, pattern = AssertionError, r"x to have \d columns like y, got \d"
    with pytest.raises(exception) as caught:
        nearest(**{"x": X, "y": Y, **arguments})
    message = str(caught.value).splitlines()[0]
    assert "nearest" in message or "row_splits_from_batch" in message
    assert "expected" in message and ", got " in message


def test_the_numbers_are_checked():
    assert_raises(ValueError, r"k to be at least 0, got -1", lambda: knn(X, Y, -1))
    assert_raises(ValueError, r"k to be at least 0, got -3", lambda: knn_graph(X, -3))
    for r in (-1.0, float("nan")):
        pattern = r"r to be a number not below 0, got"
        assert_raises(ValueError, pattern, lambda r=r: radius(X, Y, r))
        assert_raises(ValueError, pattern, lambda r=r: radius_graph(X, r))
    pattern = "flow to be 'source_to_target' or 'target_to_source', got 'up'"
    assert_raises(AssertionError, pattern, lambda: knn_graph(X, 1, flow="up"), "knn_graph")
    assert_raises(AssertionError, pattern, lambda: radius_graph(X, 1, flow="up"), "radius_graph")
    assert_raises(ValueError, r"y to have rows, got none", lambda: nearest(X, Y[:0]))


def test_graphs_name_their_batch_x():
    assert_raises(ValueError, "batch_x to be sorted", lambda: knn_graph(X, 1, B6.flip(0)))
    assert_raises(ValueError, "batch_x to be sorted", lambda: radius_graph(X, 1.0, B6.flip(0)))
    assert_raises(
        AssertionError, "6 elements", lambda: knn_graph(X, 1, B4), "torch_cluster.knn_graph"
    )


@pytest.mark.parametrize(
    ("batches", "pattern"),
    [
        ({"batch_x": B6[:4], "batch_y": B4}, "batch_x to be 1-D with 6 elements"),
        ({"batch_x": B6}, "batch_y for 2 graphs, got None"),
        ({"batch_size": 0}, "batch_size to be at least 1, got 0"),
    ],
)
def test_the_operators_check_by_themselves(batches, pattern):
    operators = torch.ops.hitgraph
    assert_raises(ValueError, pattern, lambda: operators.knn_edges(X, Y, 2, **batches))
    assert_raises(ValueError, pattern, lambda: operators.radius_edges(X, Y, 2.0, **batches))
