"""The GravNet layer in training and deployment: gradients, shared graphs, autocast, compile."""

from __future__ import annotations

import copy

import pytest
import torch
from gravnet_formula import SPLITS, make, neighbours_by_formula

from hitgraph.functional import knn
from hitgraph.nn import PRESETS, GravNet, GravNetGraph


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

    @pytest.mark.parametrize("graph", ["a", torch.zeros(40, 3).long(), (1, 2)])
    def test_what_is_no_graph(self, graph: object) -> None:
        layer, x = make()
        with pytest.raises(TypeError, match="GravNet: expected graph to be a GravNetGraph or"):
            layer(x, graph=graph)


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
        for kept, full in zip(low_graph[:3], graph[:3], strict=True):
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
