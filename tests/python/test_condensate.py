"""hitgraph.condensate against the definition, written out."""

import numpy as np
import pytest
import torch
from knn_reference import cloud, lattice, offsets

from hitgraph import condensate
from hitgraph.datasets import learned_space


def oracle(beta, x, t_beta, t_d, radius, assignment):
    """Labels and points of one event, in float64."""
    label, points = np.full(len(beta), -1), []
    reach2 = (t_d * radius) ** 2
    while True:
        free = np.flatnonzero((label < 0) & (beta > t_beta))
        if len(free) == 0:
            break
        points.append(free[np.argmax(beta[free])])
        within = ((x - x[points[-1]]) ** 2).sum(1) <= reach2[points[-1]]
        label[within & (label < 0)] = len(points) - 1
    for i in range(len(beta) if assignment == "nearest" else 0):
        near = [(((x[i] - x[p]) ** 2).sum(), p, n) for n, p in enumerate(points)]
        near = [found for found in near if found[0] <= reach2[found[1]]]
        label[i] = min(near)[2] if near else -1
    return label, points


def assert_is_the_oracle(beta, x, splits, t_beta, t_d, radius, assignment):
    found = condensate(
        beta,
        x,
        splits,
        beta_threshold=t_beta,
        distance_threshold=t_d,
        radius=radius,
        assignment=assignment,
    )
    given = beta.double(), x.double(), torch.ones(len(x)) if radius is None else radius
    rows, counts = [], []
    for begin, end in zip(splits[:-1].tolist(), splits[1:].tolist(), strict=True):
        b, y, r = (a[begin:end].double().numpy() for a in given)
        label, points = oracle(b, y, t_beta, t_d, r, assignment)
        assert found.label[begin:end].tolist() == label.tolist()
        of_hits = [-1 if n < 0 else begin + points[n] for n in label]
        assert found.point[begin:end].tolist() == of_hits
        rows += [begin + p for p in points]
        counts.append(len(points))
    assert found.points.tolist() == rows
    assert found.counts.tolist() == counts


SIZES = {
    "one": (300,),
    "several": (70, 0, 1, 150, 3, 0),
    "nothing": (0, 0),
    "no events": (),
    "large": (4500,),
}


@pytest.mark.parametrize("assignment", ("first", "nearest"))
@pytest.mark.parametrize("with_radius", (False, True))
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("space", ("cloud", "lattice", "duplicates", "line"))
def test_is_the_oracle(space, sizes, with_radius, assignment):
    splits = offsets(*SIZES[sizes])
    n = int(splits[-1])
    dtype = torch.float64 if space == "cloud" else torch.float32
    x = {
        "cloud": lambda: cloud(n, 3, seed=1, dtype=dtype),
        "lattice": lambda: lattice(n, 2, seed=2, side=7),
        "duplicates": lambda: lattice(n, 4, seed=3, side=2),
        "line": lambda: lattice(n, 1, seed=4, side=60),
    }[space]()
    # Few values: most are there more than once.
    beta = torch.randint(0, 9, (n,), generator=torch.Generator().manual_seed(5)).to(dtype) / 8
    radius = torch.randint(0, 4, (n,), generator=torch.Generator().manual_seed(6)).to(dtype) / 2
    for t_beta, t_d in ((0.25, 0.25 if space == "cloud" else 1.0), (0.0, 2.0), (0.9, 0.0)):
        if sizes == "large" and t_d == 0:
            continue
        r = radius if with_radius else None
        assert_is_the_oracle(beta, x, splits, t_beta, t_d, r, assignment)


def test_a_trained_space():
    event = learned_space(3000, 3, n_objects=40, rng=1)
    x = torch.from_numpy(event.points).double()
    beta = torch.rand(3000, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    for assignment in ("first", "nearest"):
        assert_is_the_oracle(beta, x, offsets(1000, 2000), 0.6, 0.4, None, assignment)


def test_does_not_depend_on_threads():
    x, beta = cloud(9000, 3, seed=1), cloud(9000, 1, seed=2)[:, 0]
    splits = offsets(5000, 10, 0, 3990)
    threads, found = torch.get_num_threads(), []
    try:
        for number in (1, 2):
            torch.set_num_threads(number)
            found.append(condensate(beta, x, splits, distance_threshold=0.1))
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def test_other_ways_to_say_the_same():
    x, beta, splits = cloud(200, 3, seed=1), cloud(200, 1, seed=2), offsets(120, 0, 80)
    batch = torch.repeat_interleave(torch.arange(3), splits.diff())
    a = condensate(beta, x, splits, radius=torch.ones(200, 1))
    b = condensate(beta[:, 0], x.requires_grad_(), batch=batch)
    assert all(torch.equal(p, q) for p, q in zip(a, b, strict=True))
    half = condensate(beta.bfloat16(), x.bfloat16())
    wide = condensate(beta.bfloat16().double(), x.bfloat16().double())
    assert torch.equal(half.label, wide.label)


def test_the_example_of_the_docstring():
    x = torch.tensor([[0.0], [0.3], [0.9], [1.0]])
    beta = torch.tensor([0.9, 0.2, 0.3, 0.05])
    assert condensate(beta, x).label.tolist() == [0, 0, 1, 1]


def arguments(**changes):
    return {"beta": cloud(50, 1, seed=2)[:, 0], "coordinates": cloud(50, 3, seed=1), **changes}


REFUSALS = {
    "beta above 1": ({"beta": torch.full((50,), 1.5)}, ValueError, "expected beta between 0 and 1"),
    "beta is NaN": (
        {"beta": torch.full((50,), torch.nan)},
        ValueError,
        "expected beta between 0 and 1",
    ),
    "beta of another length": (
        {"beta": torch.ones(49)},
        ValueError,
        r"expected beta of shape \(50\), one for each of the hits, got \[49\]",
    ),
    "integer beta": (
        {"beta": torch.ones(50, dtype=torch.int64)},
        TypeError,
        "expected beta to be float32 or float64, got int64",
    ),
    "NaN coordinates": (
        {"coordinates": torch.full((50, 3), torch.nan)},
        ValueError,
        "expected coordinates to be finite, got infinities or NaN",
    ),
    "coordinates of one axis": (
        {"coordinates": torch.ones(50)},
        ValueError,
        r"expected coordinates to be 2-D \(n, d\)",
    ),
    "a negative radius": (
        {"radius": torch.full((50,), -1.0)},
        ValueError,
        "expected radius not below 0",
    ),
    "radii of another length": (
        {"radius": torch.ones(5)},
        ValueError,
        r"expected radius of shape \(50\)",
    ),
    "a negative threshold": (
        {"distance_threshold": -1.0},
        ValueError,
        "expected distance_threshold to be a number not below 0, got -1",
    ),
    "a threshold above 1": (
        {"beta_threshold": 1.5},
        ValueError,
        "expected beta_threshold between 0 and 1, got 1.5",
    ),
    "a threshold of another type": (
        {"beta_threshold": "high"},
        TypeError,
        "expected beta_threshold to be a float, got str",
    ),
    "another assignment": (
        {"assignment": "last"},
        ValueError,
        "expected assignment to be 'first' or 'nearest', got 'last'",
    ),
    "no tensor": ({"coordinates": [[1.0]]}, TypeError, "expected coordinates to be a Tensor"),
    "row_splits that do not end": (
        {"row_splits": torch.tensor([0, 60])},
        ValueError,
        "expected row_splits to end at 50",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_bad_input_gets_a_sentence(name):
    changes, error, sentence = REFUSALS[name]
    with pytest.raises(error, match="hitgraph::condensate: " + sentence):
        condensate(**arguments(**changes))


def test_opcheck():
    beta, x, splits = cloud(60, 1, seed=2)[:, 0], cloud(60, 3, seed=1), offsets(20, 40)
    torch.library.opcheck(torch.ops.hitgraph.condensate, (beta, x, splits, 0.3, 0.4))
