"""Object condensation on CUDA tensors: the CPU's objects and clusters, gradients, memory."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from benchmarks.gpu_check import condensation as check
from benchmarks.gpu_check.timing import captured, peak_bytes
from torch import Tensor

import hitgraph
from hitgraph.nn import CONDENSATION_PRESETS, ObjectCondensationLoss

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available() or not hitgraph._C.build_info()["cuda"],
    reason="needs a GPU and a build with CUDA kernels",
)

CUDA = "cuda"
OPS = torch.ops.hitgraph
PRESETS = tuple(CONDENSATION_PRESETS)


def losses(preset: str, event: check.Event, device: str) -> list[Tensor]:
    """All that the loss returns, and its gradients."""
    return [a.cpu() for a in check.loss_and_gradients(preset, event.to(device))]


@pytest.mark.parametrize("space", check.SPACES)
@pytest.mark.parametrize("preset", PRESETS)
def test_near_the_cpu(preset: str, space: str) -> None:
    event = check.event(space, [700, 0, 1, 2000, 3], 20, torch.float64)
    for a, b in zip(losses(preset, event, "cpu"), losses(preset, event, CUDA), strict=True):
        assert torch.allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("preset", PRESETS)
def test_gradcheck(preset: str) -> None:
    event = check.event("spread", [14, 0, 9], 4, torch.float64).to(CUDA)
    loss = ObjectCondensationLoss.preset(preset)

    def total(beta: Tensor, x: Tensor) -> Tensor:
        scale = event.scale if loss.scale else None
        result: Tensor = loss(beta, x, event.labels, event.splits, scale=scale).total
        return result

    assert torch.autograd.gradcheck(total, (event.beta, event.x))


@pytest.mark.parametrize("dim", [1, 3, 4, 7, 12])
@pytest.mark.parametrize("repulsion", ["hinge", "exponential"])
def test_sums_are_those_of_float64(repulsion: str, dim: int) -> None:
    event = check.event("collapsed", [3000, 40, 500], 200, torch.float32, dim)
    assert check.sum_error(event.to(CUDA), repulsion) <= 1e-6


def test_every_run_gives_the_same_bits() -> None:
    event = check.event("collapsed", [30_000, 40], 300, torch.float32)
    for preset in PRESETS:
        first, second = (losses(preset, event, CUDA) for _ in range(2))
        assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("noise_label", [-1, 0, 3])
@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
def test_the_objects_of_the_cpu(dtype: torch.dtype, noise_label: int) -> None:
    for event in (check.event("spread", [3000, 0, 1, 5000], 40, torch.float32), check.nothing()):
        beta = (event.beta.detach() * 20).round() / 20  # most are there more than once
        given = (beta, event.labels.to(dtype), event.splits)
        expected = OPS.condensation_objects(*given, noise_label)
        got = OPS.condensation_objects(*(a.to(CUDA) for a in given), noise_label)
        assert all(torch.equal(a, b.cpu()) for a, b in zip(expected, got, strict=True))


@pytest.mark.parametrize("assignment", ["first", "nearest"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("space", [*check.SPACES, "lattice"])
def test_the_clusters_of_the_cpu(space: str, dtype: torch.dtype, assignment: str) -> None:
    for sizes in ([9000], [700, 0, 1, 2000, 3], [2] * 500, [0], []):
        event = check.event(space, sizes, 40, dtype)
        for radius in (None, (event.scale * 4).round() / 4):
            for distance in (0.0, 0.05, 1.0):
                options = {"distance_threshold": distance, "assignment": assignment}
                assert check.same_clusters(event, CUDA, radius, options)


def test_a_hit_that_is_nowhere_has_no_label() -> None:
    event = check.event("spread", [900], 4, torch.float32)
    x = event.x.detach().clone()
    x[::7, 1] = torch.nan
    found = hitgraph.condensate(event.beta.detach().to(CUDA), x.to(CUDA))
    assert bool((found.label[::7] == -1).all()) and bool((found.label[1::7] >= 0).any())


def test_debug_mode_checks_values() -> None:
    event = check.event("spread", [50], 4, torch.float32).to(CUDA)
    with hitgraph.debug.checks(True):
        with pytest.raises(ValueError, match="expected beta between 0 and 1"):
            hitgraph.condensate(event.beta + 1, event.x)
        with pytest.raises(ValueError, match="expected coordinates to be finite"):
            ObjectCondensationLoss()(event.beta, event.x * torch.inf, event.labels, event.splits)


def test_malformed_splits_stay_within_memory() -> None:
    event = check.event("spread", [300], 6, torch.float32).to(CUDA)
    for splits in ([0, 200, 100, 300], [-5, 300], [0, 301], [0, 2**40, 300]):
        bad = torch.tensor(splits, device=CUDA)
        assert bool((hitgraph.condensate(event.beta, event.x, bad).label == -1).all())
        OPS.condensation_objects(event.beta.detach(), event.labels, bad)
    torch.cuda.synchronize()


def test_only_the_objects_wait() -> None:
    event = check.event("spread", [3000, 100], 40, torch.float32).to(CUDA)
    arguments = check.potential_arguments(event)
    expected = OPS.condensation_potential(*arguments)
    torch.cuda.set_sync_debug_mode("error")
    try:
        attraction, repulsion = OPS.condensation_potential(*arguments)
        (attraction.sum() + repulsion.sum()).backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    results: list[Any] = []
    captured(lambda: results.append(OPS.condensation_potential(*arguments))).replay()
    assert all(torch.equal(a, b) for a, b in zip(expected, results[0], strict=True))


def test_memory_is_that_of_hits_and_objects() -> None:
    event = check.event("collapsed", [200_000], 1000, torch.float32).to(CUDA)
    loss = ObjectCondensationLoss()

    def step() -> None:
        total = loss(event.beta, event.x, event.labels, event.splits).total
        torch.autograd.grad(total, (event.beta, event.x))

    step()
    assert peak_bytes(step) <= 200e6  # hits times objects are 800 MB in float32
