"""hitgraph.compat.fastgraphcompute gives FastGraphCompute's columns, sorted."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from gravnet_systems import by_system
from torch import Tensor

from hitgraph.compat.fastgraphcompute import GravNetOp, binned_select_knn
from hitgraph.nn import GravNet

SPLITS = torch.tensor([0, 3, 3, 20, 60])


def plain(k: int, x: Tensor, splits: list[int], direction: Tensor | None, fill_own: bool):
    """The contract, point by point."""
    exact = x.double().numpy()
    index = np.full((len(x), k), -1)
    distance2 = np.zeros((len(x), k))
    kind = [3] * len(x) if direction is None else direction.tolist()
    for start, stop in itertools.pairwise(splits):
        for i in range(start, stop):
            others = [j for j in range(start, stop) if j != i and kind[j] not in (1, 2)]
            if kind[i] in (0, 2):
                others = []
            ranked = sorted((float(np.square(exact[i] - exact[j]).sum()), j) for j in others)
            row = [(0.0, i), *ranked][:k]
            index[i, : len(row)] = [j for _, j in row]
            distance2[i, : len(row)] = [d2 for d2, _ in row]
            if fill_own:
                index[i, len(row) :] = i
    return torch.from_numpy(index), torch.from_numpy(distance2)


@pytest.mark.parametrize("k", [1, 2, 6, 70])
@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("fill_own", [False, True])
@pytest.mark.parametrize("d", [1, 2, 5])
def test_the_columns(k, directed, fill_own, d):
    x = torch.randint(0, 8, (60, d), generator=torch.Generator().manual_seed(d)).float()
    direction = torch.arange(60) % 5 if directed else None
    found = binned_select_knn(k, x, SPLITS, direction, None, 3, fill_own)
    index, distance2 = plain(k, x, SPLITS.tolist(), direction, fill_own)
    assert found[0].dtype == torch.int64 and found[1].dtype == torch.float32
    assert torch.equal(found[0], index) and torch.equal(found[1].double(), distance2)


def test_arguments_by_name_and_what_is_ignored():
    x = torch.rand(60, 3)
    expected = binned_select_knn(5, x, SPLITS)
    got = binned_select_knn(
        K=5,
        coords=x,
        row_splits=SPLITS.int(),
        direction=None,
        n_bins=torch.tensor(7),
        max_bin_dims=2,
        torch_compatible_indices=False,
    )
    assert all(map(torch.equal, got, expected))
    assert all(result.is_contiguous() for result in got)


def test_nothing():
    x = torch.rand(60, 3)
    assert binned_select_knn(0, x, SPLITS)[0].shape == (60, 0)
    assert binned_select_knn(4, x[:0], torch.tensor([0, 0]))[1].shape == (0, 4)
    with pytest.raises(ValueError, match="K to be at least 0, got -1"):
        binned_select_knn(-1, x, SPLITS)
    for k in (0, 1, 3):
        with pytest.raises(ValueError, match="row_splits to end at 60"):
            binned_select_knn(k, x, SPLITS[:-1])


def test_the_gradient_of_the_distances():
    x = torch.rand(60, 3, dtype=torch.float64, requires_grad=True)
    index, distance2 = binned_select_knn(7, x, SPLITS)
    direction = torch.randn(60, 7, dtype=torch.float64)
    (got,) = torch.autograd.grad((distance2 * direction).sum(), x)
    explicit = (x[:, None] - x[index.clamp(min=0)]).square().sum(2).where(index >= 0, 0.0)
    (expected,) = torch.autograd.grad((explicit * direction).sum(), x)
    torch.testing.assert_close(got, expected)


def layer() -> GravNetOp:
    torch.manual_seed(3)
    return GravNetOp(5, 4, 3, 6, 8)


def test_the_layer_computes_what_the_original_computes():
    x = torch.randn(60, 5, dtype=torch.float64, requires_grad=True)
    own = layer().double()
    y, index, distance2, space = own(x, SPLITS)
    assert y.shape == (60, 4) and index.shape == distance2.shape == (60, 8)
    assert torch.equal(space, own.space_transformations(x))
    assert torch.equal(index, binned_select_knn(8, space, SPLITS)[0])
    names = {
        "space": "space_transformations",
        "propagate": "propagate_transformations",
        "output": "output_transformations.0",
    }
    state = dict(own.named_parameters())
    weights = {
        f"{name}.{kind}": state[f"{theirs}.{kind}"]
        for name, theirs in names.items()
        for kind in ("weight", "bias")
    }
    expected = by_system("fastgraphcompute", x, weights, 8, SPLITS.tolist())
    torch.testing.assert_close(y, expected)
    inputs = [x, *own.parameters()]
    got, plain = (torch.autograd.grad(r.square().sum(), inputs) for r in (y, expected))
    for mine, theirs in zip(got, plain, strict=True):
        torch.testing.assert_close(mine, theirs)


def test_the_layer_is_the_preset():
    x = torch.randn(60, 5)
    own = layer()
    preset = GravNet.preset("fastgraphcompute", 5, 4, space_dimensions=3, propagate_features=6, k=8)
    preset.load_state_dict(own.state_dict())
    torch.testing.assert_close(preset(x, SPLITS), own(x, SPLITS)[0])


def test_torchscript(tmp_path: Path):
    x = torch.randn(60, 5)
    scripted = torch.jit.script(binned_select_knn)
    assert all(map(torch.equal, scripted(5, x, SPLITS), binned_select_knn(5, x, SPLITS)))
    own = layer()
    torch.jit.script(own).save(str(tmp_path / "layer.pt"))
    loaded = torch.jit.load(str(tmp_path / "layer.pt"))
    assert all(map(torch.equal, loaded(x, SPLITS), own(x, SPLITS)))
