"""Layers of other libraries loaded into GravNet: their keys, their results, torch's errors."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict

import pytest
import torch
from gravnet_formula import SPLITS
from gravnet_systems import by_system
from torch import Tensor, nn

from hitgraph.nn import GravNet

SMALL = {"space_dimensions": 3, "propagate_features": 4, "k": 6}
THEIRS = {
    "pyg": ("lin_s", "lin_h", "lin_out2"),
    "fastgraphcompute": (
        "space_transformations",
        "propagate_transformations",
        "output_transformations.0",
    ),
    "cmspepr": ("lin_s", "lin_h", "lin"),
}


def their_state(name: str, **own: Tensor) -> OrderedDict[str, Tensor]:
    """The state dict of a system's layer with these weights of hitgraph's layer."""
    space, propagate, output = THEIRS[name]
    state: OrderedDict[str, Tensor] = OrderedDict()
    for ours, theirs in (("space", space), ("propagate", propagate), ("output", output)):
        for part in ("weight", "bias"):
            state[f"{theirs}.{part}"] = own[f"{ours}.{part}"].clone()
    if name == "pyg":
        joined = state["lin_out2.weight"]
        state["lin_out1.weight"], state["lin_out2.weight"] = joined[:, :5], joined[:, 5:]
    return state


def trained(name: str) -> tuple[OrderedDict[str, Tensor], dict[str, Tensor]]:
    """A state dict as another library wrote it, and the same weights under our names."""
    torch.manual_seed(11)
    weights = GravNet.preset(name, 5, 7, dtype=torch.float64, **SMALL).state_dict()
    return their_state(name, **weights), dict(weights)


def points() -> Tensor:
    return 0.5 * torch.randn(40, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(2))


def fresh(name: str, **changes: object) -> GravNet:
    torch.manual_seed(99)
    return GravNet.preset(name, 5, 7, dtype=torch.float64, **{**SMALL, **changes})


@pytest.mark.parametrize("name", list(THEIRS))
class TestKeys:
    def test_alone(self, name: str) -> None:
        theirs, weights = trained(name)
        layer = fresh(name)
        before = dict(theirs)
        assert str(layer.load_state_dict(theirs)) == "<All keys matched successfully>"
        assert theirs == before  # the caller's dict is as it was
        expected = by_system(name, points(), weights, 6, SPLITS.tolist())
        torch.testing.assert_close(layer(points(), SPLITS), expected)

    def test_within_a_model(self, name: str) -> None:
        theirs, weights = trained(name)
        model = nn.ModuleDict({"blocks": nn.ModuleList([nn.Linear(2, 3), fresh(name)])})
        state = {f"blocks.1.{key}": value for key, value in theirs.items()}
        state |= {f"blocks.0.{key}": value for key, value in nn.Linear(2, 3).state_dict().items()}
        model.load_state_dict(state)
        for key, value in model["blocks"][1].state_dict().items():
            assert torch.equal(value, weights[key]), key

    def test_own_keys_still_load(self, name: str) -> None:
        _, weights = trained(name)
        layer = fresh(name)
        layer.load_state_dict(weights)
        assert list(layer.state_dict()) == list(weights)

    def test_copies_read_them_too(self, name: str) -> None:
        theirs, weights = trained(name)
        for twin in (copy.deepcopy(fresh(name)), pickle.loads(pickle.dumps(fresh(name)))):
            twin.load_state_dict(theirs)
            assert torch.equal(twin.output.weight, weights["output.weight"])

    def test_other_order_of_columns(self, name: str) -> None:
        theirs, weights = trained(name)
        first = "input_first" if name == "cmspepr" else "aggregates_first"
        layer = fresh(name, concatenation=first, reduce=("max", "mean"))
        layer.load_state_dict(theirs)
        expected = by_system(name, points(), weights, 6, SPLITS.tolist())
        torch.testing.assert_close(layer(points(), SPLITS), expected)

    def test_missing_entry(self, name: str) -> None:
        theirs, _ = trained(name)
        del theirs[THEIRS[name][0] + ".bias"]
        with pytest.raises(RuntimeError, match=r'Missing key\(s\) in state_dict: "space.bias"'):
            fresh(name).load_state_dict(theirs)

    def test_entry_of_neither(self, name: str) -> None:
        theirs, _ = trained(name)
        theirs["lin_p.weight"] = torch.zeros(1)
        with pytest.raises(
            RuntimeError, match=r'Unexpected key\(s\) in state_dict: "lin_p.weight"'
        ):
            fresh(name).load_state_dict(theirs)

    def test_entry_given_twice(self, name: str) -> None:
        theirs, weights = trained(name)
        theirs["space.weight"] = weights["space.weight"]
        surplus = THEIRS[name][0] + ".weight"
        with pytest.raises(RuntimeError, match=rf'Unexpected key\(s\) in state_dict: "{surplus}"'):
            fresh(name).load_state_dict(theirs)

    def test_other_sizes(self, name: str) -> None:
        theirs, _ = trained(name)
        with pytest.raises(RuntimeError, match=r"size mismatch for output\.weight"):
            fresh(name, propagate_features=3).load_state_dict(theirs)


def test_half_an_output_layer() -> None:
    theirs, _ = trained("pyg")
    del theirs["lin_out1.weight"]
    with pytest.raises(RuntimeError, match=r'(?s)"output.weight".*"lin_out2.weight"'):
        fresh("pyg").load_state_dict(theirs)


def edges(x: Tensor, y: Tensor, k: int, batch_x: Tensor | None, batch_y: Tensor | None) -> Tensor:
    """torch_cluster.knn in plain torch: (2, E), the query and the point of every edge."""
    distance = torch.cdist(y, x)
    if batch_x is not None and batch_y is not None:
        distance.masked_fill_(batch_y[:, None] != batch_x[None], torch.inf)
    order = distance.sort(dim=1, stable=True)
    query, slot = order.values[:, :k].isfinite().nonzero(as_tuple=True)
    return torch.stack([query, order.indices[query, slot]])


@pytest.mark.parametrize("batched", [False, True])
def test_torch_geometric(monkeypatch: pytest.MonkeyPatch, batched: bool) -> None:
    pytest.importorskip("torch_geometric")
    from torch_geometric.nn.conv import gravnet_conv

    # Its own search needs a compiled library that is no dependency of ours.
    monkeypatch.setattr(gravnet_conv, "knn", edges)
    torch.manual_seed(3)
    theirs = gravnet_conv.GravNetConv(5, 7, space_dimensions=3, propagate_dimensions=4, k=6)
    layer = GravNet.preset("pyg", 5, 7, **SMALL)
    layer.load_state_dict(theirs.state_dict())

    batch = torch.repeat_interleave(torch.arange(len(SPLITS) - 1), SPLITS.diff())
    batch = batch if batched else None
    x = points().float().requires_grad_()
    twin = x.detach().clone().requires_grad_()
    y, expected = layer(x, batch=batch), theirs(twin, batch)
    torch.testing.assert_close(y, expected, atol=1e-5, rtol=1e-5)

    y.square().sum().backward()
    expected.square().sum().backward()
    torch.testing.assert_close(x.grad, twin.grad, atol=1e-5, rtol=1e-5)
    for ours, other in (("space", "lin_s"), ("propagate", "lin_h")):
        gradient = layer.get_submodule(ours).weight.grad
        torch.testing.assert_close(
            gradient, theirs.get_submodule(other).weight.grad, atol=1e-4, rtol=1e-4
        )
    outputs = [theirs.lin_out1.weight.grad, theirs.lin_out2.weight.grad]
    torch.testing.assert_close(
        layer.output.weight.grad, torch.cat(outputs, dim=1), atol=1e-4, rtol=1e-4
    )


@pytest.mark.parametrize("reduce", [("mean", "sum"), ("mean", "mean"), ("max",)])
def test_other_aggregates_are_refused_by_name(reduce: tuple[str, ...]) -> None:
    state, _ = trained("pyg")
    with pytest.raises(RuntimeError, match=r'Missing key\(s\) in state_dict: "output.weight"'):
        fresh("pyg", reduce=reduce).load_state_dict(state)


@pytest.mark.parametrize("name", ["lin_out1.weight", "lin_out2.weight"])
def test_a_weight_that_is_no_matrix_is_refused_by_name(name: str) -> None:
    state, _ = trained("pyg")
    state[name] = state[name].flatten()
    with pytest.raises(RuntimeError, match=rf'Unexpected key\(s\) in state_dict: .*"{name}"'):
        fresh("pyg").load_state_dict(state)
