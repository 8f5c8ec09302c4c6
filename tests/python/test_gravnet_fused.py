"""The fused aggregation of GravNet against tensor operations: values and gradients."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
import torch
from aggregate_reference import aggregate_by_tensors
from gravnet_graphs import GRAPHS, features_of, graph
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from hitgraph.nn.functional import gravnet_aggregate

# 1e-6 of the sum of absolute terms, at which float32 and float64 may differ.
TOLERANCE = 1e-6


class TestGradient:
    @pytest.mark.parametrize("name", GRAPHS)
    @pytest.mark.parametrize(("divisor", "missing"), [("k", "skip"), ("count", "zero")])
    def test_gradcheck(self, name: str, divisor: str, missing: str) -> None:
        index, distance2 = GRAPHS[name]()
        features = features_of(20, 3).requires_grad_()
        present = index >= 0
        finite = distance2[present].requires_grad_()

        def aggregate(features: Tensor, finite: Tensor) -> tuple[Tensor, ...]:
            filled = torch.full_like(distance2, torch.inf).masked_scatter(present, finite)
            return gravnet_aggregate(
                features,
                index,
                filled,
                1.5,
                reduce=("mean", "max", "sum"),
                divisor=divisor,
                missing=missing,
            )

        assert gradcheck(aggregate, (features, finite))
        assert gradgradcheck(aggregate, (features, finite))

    def test_given_weights(self) -> None:
        index, distance2 = graph(15, 4, 9)
        weight = (distance2.nan_to_num(posinf=0.0) - 1).requires_grad_()  # negative ones, too
        features = features_of(9, 4).requires_grad_()
        assert gradcheck(
            lambda h, w: gravnet_aggregate(h, index, None, weight=w), (features, weight)
        )

    @pytest.mark.parametrize("reduce", [("mean",), ("max",), ("sum", "max"), ("mean", "sum")])
    @pytest.mark.parametrize("wanted", ["features", "distance2", "both"])
    def test_parts(self, reduce: tuple[str, ...], wanted: str) -> None:
        index, distance2 = graph(40, 6, 30)
        gradients = []
        for function in (gravnet_aggregate, aggregate_by_tensors):
            features, values = features_of(30, 7), distance2.clone()
            inputs = {"features": [features], "distance2": [values], "both": [features, values]}
            for tensor in inputs[wanted]:
                tensor.requires_grad_()
            outputs = function(features, index, values, 2.0, reduce=reduce)
            sum((out * (i + 1)).sum() for i, out in enumerate(outputs)).backward()
            assert (features.grad is None) == (wanted == "distance2")
            gradients.append([tensor.grad for tensor in inputs[wanted]])
        for fused, expected in zip(*gradients, strict=True):
            torch.testing.assert_close(fused, expected, rtol=1e-12, atol=1e-12)

    def test_a_result_that_nobody_uses(self) -> None:
        index, distance2 = graph(10, 3, 5)
        features = features_of(5, 2).requires_grad_()
        mean, _ = gravnet_aggregate(features, index, distance2)
        mean.sum().backward()
        used = features.grad.clone()
        features.grad = None
        gravnet_aggregate(features, index, distance2, reduce=("mean",))[0].sum().backward()
        assert torch.equal(used, features.grad)

    def test_parts_of_a_concatenation_are_read_where_they_lie(self) -> None:
        index, distance2 = graph(10, 3, 5)
        features = features_of(5, 6).requires_grad_()
        own = features_of(10, 4)
        together = torch.cat([own, *gravnet_aggregate(features, index, distance2)], dim=1)
        together.square().sum().backward()
        fused, features.grad = features.grad, None
        together = torch.cat([own, *aggregate_by_tensors(features, index, distance2)], dim=1)
        together.square().sum().backward()
        torch.testing.assert_close(fused, features.grad)


CASES = list(itertools.product([1, 3, 16, 22, 33, 128], [1, 16, 40, 300]))


def halves(channels: int, k: int, scale: float) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Pairs of (float32, float64, sum of absolute terms), results and gradients."""
    index, distance2 = graph(60, k, 50, seed=k)
    features, values = features_of(50, channels).float(), distance2.float()
    grads = [features_of(60, channels, seed).float() for seed in (5, 6)]
    runs = []
    for dtype in (torch.float32, torch.float64):
        inputs = [
            tensor.to(dtype).detach().clone().requires_grad_() for tensor in (features, values)
        ]
        function = gravnet_aggregate if dtype == torch.float32 else aggregate_by_tensors
        outputs = function(inputs[0], index, inputs[1], scale, divisor="count")
        torch.autograd.backward(outputs, [grad.to(dtype) for grad in grads])
        runs.append([*(out.detach() for out in outputs), *(x.grad for x in inputs)])
    # The sums of absolute terms, by the same formulas on absolute values.
    weight = torch.exp(-scale * values.double().masked_fill(index < 0, torch.inf))
    h = torch.cat([features.double().abs(), torch.zeros(1, channels).double()])[index]
    count = (index >= 0).sum(1, keepdim=True).clamp(min=1)
    mean = (weight.unsqueeze(-1) * h).sum(1) / count
    by_product = (grads[0].double().abs() / count + grads[1].double().abs()).unsqueeze(1)
    by_value = abs(scale) * weight * (by_product * h).sum(-1)
    by_feature = torch.zeros(51, channels).double()
    by_feature.index_add_(
        0, index.flatten() % 51, (weight.unsqueeze(-1) * by_product).flatten(0, 1)
    )
    terms = [mean, runs[1][1].abs(), by_feature[:50], by_value]
    yield from zip(*runs, terms, strict=True)


@pytest.mark.parametrize(("channels", "k"), CASES)
@pytest.mark.parametrize("scale", [1.0, 10.0, 0.1])
def test_float32_is_near_float64(channels: int, k: int, scale: float) -> None:
    for narrow, wide, terms in halves(channels, k, scale):
        error = (narrow.double() - wide).abs()
        # Below the normal numbers of float32 a weight is zero.
        assert (error <= TOLERANCE * terms + 1e-36).all(), (error / terms).nan_to_num().max()


@pytest.mark.parametrize("k", [64, 1000])
def test_sums_of_one_sign_are_near_float64(k: int) -> None:
    # Nothing cancels, every rounding goes the same way: hubs and rows of equal terms.
    index = torch.arange(k).expand(40, k) % 3
    distance2 = torch.full((40, k), 0.37)
    results = []
    for dtype in (torch.float32, torch.float64):
        features = torch.full((3, 33), 0.7).to(dtype).requires_grad_()
        values = distance2.to(dtype).clone().requires_grad_()
        function = gravnet_aggregate if dtype == torch.float32 else aggregate_by_tensors
        (mean,) = function(features, index, values, 1.0, reduce=("mean",))
        mean.backward(torch.full_like(mean, 0.3))
        results.append((mean.detach(), features.grad, values.grad))
    for narrow, wide in zip(*results, strict=True):
        assert ((narrow - wide).abs() <= TOLERANCE * wide.abs()).all()
