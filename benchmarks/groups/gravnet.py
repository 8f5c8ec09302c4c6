"""GravNet: a layer with its search, and the talk's model, inference and training."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from hitgraph.models import GravNetModel
from hitgraph.nn import GravNet

from .. import gravnet_model
from ..aggregate import layers_of, steps_of_layers
from ..cells import Cell, Contender, Contenders, Prepared, Profile
from ..method.oracle import Verdict, check_tensors
from ..peers.layers import LAYERS, TensorOperations, gravnet_of, with_layers

MODES = {"model, inference": "no grad", "model, training step": "with grad"}
LAYER = "layer, forward and backward"
SMALL = 1_500
"""Points of the event on which models and layers are compared with float64."""
BOUND = 1e-3


def cells(profile: Profile, device: str) -> list[Cell]:
    def model(mode: str, n: int, *extras: str) -> Cell:
        return Cell("gravnet", device, mode, n, {"k": 64}, frozenset(extras), n / 4_000)

    inference, training = MODES
    layer = Cell("gravnet", device, LAYER, 20_000, {"k": 40}, seconds=8)
    if profile.name == "smoke":
        small = Cell("gravnet", device, LAYER, 300, {"k": 40})
        return [small, model(inference, 300), model(training, 300)]
    sizes: tuple[int, ...] = (5_000, 10_000, 20_000)
    trained: tuple[int, ...] = (5_000,)
    if profile.name != "quick":
        layer = Cell("gravnet", device, LAYER, 50_000, {"k": 40}, seconds=20)
        sizes = trained = (5_000, 10_000, 50_000, 100_000, 200_000)
    found = [layer, *(model(inference, n) for n in sizes)]
    return [*found, *(model(training, n) for n in trained)]


def prepare(cell: Cell, profile: Profile) -> Prepared:
    found = layers(cell) if cell.case == LAYER else models(cell, profile)
    if "torch_geometric" not in found and LAYERS[0].version() is not None:
        found["torch_geometric"] = "its search is not installed"
    return Prepared(found)


def layers(cell: Cell) -> Contenders:
    with torch.device(cell.device):
        layers, small = layers_of(cell.n), layers_of(SMALL)
        exact = nn.ModuleDict({"exact": TensorOperations(double(small.layers["hitgraph"]))})
        x, grad = small.x.detach().double().requires_grad_(), small.grad.double()
        truth = steps_of_layers(small._replace(layers=dict(exact), x=x, grad=grad))["exact"]()
    checks = steps_of_layers(small)

    def verdict(name: str) -> Callable[[Any], Verdict]:
        return lambda _: check_tensors(checks[name](), truth, BOUND)

    return {name: Contender(step, verdict(name)) for name, step in steps_of_layers(layers).items()}


def models(cell: Cell, profile: Profile) -> Contenders:
    """hitgraph's model, and the same with other layers. Every one has its own weights."""
    torch.manual_seed(gravnet_model.SEED)
    x = torch.randn(cell.n, 64).to(cell.device)
    mode = MODES[cell.case]
    own = GravNetModel().to(cell.device)
    found: Contenders = {"hitgraph": contender(own, own, x, mode)}
    if profile.name in ("full", "gpu"):
        found["hitgraph, compiled"] = compiled(copy.deepcopy(own), x, mode)
    for peer in LAYERS:
        if peer.version() is not None and cell.device in peer.devices:
            twin = GravNetModel(preset=peer.preset)
            places = iter([peer.gravnet(gravnet_of(block)) for block in twin.blocks])
            other = with_layers(copy.deepcopy(twin), partial(taken, places))
            found[peer.name] = contender(other.to(cell.device), twin.to(cell.device), x, mode)
    pairs = profile.pairs[cell.device]
    if 4 * cell.n**2 > pairs:  # one search a block
        found["tensor operations"] = f"more than {pairs:.0e} pairs"
    else:
        dense = with_layers(copy.deepcopy(own), TensorOperations)
        found["tensor operations"] = contender(dense, own, x, mode)
    return found


def taken(places: Iterator[nn.Module], _: GravNet) -> nn.Module:
    return next(places)


def contender(model: nn.Module, own: GravNetModel, x: Tensor, mode: str) -> Contender:
    return Contender(gravnet_model.step_of(model, model, x, mode), agrees(model, own))


def compiled(model: GravNetModel, x: Tensor, mode: str) -> Contender:
    """Compared with the model itself: a program for the small event would have to be compiled."""
    program = gravnet_model.program_of(model)
    step = gravnet_model.step_of(program, model, x, mode)
    found: list[Verdict] = []

    def once() -> None:
        with torch.inference_mode(mode == "no grad"):
            results, truth = program(x).detach(), model(x).detach()
        found.append(check_tensors([results], [truth], BOUND))
        step()

    return Contender(step, lambda _: found[0], once=once)


def agrees(model: nn.Module, own: GravNetModel) -> Callable[[Any], Verdict]:
    """Compares results for a small event with the model of `own`'s weights in float64. Before the
    first training step, since weights change.
    """
    x = torch.randn(SMALL, 64, device=next(own.parameters()).device)
    with torch.no_grad():
        truth = with_layers(double(own), TensorOperations)(x.double())
        verdict = check_tensors([model(x)], [truth], BOUND)
    return lambda _: verdict


def double(module: Any) -> Any:
    return copy.deepcopy(module).double()
