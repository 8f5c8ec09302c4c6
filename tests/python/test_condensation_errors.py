"""What the object condensation loss and its operators refuse."""

import pytest
import torch
from condensation_cases import data

from hitgraph.nn import ObjectCondensationLoss


def arguments(**changes):
    beta, x, labels, splits, *_ = data([30, 20])
    return {"beta": beta, "coordinates": x, "labels": labels, "row_splits": splits, **changes}


NAN = torch.full((50, 2), torch.nan)
REFUSALS = {
    "labels of another length": (
        {"labels": torch.zeros(49, dtype=torch.int64)},
        ValueError,
        r"expected labels of shape \(50\), one for each of the hits, got \[49\]",
    ),
    "float labels": (
        {"labels": torch.zeros(50)},
        TypeError,
        "expected labels to be int64 or int32, got float32",
    ),
    "beta above 1": (
        {"beta": torch.full((50,), 1.25)},
        ValueError,
        "expected beta between 0 and 1",
    ),
    "beta below 0": (
        {"beta": torch.full((50,), -0.25)},
        ValueError,
        "expected beta between 0 and 1",
    ),
    "beta is NaN": ({"beta": NAN[:, 0]}, ValueError, "expected beta between 0 and 1"),
    "NaN coordinates": ({"coordinates": NAN}, ValueError, "expected coordinates to be finite"),
    "infinite coordinates": (
        {"coordinates": torch.full((50, 2), torch.inf)},
        ValueError,
        "expected coordinates to be finite",
    ),
    "integer beta": (
        {"beta": torch.ones(50, dtype=torch.int64)},
        TypeError,
        "expected beta to be floating point, got torch.int64",
    ),
    "beta of another length": (
        {"beta": torch.rand(49)},
        ValueError,
        r"expected beta of shape \(50,\), one for each row of coordinates, got \(49,\)",
    ),
    "coordinates of one axis": (
        {"coordinates": torch.rand(50)},
        ValueError,
        r"expected coordinates to be 2-D \(n, c\)",
    ),
    "no tensor": ({"labels": [1] * 50}, TypeError, "expected labels to be a Tensor, got list"),
    "row_splits that end early": (
        {"row_splits": torch.tensor([0, 49])},
        ValueError,
        "expected row_splits to end at 50",
    ),
    "row_splits and batch": (
        {"batch": torch.zeros(50, dtype=torch.int64)},
        ValueError,
        "expected batch or its row_splits, got both",
    ),
    "batch_size alone": (
        {"row_splits": None, "batch_size": 2},
        ValueError,
        "expected batch_size only together with batch",
    ),
    "a scale that is not used": (
        {"scale": torch.ones(50)},
        ValueError,
        "expected no scale, got one",
    ),
    "weights of another length": (
        {"object_weight": torch.ones(5)},
        ValueError,
        r"expected object_weight of shape \(50,\)",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_bad_input_gets_a_sentence(name):
    changes, error, sentence = REFUSALS[name]
    with pytest.raises(error, match=sentence):
        ObjectCondensationLoss()(**arguments(**changes))


def test_a_loss_with_a_scale_asks_for_it():
    with pytest.raises(ValueError, match="expected a scale for every hit, got none"):
        ObjectCondensationLoss.preset("talk")(**arguments())


@pytest.mark.parametrize(
    "changes",
    (
        {"attraction": "linear"},
        {"repulsion": "none"},
        {"beta_guard": 1.0},
        {"charge_minimum": -1.0},
        {"mean_centre": 1.5},
        {"scale_power": 3},
        {"noise_weight": float("nan")},
    ),
)
def test_bad_settings_get_a_sentence(changes):
    name = next(iter(changes))
    with pytest.raises(ValueError, match=f"ObjectCondensationLoss: expected {name} to be"):
        ObjectCondensationLoss(**changes)
    with pytest.raises(ValueError, match="expected the preset to be one of 'paper', 'talk'"):
        ObjectCondensationLoss.preset("papers")


def operator_arguments():
    beta, x, labels, splits, *_ = data([30, 20])
    found = torch.ops.hitgraph.condensation_objects(beta, labels, splits)
    object, order, offsets, object_splits, points = found
    factor = torch.ones(len(points))
    return [x, beta, x[points], factor, object, order, offsets, splits, object_splits]


@pytest.mark.parametrize(
    ("place", "change", "sentence"),
    (
        (5, lambda a: a + 1, "expected order and offsets"),
        (6, lambda a: a * 3, "expected order and offsets"),
        (6, lambda a: a.flip(0), "expected order and offsets"),
        (6, lambda a: a[1:], "expected offsets of shape"),
        (8, lambda a: a * 0, "expected object_splits to end at"),
        (2, lambda a: a[:, :1], "expected centres of shape"),
        (3, lambda a: a.double(), "expected factor to be float32 like coordinates"),
        (1, lambda a: a[1:], "expected weight of shape"),
    ),
)
def test_the_operator_reads_nothing_outside_its_arguments(place, change, sentence):
    given = operator_arguments()
    given[place] = change(given[place])
    with pytest.raises((ValueError, TypeError), match=sentence):
        torch.ops.hitgraph.condensation_potential(*given)


def test_operators_pass_opcheck():
    given = operator_arguments()
    for i in range(4):
        given[i] = given[i].double().requires_grad_()
    torch.library.opcheck(torch.ops.hitgraph.condensation_potential, tuple(given))
    beta, _, labels, splits, *_ = data([30, 20])
    torch.library.opcheck(torch.ops.hitgraph.condensation_objects, (beta, labels, splits))


def test_second_derivatives_are_refused():
    given = operator_arguments()
    given[0].requires_grad_()
    total = torch.ops.hitgraph.condensation_potential(*given)[0].sum()
    with pytest.raises(NotImplementedError, match="expected no derivative of second order"):
        torch.autograd.grad(total, given[0], create_graph=True)
