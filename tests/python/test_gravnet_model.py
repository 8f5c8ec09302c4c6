"""The talk's network: its layers, its results from its weights, events, gradients, compile."""

from __future__ import annotations

import copy

import pytest
import torch
from gravnet_formula import SPLITS
from gravnet_systems import SYSTEMS, by_system, linear
from torch import Tensor, nn

import hitgraph
from hitgraph.models import GravNetModel
from hitgraph.nn import GravNetGraph

SMALL = {"in_features": 5, "out_features": 3, "propagate_features": 6, "k": 5, "hidden_features": 9}


def small(**changes: object) -> tuple[GravNetModel, Tensor]:
    torch.manual_seed(0)
    model = GravNetModel(**{**SMALL, "dtype": torch.float64, **changes})
    return model, torch.randn(40, 5, dtype=torch.float64)


def by_formula(model: GravNetModel, x: Tensor, row_splits: list[int], system: str) -> Tensor:
    """The network from its weights, with the system's own formula for the GravNets."""
    weights = model.state_dict()
    y = linear(weights, "input.2", linear(weights, "input.0", x).relu()).relu()
    for block in range(4):
        prefix = f"blocks.{block}.gravnet."
        own = {k.removeprefix(prefix): w for k, w in weights.items() if k.startswith(prefix)}
        y = by_system(system, y, own, 5, row_splits)
        for layer in (0, 2, 4):
            y = linear(weights, f"blocks.{block}.dense.{layer}", y).relu()
    return linear(weights, "output.2", linear(weights, "output.0", y).relu())


class TestModel:
    def test_is_the_talks(self) -> None:
        model = hitgraph.models.GravNetModel()
        shapes = {name: tuple(w.shape) for name, w in model.named_parameters() if w.dim() == 2}
        expected = {"input.0": (128, 64), "input.2": (128, 128)}
        for block, width in enumerate((128, 64, 64, 64)):
            expected |= {
                f"blocks.{block}.gravnet.space": (4, width),
                f"blocks.{block}.gravnet.propagate": (32, width),
                f"blocks.{block}.gravnet.output": (64, width + 64),
                f"blocks.{block}.dense.0": (128, 64),
                f"blocks.{block}.dense.2": (128, 128),
                f"blocks.{block}.dense.4": (64, 128),
            }
        expected |= {"output.0": (128, 64), "output.2": (10, 128)}
        assert shapes == {name + ".weight": shape for name, shape in expected.items()}
        assert [block.gravnet.k for block in model.blocks] == [64] * 4
        assert model(torch.randn(30, 64)).shape == (30, 10)

    @pytest.mark.parametrize("preset", ["fastgraphcompute", "talk", "hgcalml"])
    def test_formula(self, preset: str) -> None:
        model, x = small(preset=preset)
        expected = by_formula(model, x, SPLITS.tolist(), preset)
        torch.testing.assert_close(model(x, SPLITS), expected, rtol=1e-9, atol=1e-12)

    @pytest.mark.parametrize("preset", list(SYSTEMS))
    def test_sizes_are_the_models(self, preset: str) -> None:
        model, x = small(preset=preset, space_dimensions=2, blocks=2)
        for block in model.blocks:
            layer = block.gravnet
            assert (layer.k, layer.space.out_features, layer.propagate.out_features) == (5, 2, 6)
        assert model(x).shape == (40, 3)

    def test_layer_options_and_activation(self) -> None:
        options = {"max_radius": 0.5, "index_dtype": torch.int32}
        model, x = small(layer_options=options, activation=nn.ELU, block_features=7, blocks=1)
        y, (graph,) = model(x, return_graphs=True)
        assert y.shape == (40, 3) and graph.index.dtype == torch.int32
        assert (graph.distance2[graph.index >= 0] <= 0.25).all()
        assert model.blocks[0].dense[0].in_features == 7
        assert sum(isinstance(module, nn.ELU) for module in model.modules()) == 6

    def test_graphs_are_those_of_the_blocks(self) -> None:
        model, x = small()
        y, graphs = model(x, SPLITS, return_graphs=True)
        assert torch.equal(y, model(x, SPLITS)) and len(graphs) == 4
        for graph in graphs:
            assert isinstance(graph, GravNetGraph)
            index, distance2 = hitgraph.knn(graph.coordinates, 5, SPLITS, include_self=True)
            assert torch.equal(graph.index, index) and torch.equal(graph.distance2, distance2)

    def test_events_do_not_see_each_other(self) -> None:
        model, x = small()
        together = model(x, SPLITS)
        for start, stop in ((0, 17), (17, 18), (18, 21), (21, 40)):
            torch.testing.assert_close(together[start:stop], model(x[start:stop]))

    def test_batch_is_row_splits(self) -> None:
        model, x = small()
        batch = torch.repeat_interleave(torch.arange(len(SPLITS) - 1), SPLITS.diff())
        assert torch.equal(model(x, batch=batch), model(x, SPLITS))

    def test_no_hits(self) -> None:
        model, x = small()
        model(x[:0]).sum().backward()
        assert model(x[:0], torch.tensor([0, 0])).shape == (0, 3)

    def test_every_parameter_learns(self) -> None:
        model, x = small(activation=nn.ELU)  # no unit is dead
        model(x, SPLITS).square().sum().backward()
        for name, parameter in model.named_parameters():
            assert parameter.grad.isfinite().all(), name
            if not name.endswith("space.bias"):  # shifts the space, changes no distance
                assert (parameter.grad != 0).any(), name

    def test_gradient_of_the_input(self) -> None:
        model, x = small()
        mine, theirs = (x.clone().requires_grad_() for _ in range(2))
        model(mine, SPLITS).square().sum().backward()
        by_formula(model, theirs, SPLITS.tolist(), "fastgraphcompute").square().sum().backward()
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-8, atol=1e-11)

    def test_state_dict(self) -> None:
        model, x = small()
        torch.manual_seed(1)
        other = GravNetModel(**SMALL, dtype=torch.float64)
        assert not torch.equal(other(x), model(x))
        other.load_state_dict(model.state_dict())
        assert torch.equal(other(x), model(x))
        assert torch.equal(copy.deepcopy(model)(x), model(x))

    def test_compiles_without_a_break(self) -> None:
        model, x = small()
        compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
        torch.testing.assert_close(compiled(x, SPLITS), model(x, SPLITS))
        twin = copy.deepcopy(model)
        model(x, SPLITS).square().sum().backward()
        torch.compile(twin, fullgraph=True, backend="aot_eager")(
            x, SPLITS
        ).square().sum().backward()
        for (name, ours), theirs in zip(model.named_parameters(), twin.parameters(), strict=True):
            torch.testing.assert_close(ours.grad, theirs.grad, msg=name)

    def test_autocast(self) -> None:
        model, x = small(dtype=torch.float32)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            y, graphs = model(x.float(), SPLITS, return_graphs=True)
        assert y.dtype == torch.bfloat16
        assert all(graph.coordinates.dtype == torch.float32 for graph in graphs)


@pytest.mark.parametrize(
    ("x", "error", "sentence"),
    [
        (torch.zeros(4, 3), ValueError, r"expected x to be 2-D \(n, 64\), got \(4, 3\)"),
        (torch.zeros(64), ValueError, r"expected x to be 2-D \(n, 64\), got \(64,\)"),
        (torch.zeros(4, 64).int(), TypeError, "expected x to be floating point, got torch.int32"),
        (torch.zeros(4, 64).double(), TypeError, "expected x to be torch.float32 as the param"),
        ([[0.0] * 64], TypeError, "expected x to be a Tensor, got list"),
    ],
)
def test_input_errors(x: object, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match="hitgraph.models.GravNetModel: " + sentence):
        GravNetModel()(x)


@pytest.mark.parametrize(
    "name",
    ["in_features", "out_features", "propagate_features", "k", "hidden_features", "blocks"],
)
def test_constructor_errors(name: str) -> None:
    with pytest.raises(ValueError, match=f"GravNetModel: expected {name} to be at least 1, got 0"):
        GravNetModel(**{name: 0})


def test_wrong_events() -> None:
    with pytest.raises((ValueError, RuntimeError), match="expected row_splits"):
        GravNetModel()(torch.zeros(4, 64), torch.tensor([0, 3]))
    with pytest.raises(ValueError, match="expected the preset to be one of"):
        GravNetModel(preset="nosuch")
