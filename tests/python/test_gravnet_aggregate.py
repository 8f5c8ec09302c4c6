"""The aggregation of GravNet against its formula: values, gradients, missing neighbours, errors."""

from __future__ import annotations

import math

import pytest
import torch
from gravnet_formula import rows_by_formula
from torch import Tensor

from hitgraph.nn.functional import gravnet_aggregate


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

    def test_index_and_graph_need_not_be_contiguous(self) -> None:
        features, index, distance2 = random_graph()
        turned = [tensor.t().contiguous().t() for tensor in (features, index, distance2)]
        for one, other in zip(
            gravnet_aggregate(*turned), gravnet_aggregate(features, index, distance2), strict=True
        ):
            assert torch.equal(one, other)

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
            ({"features": [[1.0]]}, TypeError, "features to be a Tensor, got list"),
            ({"features": torch.zeros(3, 2).long()}, TypeError, "features to be floating point"),
            ({"index": torch.zeros(4).long()}, ValueError, r"index to be 2-D \(m, k\)"),
            ({"index": torch.full((4, 2), 3)}, ValueError, "index from -1 to 2, got 3"),
            ({"index": torch.full((4, 2), -2)}, ValueError, "index from -1 to 2, got -2"),
            ({"index": torch.zeros(4, 0).long()}, ValueError, r"k of at least 1, got \[4, 0\]"),
            ({"index": torch.zeros(4, 2)}, TypeError, "index to be int64 or int32"),
            ({"distance2": torch.zeros(4, 3)}, ValueError, r"distance2 to have the shape of index"),
            ({"distance2": torch.zeros(4, 2).long()}, TypeError, "distance2 to be floating point"),
            ({"distance2": None}, ValueError, "distance2 or weight, got neither"),
            ({"weight": torch.zeros(2, 4)}, ValueError, r"weight to have the shape of index"),
            ({"reduce": ("min",)}, ValueError, r"'mean', 'max', 'sum', got \('min',\)"),
            ({"reduce": "mean"}, ValueError, "'mean', 'max', 'sum', got 'mean'"),
            ({"scale": "10"}, TypeError, "scale to be a float, got str"),
            ({"scale": torch.ones(())}, TypeError, "scale to be a float, got Tensor"),
            ({"scale": 1e300}, ValueError, "scale to be finite, got 1e"),
            ({"reduce": (name for name in ("mean",))}, ValueError, "reduce to be a list of"),
            ({"reduce": 5}, ValueError, "reduce to be a list of .*, got 5"),
            ({"transposed": (1, 2)}, TypeError, "transposed to be a TransposedGraph, got tuple"),
            ({"scale": math.nan}, ValueError, "scale to be finite, got nan"),
            (
                {"distance2": torch.zeros(4, 2, device="meta")},
                RuntimeError,
                "distance2 on cpu like",
            ),
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
        assert str(raised.value).startswith("hitgraph::gravnet_aggregate: expected ")
