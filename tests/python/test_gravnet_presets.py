"""Every preset of GravNet against the system it is named after, and the arguments they need."""

from __future__ import annotations

import pytest
import torch
from gravnet_formula import SPLITS, make
from gravnet_systems import SYSTEMS, by_system
from torch import nn

from hitgraph.nn import PRESETS, GravNet

# k, columns of S, columns of H, as the sources have them
SIZES = {
    "paper": (40, 4, 22),
    "talk": (64, 4, 32),
    "pyg": (40, 4, 22),
    "fastgraphcompute": (64, 4, 32),
    "hgcalml": (64, 6, 64),
    "cmspepr": (40, 4, 22),
}


def layer_and_points(name: str, **changes: object) -> tuple[GravNet, torch.Tensor]:
    """A float64 layer, and points so close that their weights and gradients matter."""
    torch.manual_seed(4)
    layer = GravNet.preset(name, 5, 7, dtype=torch.float64, **changes)
    with torch.no_grad():  # all features of some points negative, of others positive
        layer.propagate.weight.copy_(layer.propagate.weight[:1] + 0.1 * layer.propagate.weight)
    return layer, 0.4 * torch.randn(40, 5, dtype=torch.float64)


class TestPresets:
    def test_are_all_compared(self) -> None:
        assert set(PRESETS) == set(SYSTEMS) == set(SIZES)

    @pytest.mark.parametrize("k", [4, 12, None])
    @pytest.mark.parametrize("name", list(SYSTEMS))
    def test_system(self, name: str, k: int | None) -> None:
        # Events of 0, 1, 3, 17 and 19 points: k = 4 and 12 are missing in some, the source's own in
        # all of them.
        layer, x = layer_and_points(name, **({} if k is None else {"k": k}))
        weights = layer.state_dict()
        mine, theirs = (x.clone().requires_grad_() for _ in range(2))
        y = layer(mine, SPLITS)
        expected = by_system(name, theirs, weights, k or SIZES[name][0], SPLITS.tolist())
        torch.testing.assert_close(y, expected, rtol=1e-9, atol=1e-12)

        direction = torch.randn(y.shape, dtype=torch.float64)
        (y * direction).sum().backward()
        (expected * direction).sum().backward()
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-9, atol=1e-12)
        assert (mine.grad != 0).any()

    @pytest.mark.parametrize("name", list(SYSTEMS))
    def test_full_rows(self, name: str) -> None:
        layer, x = layer_and_points(name)
        many = torch.cat([x, x + 0.05, x - 0.02])
        expected = by_system(name, many, layer.state_dict(), SIZES[name][0], [0, 120])
        torch.testing.assert_close(layer(many), expected, rtol=1e-9, atol=1e-12)

    @pytest.mark.parametrize("name", list(SYSTEMS))
    def test_sizes(self, name: str) -> None:
        layer = GravNet.preset(name, 5, 7)
        sizes = (layer.k, layer.space.out_features, layer.propagate.out_features)
        assert sizes == SIZES[name]
        assert (layer.space.bias is None) == (name == "hgcalml")

    def test_unknown(self) -> None:
        sentence = "expected the preset to be one of 'paper', 'talk', 'pyg', .*, got 'nosuch'"
        with pytest.raises(ValueError, match="hitgraph.nn.GravNet: " + sentence):
            GravNet.preset("nosuch", 4, 3)


class TestSpaceInit:
    @pytest.mark.parametrize(("in_features", "dimensions"), [(9, 4), (3, 6)])
    def test_identity(self, in_features: int, dimensions: int) -> None:
        torch.manual_seed(0)
        options = {"space_dimensions": dimensions, "space_init": "identity"}
        layers = [GravNet(in_features, 8, **options) for _ in range(200)]
        noise = torch.stack([layer.space.weight for layer in layers]).detach()
        noise -= torch.eye(dimensions, in_features)
        assert abs(noise.mean().item()) < 5e-4 and abs(noise.std().item() - 0.01) < 5e-4
        assert all((layer.space.bias == 0).all() for layer in layers)

    def test_preset_begins_in_the_first_columns(self) -> None:
        layer = GravNet.preset("hgcalml", 9, 8, space_dimensions=3)
        x = torch.randn(50, 9)
        _, graph = layer(x, return_graph=True)
        torch.testing.assert_close(graph.coordinates, x[:, :3], atol=0.3, rtol=0.0)
        assert not torch.equal(graph.coordinates, x[:, :3])

    def test_without_storage(self) -> None:
        layer = GravNet.preset("hgcalml", 9, 8, device="meta")
        assert layer.space.weight.is_meta and layer.space.weight.shape == (6, 9)


class TestArguments:
    def test_int32_index(self) -> None:
        layer, x = make(index_dtype=torch.int32)
        y, graph = layer(x, SPLITS, return_graph=True)
        expected, wide = make()[0](x, SPLITS, return_graph=True)
        assert graph.index.dtype == torch.int32 and wide.index.dtype == torch.int64
        assert torch.equal(graph.index, wide.index.int()) and torch.equal(y, expected)
        assert "index_dtype=torch.int32" in repr(layer)

    def test_space_bias_changes_no_result(self) -> None:
        layer, x = make()
        without, _ = make(space_bias=False)
        without.load_state_dict({k: v for k, v in layer.state_dict().items() if k != "space.bias"})
        torch.testing.assert_close(without(x, SPLITS), layer(x, SPLITS))

    def test_concatenation_moves_columns(self) -> None:
        layer, x = make()
        other, _ = make(concatenation="aggregates_first")
        moved = layer.state_dict()
        moved["output.weight"] = moved["output.weight"].roll(-4, dims=1)
        other.load_state_dict(moved)
        torch.testing.assert_close(other(x, SPLITS), layer(x, SPLITS))

    def test_module_as_propagate_activation(self) -> None:
        torch.manual_seed(0)
        module, _ = make(propagate_activation=nn.Softplus())
        function, x = make(propagate_activation=nn.functional.softplus)
        assert torch.equal(module(x, SPLITS), function(x, SPLITS))
        assert "(propagate_activation): Softplus" in repr(module)
        assert "propagate_activation=softplus" in repr(function)

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            ({"concatenation": "sum"}, "concatenation to be one of 'input_first', .*got 'sum'"),
            ({"space_init": "eye"}, "space_init to be one of 'default', 'identity', got 'eye'"),
            (
                {"index_dtype": torch.int16},
                "index_dtype to be one of torch.int64, torch.int32, got",
            ),
        ],
    )
    def test_errors(self, options: dict[str, object], sentence: str) -> None:
        with pytest.raises(ValueError, match="hitgraph.nn.GravNet: expected " + sentence):
            GravNet(4, 3, **options)
