"""The GravNet layer against its formula: presets, options, events, errors."""

from __future__ import annotations

import copy
import math
import pickle

import pytest
import torch
from gravnet_formula import SPLITS, layer_by_formula, make
from torch import Tensor

from hitgraph.nn import PRESETS, GravNet


class TestLayer:
    @pytest.mark.parametrize("own", ["none", "own_minus_aggregate", "aggregate_minus_own"])
    @pytest.mark.parametrize("include_self", [False, True])
    @pytest.mark.parametrize(("divisor", "missing"), [("k", "skip"), ("count", "zero")])
    @pytest.mark.parametrize("reduce", [("mean", "max"), ("max",), ("max", "mean")])
    def test_formula(
        self, own: str, include_self: bool, divisor: str, missing: str, reduce: tuple[str, ...]
    ) -> None:
        layer, x = make(
            own=own, include_self=include_self, divisor=divisor, missing=missing, reduce=reduce
        )
        expected = layer_by_formula(layer, x, SPLITS.tolist(), torch.tanh)
        torch.testing.assert_close(layer(x, SPLITS), expected)

    def test_talk_on_two_points_by_hand(self) -> None:
        # One neighbour at distance 1 of k = 2: mean e⁻¹ h_j / 2, maximum e⁻¹ h_j, both subtracted
        # from h_i.
        layer = GravNet.preset(
            "talk", 1, 2, k=2, propagate_features=1, space_dimensions=1, activation=None
        ).double()
        with torch.no_grad():
            for linear in (layer.space, layer.propagate):
                linear.weight.fill_(1.0)
                linear.bias.zero_()
            layer.output.weight.copy_(torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]))
            layer.output.bias.zero_()
        y = layer(torch.tensor([[1.0], [2.0]], dtype=torch.float64))
        w = math.exp(-1.0)
        expected = [[1 - 2 * w / 2, 1 - 2 * w], [2 - w / 2, 2 - w]]
        torch.testing.assert_close(y, torch.tensor(expected, dtype=torch.float64))

    def test_default_is_the_paper(self) -> None:
        assert repr(GravNet(5, 7)) == repr(GravNet.preset("paper", 5, 7))

    def test_preset_with_changes(self) -> None:
        layer = GravNet.preset("talk", 5, 7, k=3, activation=None)
        assert (layer.k, layer.activation, layer.own) == (3, None, "own_minus_aggregate")

    def test_batch_is_row_splits(self) -> None:
        layer, x = make()
        batch = torch.repeat_interleave(torch.arange(len(SPLITS) - 1), SPLITS.diff())
        assert torch.equal(layer(x, batch=batch), layer(x, SPLITS))

    def test_events_do_not_see_each_other(self) -> None:
        layer, x = make()
        alone = layer(x[21:40])
        torch.testing.assert_close(layer(x, SPLITS)[21:40], alone)

    def test_lonely_points(self) -> None:
        layer, x = make()
        y, graph = layer(x[:1], return_graph=True)
        assert (graph.index == -1).all() and torch.isinf(graph.distance2).all()
        columns = torch.cat([x[:1], torch.zeros(1, 12, dtype=x.dtype)], dim=1)
        torch.testing.assert_close(y, torch.tanh(layer.output(columns)))

    def test_no_points(self) -> None:
        layer, x = make()
        y = layer(x[:0].requires_grad_())
        assert y.shape == (0, 3)
        y.sum().backward()
        assert layer(x[:0], torch.tensor([0, 0, 0])).shape == (0, 3)

    def test_max_radius(self) -> None:
        layer, x = make(max_radius=0.8)
        _, graph = layer(x, return_graph=True)
        _, everything = make()[0](x, return_graph=True)
        expected = torch.where(everything.distance2 <= 0.64, everything.index, -1)
        assert torch.equal(graph.index, expected) and (graph.index == -1).any()

    def test_deterministic(self) -> None:
        layer, x = make()
        results = []
        for _ in range(2):
            layer.zero_grad()
            y = layer(x, SPLITS)
            y.square().sum().backward()
            results.append([y, *(parameter.grad.clone() for parameter in layer.parameters())])
        for first, second in zip(*results, strict=True):
            assert torch.equal(first, second)

    def test_state_dict_keys(self) -> None:
        assert list(make()[0].state_dict()) == [
            "space.weight",
            "space.bias",
            "propagate.weight",
            "propagate.bias",
            "output.weight",
            "output.bias",
        ]

    @pytest.mark.parametrize("name", sorted(PRESETS))
    def test_copies(self, name: str) -> None:
        layer, x = GravNet.preset(name, 4, 3, k=5), torch.randn(40, 4)
        for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
            assert torch.equal(twin(x), layer(x))

    def test_module_as_activation(self) -> None:
        layer, x = make(activation=torch.nn.ELU())
        expected = layer_by_formula(layer, x, [0, 40], torch.nn.functional.elu)
        torch.testing.assert_close(layer(x), expected)

    def test_representation_names_the_settings(self) -> None:
        text = repr(GravNet.preset("talk", 5, 7, max_radius=2.0))
        for part in ("k=64", "scale=1", "own='own_minus_aggregate'", "max_radius=2", "relu"):
            assert part in text


@pytest.mark.parametrize(
    ("x", "error", "sentence"),
    [
        (torch.zeros(4), ValueError, r"expected x to be 2-D \(n, 64\), got \(4,\)"),
        (torch.zeros(4, 3), ValueError, r"expected x to be 2-D \(n, 64\), got \(4, 3\)"),
        (torch.zeros(4, 64).long(), TypeError, "expected x to be floating point, got torch.int64"),
        (torch.zeros(4, 64).double(), TypeError, "expected x to be torch.float32"),
    ],
)
def test_input_errors(x: Tensor, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match="hitgraph.nn.GravNet: " + sentence):
        GravNet(64, 3)(x)


def test_graph_of_another_size() -> None:
    layer, x = make()
    _, graph = layer(x, return_graph=True)
    with pytest.raises(ValueError, match=r"expected graph.index to be \(39, k\).*got \(40, 5\)"):
        layer(x[:39], graph=graph)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"k": 0}, "expected k to be at least 1, got 0"),
        ({"space_dimensions": 0}, "expected space_dimensions to be at least 1"),
        ({"own": "minus"}, "expected own to be one of 'none', .*got 'minus'"),
        ({"divisor": "n"}, "expected divisor to be one of 'k', 'count', got 'n'"),
        ({"missing": "n"}, "expected missing to be one of 'skip', 'zero', got 'n'"),
        ({"reduce": ("median",)}, "expected reduce to be a list of 'mean', 'max', 'sum'"),
    ],
)
def test_constructor_errors(options: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match="hitgraph.nn.GravNet: " + sentence):
        GravNet(4, 3, **options)
