"""GravNet and its aggregation against the formula, written here row by row in float64."""

from __future__ import annotations

import copy
import itertools
import math
import pickle
from collections.abc import Callable

import pytest
import torch
from hitgraph.functional import knn
from torch import Tensor

from hitgraph.nn import PRESETS, GravNet, GravNetGraph
from hitgraph.nn.functional import gravnet_aggregate

SPLITS = torch.tensor([0, 0, 17, 18, 18, 21, 40, 40])  # empty, alone, three, enough


def rows_by_formula(
    features: Tensor, index: Tensor, distance2: Tensor, scale: float, divisor: str, missing: str
) -> tuple[list[list[float]], list[list[float]]]:
    """Mean and maximum of the weighted features, one number at a time."""
    means, maxima = [], []
    k = index.shape[1]
    for row, distances in zip(index.tolist(), distance2.tolist(), strict=True):
        mean_row, max_row = [], []
        for channel in range(features.shape[1]):
            products = [
                math.exp(-scale * d2) * float(features[j, channel])
                for j, d2 in zip(row, distances, strict=True)
                if j >= 0
            ]
            count = k if divisor == "k" else max(len(products), 1)
            mean_row.append(math.fsum(products) / count)
            if missing == "zero" and len(products) < k:
                products.append(0.0)
            max_row.append(max(products, default=0.0))
        means.append(mean_row)
        maxima.append(max_row)
    return means, maxima


def neighbours_by_formula(
    coordinates: Tensor, k: int, row_splits: list[int], include_self: bool = False
) -> tuple[Tensor, Tensor]:
    """The k nearest within each event by (squared distance, index), from sorted lists."""
    n = len(coordinates)
    index = torch.full((n, k), -1)
    distance2 = torch.full((n, k), math.inf, dtype=torch.float64)
    point = coordinates.tolist()
    for start, stop in itertools.pairwise(row_splits):
        for i in range(start, stop):
            found = sorted(
                (sum((a - b) ** 2 for a, b in zip(point[i], point[j], strict=True)), j)
                for j in range(start, stop)
                if include_self or j != i
            )[:k]
            for slot, (d2, j) in enumerate(found):
                index[i, slot], distance2[i, slot] = j, d2
    return index, distance2


def random_graph(n: int = 30, m: int = 20, k: int = 6) -> tuple[Tensor, Tensor, Tensor]:
    """Features, index and distance2 (float64) with rows of every length, an empty and a full one
    included.
    """
    random = torch.Generator().manual_seed(3)
    features = torch.randn(n, 5, generator=random, dtype=torch.float64)
    index = torch.randint(0, n, (m, k), generator=random)
    distance2 = torch.rand(m, k, generator=random, dtype=torch.float64).sort(dim=1).values
    length = torch.arange(m) % (k + 1)
    absent = torch.arange(k) >= length[:, None]
    return features, index.masked_fill(absent, -1), distance2.masked_fill(absent, torch.inf)


class TestAggregate:
    @pytest.mark.parametrize("divisor", ["k", "count"])
    @pytest.mark.parametrize("missing", ["skip", "zero"])
    @pytest.mark.parametrize("scale", [1.0, 10.0])
    def test_formula(self, divisor: str, missing: str, scale: float) -> None:
        features, index, distance2 = random_graph()
        mean, maximum = gravnet_aggregate(
            features, index, distance2, scale, divisor=divisor, missing=missing
        )
        expected = rows_by_formula(features, index, distance2, scale, divisor, missing)
        torch.testing.assert_close(mean, torch.tensor(expected[0], dtype=torch.float64))
        torch.testing.assert_close(maximum, torch.tensor(expected[1], dtype=torch.float64))

    def test_default_scale_is_ten(self) -> None:
        features, index, distance2 = random_graph()
        for default, ten in zip(
            gravnet_aggregate(features, index, distance2),
            gravnet_aggregate(features, index, distance2, 10.0),
            strict=True,
        ):
            assert torch.equal(default, ten)

    def test_reduce_says_what_and_in_which_order(self) -> None:
        features, index, distance2 = random_graph()
        mean, maximum = gravnet_aggregate(features, index, distance2)
        swapped = gravnet_aggregate(features, index, distance2, reduce=("max", "mean"))
        assert torch.equal(swapped[0], maximum) and torch.equal(swapped[1], mean)
        (only,) = gravnet_aggregate(features, index, distance2, reduce=("max",))
        assert torch.equal(only, maximum)

    def test_given_weights_replace_the_exponential(self) -> None:
        features, index, distance2 = random_graph()
        weight = torch.exp(-2.0 * distance2)
        weight[index < 0] = torch.nan  # not read where there is no neighbour
        given = gravnet_aggregate(features, index, None, weight=weight)
        for result, expected in zip(
            given, gravnet_aggregate(features, index, distance2, 2.0), strict=True
        ):
            torch.testing.assert_close(result, expected)

    def test_row_without_neighbours_is_zero(self) -> None:
        features = torch.full((3, 2), -1.0)
        index, distance2 = torch.full((1, 4), -1), torch.full((1, 4), torch.inf)
        for missing in ("skip", "zero"):
            for result in gravnet_aggregate(features, index, distance2, missing=missing):
                assert torch.equal(result, torch.zeros(1, 2))

    def test_missing_neighbour_in_a_maximum_of_negative_features(self) -> None:
        features = torch.tensor([[-3.0]])
        index, distance2 = torch.tensor([[0, -1]]), torch.tensor([[0.0, torch.inf]])
        assert gravnet_aggregate(features, index, distance2, missing="skip")[1].item() == -3.0
        assert gravnet_aggregate(features, index, distance2, missing="zero")[1].item() == 0.0

    @pytest.mark.parametrize("n", [0, 3])
    def test_no_rows_and_no_features(self, n: int) -> None:
        empty = torch.empty(0, 4, dtype=torch.int64)
        for result in gravnet_aggregate(torch.zeros(n, 2), empty, torch.empty(0, 4)):
            assert result.shape == (0, 2)
        absent = torch.full((2, 4), -1)
        for result in gravnet_aggregate(torch.zeros(n, 2), absent, torch.full((2, 4), torch.inf)):
            assert torch.equal(result, torch.zeros(2, 2))

    @pytest.mark.parametrize("divisor", ["k", "count"])
    @pytest.mark.parametrize("missing", ["skip", "zero"])
    def test_gradients(self, divisor: str, missing: str) -> None:
        features, index, distance2 = random_graph(n=6, m=8, k=3)
        features.requires_grad_()
        present = index >= 0
        # gradcheck wants finite inputs: the distances that exist are its variables.
        finite = distance2[present].requires_grad_()

        def aggregate(features: Tensor, finite: Tensor) -> tuple[Tensor, ...]:
            filled = torch.full_like(distance2, torch.inf).masked_scatter(present, finite)
            return gravnet_aggregate(features, index, filled, 2.0, divisor=divisor, missing=missing)

        assert torch.autograd.gradcheck(aggregate, (features, finite))
        assert torch.autograd.gradgradcheck(aggregate, (features, finite))

    def test_gradient_at_missing_neighbours_is_zero_not_nan(self) -> None:
        features, index, distance2 = random_graph()
        features.requires_grad_()
        distance2.requires_grad_()
        sum(r.sum() for r in gravnet_aggregate(features, index, distance2)).backward()
        assert features.grad.isfinite().all() and distance2.grad.isfinite().all()
        assert (distance2.grad[index < 0] == 0).all()
        assert (distance2.grad[index >= 0] != 0).any()

    def test_distance_of_a_missing_neighbour_is_not_read(self) -> None:
        features, index, distance2 = random_graph()
        poisoned = distance2.masked_fill(index < 0, torch.nan).requires_grad_()
        results = gravnet_aggregate(features, index, poisoned)
        for result, expected in zip(
            results, gravnet_aggregate(features, index, distance2), strict=True
        ):
            assert torch.equal(result, expected)
        sum(result.sum() for result in results).backward()
        assert poisoned.grad.isfinite().all()

    def test_scale_zero_weighs_all_the_same(self) -> None:
        features, index, distance2 = random_graph()
        distance2.requires_grad_()
        mean, maximum = gravnet_aggregate(features, index, distance2, 0.0, divisor="count")
        (mean.sum() + maximum.sum()).backward()
        assert (distance2.grad == 0).all()
        neighbours = index[4][index[4] >= 0]
        torch.testing.assert_close(mean[4], features[neighbours].mean(dim=0))

    def test_gradient_of_a_tied_maximum_goes_to_the_first(self) -> None:
        features = torch.ones(5, 1, requires_grad=True)
        index, distance2 = torch.tensor([[3, 1, 4, 0]]), torch.full((1, 4), 0.25)
        gravnet_aggregate(features, index, distance2, 1.0, reduce=("max",))[0].backward()
        expected = torch.zeros(5, 1)
        expected[3] = math.exp(-0.25)
        torch.testing.assert_close(features.grad, expected)

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    def test_low_precision_features_are_accumulated_in_float32(self, dtype: torch.dtype) -> None:
        features, index, distance2 = random_graph(k=50, m=60)
        features, distance2 = features.to(dtype), distance2.float()
        expected = rows_by_formula(features, index, distance2, 10.0, "k", "skip")
        for result, by_formula in zip(
            gravnet_aggregate(features, index, distance2), expected, strict=True
        ):
            assert result.dtype == dtype
            once_rounded = torch.tensor(by_formula, dtype=torch.float64).to(dtype)
            torch.testing.assert_close(result, once_rounded, rtol=torch.finfo(dtype).eps, atol=1e-7)

    def test_int32_index(self) -> None:
        features, index, distance2 = random_graph()
        for small, large in zip(
            gravnet_aggregate(features, index.int(), distance2),
            gravnet_aggregate(features, index, distance2),
            strict=True,
        ):
            assert torch.equal(small, large)

    @pytest.mark.parametrize(
        ("change", "error", "sentence"),
        [
            ({"features": torch.zeros(3)}, ValueError, r"features to be 2-D \(n, f\), got 1-D"),
            ({"features": torch.zeros(3, 2).long()}, TypeError, "features to be floating point"),
            ({"index": torch.zeros(4)}, ValueError, r"index to be \(m, k\)"),
            ({"index": torch.zeros(4, 0).long()}, ValueError, r"k of at least 1, got \(4, 0\)"),
            ({"index": torch.zeros(4, 2)}, TypeError, "index to be int64 or int32"),
            ({"distance2": torch.zeros(4, 3)}, ValueError, r"distance2 to have the shape of index"),
            ({"distance2": torch.zeros(4, 2).long()}, TypeError, "distance2 to be floating point"),
            ({"distance2": None}, ValueError, "distance2 or weight, got neither"),
            ({"weight": torch.zeros(2, 4)}, ValueError, r"weight to have the shape of index"),
            ({"reduce": ("sum",)}, ValueError, r"'mean' and/or 'max', got \('sum',\)"),
            ({"reduce": "mean"}, ValueError, "'mean' and/or 'max', got 'mean'"),
            ({"divisor": "n"}, ValueError, "divisor to be 'k' or 'count', got 'n'"),
            ({"missing": "nan"}, ValueError, "missing to be 'skip' or 'zero', got 'nan'"),
        ],
    )
    def test_errors_are_sentences(
        self, change: dict[str, object], error: type[Exception], sentence: str
    ) -> None:
        arguments = {
            "features": torch.zeros(3, 2),
            "index": torch.zeros(4, 2).long(),
            "distance2": torch.zeros(4, 2),
        }
        with pytest.raises(error, match=sentence) as raised:
            gravnet_aggregate(**{**arguments, **change})
        assert str(raised.value).startswith("hitgraph.nn.functional.gravnet_aggregate: expected ")


def layer_by_formula(layer: GravNet, x: Tensor, row_splits: list[int], act: Callable) -> Tensor:
    """The layer in float64 from its weights."""
    weights = {name: value.double() for name, value in layer.state_dict().items()}
    x = x.double()
    space = x @ weights["space.weight"].T + weights["space.bias"]
    sent = x @ weights["propagate.weight"].T + weights["propagate.bias"]
    index, distance2 = neighbours_by_formula(space, layer.k, row_splits, layer.include_self)
    aggregates = dict(
        zip(
            ("mean", "max"),
            rows_by_formula(sent, index, distance2, layer.scale, layer.divisor, layer.missing),
            strict=True,
        )
    )
    columns = [x]
    for name in layer.reduce:
        aggregate = torch.tensor(aggregates[name], dtype=torch.float64).reshape(sent.shape)
        columns.append(
            {
                "none": aggregate,
                "own_minus_aggregate": sent - aggregate,
                "aggregate_minus_own": aggregate - sent,
            }[layer.own]
        )
    result = torch.cat(columns, dim=1) @ weights["output.weight"].T + weights["output.bias"]
    return act(result)


def make(seed: int = 0, **options: object) -> tuple[GravNet, Tensor]:
    """A small float64 layer and 40 points for it."""
    torch.manual_seed(seed)
    options = {"k": 5, "propagate_features": 6, "dtype": torch.float64, **options}
    return GravNet(4, 3, **options), torch.randn(40, 4, dtype=torch.float64)


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

    @pytest.mark.parametrize(
        ("name", "k", "propagate", "own", "act"),
        [
            ("paper", 40, 22, "none", torch.tanh),
            ("talk", 64, 32, "own_minus_aggregate", lambda y: y.clamp(min=0)),
        ],
    )
    def test_presets(self, name: str, k: int, propagate: int, own: str, act: Callable) -> None:
        torch.manual_seed(1)
        layer = GravNet.preset(name, 5, 7, dtype=torch.float64)
        settings = (layer.k, layer.scale, layer.include_self, layer.divisor, layer.own)
        assert settings == (k, 1.0, False, "k", own)
        assert layer.propagate.weight.shape == (propagate, 5)
        assert layer.space.weight.shape == (4, 5)
        x = torch.randn(90, 5, dtype=torch.float64)
        torch.testing.assert_close(layer(x), layer_by_formula(layer, x, [0, 90], act))

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
        assert set(PRESETS) == {"paper", "talk"}

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


class TestGradients:
    def test_through_the_graph(self) -> None:
        # Well-separated points: a lattice in the space, shaken a little, so that no neighbour
        # changes under gradcheck.
        layer, _ = make(space_dimensions=2, k=3)
        torch.manual_seed(5)
        with torch.no_grad():
            layer.space.weight.copy_(torch.eye(2, 4))
        grid = torch.cartesian_prod(torch.arange(3.0), torch.arange(3.0)).double()
        x = torch.cat([0.6 * grid, torch.randn(9, 2, dtype=torch.float64)], dim=1)
        x[:, :2] += 0.05 * torch.randn(9, 2, dtype=torch.float64)
        splits = torch.tensor([0, 7, 9])  # the second event has fewer than k
        assert torch.autograd.gradcheck(lambda x: layer(x, splits), (x.requires_grad_(),))

    def test_every_parameter_learns(self) -> None:
        layer, x = make()
        layer(x, SPLITS).sum().backward()
        for name, parameter in layer.named_parameters():
            assert parameter.grad.isfinite().all(), name
            if name != "space.bias":  # shifts the space, changes no distance
                assert (parameter.grad != 0).any(), name

    def test_coincident_points(self) -> None:
        layer, _ = make()
        x = torch.ones(12, 4, dtype=torch.float64, requires_grad=True)
        layer(x).sum().backward()
        assert x.grad.isfinite().all()


class TestGraph:
    def test_returned_graph_is_the_exact_one(self) -> None:
        layer, x = make()
        _, graph = layer(x, SPLITS, return_graph=True)
        assert isinstance(graph, GravNetGraph)
        torch.testing.assert_close(graph.coordinates, layer.space(x))
        index, distance2 = neighbours_by_formula(graph.coordinates, 5, SPLITS.tolist())
        assert torch.equal(graph.index, index)
        torch.testing.assert_close(graph.distance2, distance2)

    def test_reuse(self) -> None:
        layer, x = make()
        y, graph = layer(x, SPLITS, return_graph=True)
        again, same = layer(x, graph=graph, return_graph=True)
        assert torch.equal(y, again) and same is graph

    def test_gradient_reaches_the_layer_that_made_the_graph(self) -> None:
        first, x = make(0)
        second, _ = make(1)
        _, graph = first(x, SPLITS, return_graph=True)
        second(x, graph=graph).sum().backward()
        assert (first.space.weight.grad != 0).any() and second.space.weight.grad is None

    def test_result_of_knn_as_graph(self) -> None:
        layer, x = make()
        neighbours = knn(layer.space(x), 5, SPLITS)
        y, graph = layer(x, graph=neighbours, return_graph=True)
        assert torch.equal(y, layer(x, SPLITS)) and graph.coordinates is None


class TestModes:
    def test_inference_mode(self) -> None:
        layer, x = make()
        with torch.inference_mode():
            y = layer(x, SPLITS)
        assert y.is_inference() and torch.equal(y.clone(), layer(x, SPLITS).detach())

    @pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
    def test_autocast_keeps_the_geometry_in_float32(self, dtype: torch.dtype) -> None:
        layer, x = make(dtype=torch.float32)
        x = x.float()
        y, graph = layer(x, SPLITS, return_graph=True)
        with torch.autocast("cpu", dtype=dtype):
            low, low_graph = layer(x, SPLITS, return_graph=True)
        assert low.dtype == dtype
        assert low_graph.coordinates.dtype == low_graph.distance2.dtype == torch.float32
        for kept, full in zip(low_graph, graph, strict=True):
            assert torch.equal(kept, full)
        torch.testing.assert_close(low.float(), y, atol=0.05, rtol=0.0)

    def test_autocast_accepts_the_previous_layers_dtype(self) -> None:
        layer, x = make(dtype=torch.float32)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            layer(x.bfloat16(), SPLITS).sum().backward()
        assert all(p.grad.isfinite().all() for p in layer.parameters())

    @pytest.mark.parametrize("name", sorted(PRESETS))
    def test_compiles_without_a_break(self, name: str) -> None:
        torch.manual_seed(0)
        layer = GravNet.preset(name, 4, 3, k=5)
        compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
        x = torch.randn(40, 4, requires_grad=True)
        twin = x.detach().clone().requires_grad_()
        expected, y = layer(x, SPLITS), compiled(twin, SPLITS)
        torch.testing.assert_close(y, expected)
        expected.sum().backward()
        y.sum().backward()
        torch.testing.assert_close(twin.grad, x.grad)

    def test_float32_is_close_to_float64(self) -> None:
        layer, x = make()
        torch.testing.assert_close(
            copy.deepcopy(layer).float()(x.float(), SPLITS).double(),
            layer(x, SPLITS),
            atol=1e-5,
            rtol=1e-4,
        )


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
        ({"reduce": ("median",)}, "expected reduce to hold 'mean' and/or 'max'"),
    ],
)
def test_constructor_errors(options: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match="hitgraph.nn.GravNet: " + sentence):
        GravNet(4, 3, **options)


def test_unknown_preset() -> None:
    with pytest.raises(ValueError, match="expected the preset to be one of 'paper', 'talk', got"):
        GravNet.preset("nosuch", 4, 3)
