"""Object condensation's loss and clustering beside plain tensor operations.

    python -m benchmarks.condensation --output benchmarks/results/condensation.json

The loss forward and backward beside hits x objects matrices; condensate beside the loop of its
definition; a training step of examples/reconstruct.py beside the same network unfused, and beside
what all of them share: the network without its graphs; an epoch of its training.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import torch
from torch import Tensor

import hitgraph
from benchmarks.command import command
from benchmarks.environment import ROOT, environment
from hitgraph.datasets import learned_space
from hitgraph.nn import CONDENSATION_PRESETS, GravNet, ObjectCondensationLoss

sys.path.insert(0, str(ROOT / "examples"))
import reconstruct as example
from reconstruct_events import generate
from reconstruct_model import plain_loss

BETA_THRESHOLD, DISTANCE_THRESHOLD = 0.1, 0.8
STEPS = 4


def run(hits: int, objects: int, rounds: int) -> dict[str, Any]:
    """Medians of rounds in which everybody takes turns."""
    torch.manual_seed(1)
    space = learned_space(hits, 3, rng=1, n_objects=objects)
    x, labels = torch.from_numpy(space.points), torch.from_numpy(space.truth)
    beta = torch.rand(hits) * 0.98 + 0.01
    results = {"loss": losses(x, labels, beta, rounds), "condensate": clusters(x, labels, rounds)}
    results["training step"] = steps(rounds)
    results["epoch, its evaluation included"] = epochs(rounds)
    return {"environment": environment(), "hits": hits, "objects": objects, "seconds": results}


def turns(rivals: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each, after a call that does not count."""
    samples: dict[str, list[float]] = {name: [] for name in rivals}
    for _ in range(rounds + 1):
        for name, call in rivals.items():
            start = time.perf_counter()
            call()
            samples[name].append(time.perf_counter() - start)
    return {name: statistics.median(found[1:]) for name, found in samples.items()}


def losses(x: Tensor, labels: Tensor, beta: Tensor, rounds: int) -> dict[str, float]:
    """Forward and backward."""
    x, beta = x.clone().requires_grad_(), beta.clone().requires_grad_()
    splits, scale = torch.tensor([0, len(x)]), torch.full((len(x),), 0.5)
    rivals: dict[str, Callable[[], object]] = {}

    def fused(loss: ObjectCondensationLoss) -> Callable[[], object]:
        given = scale if loss.scale else None
        return lambda: loss(beta, x, labels, splits, scale=given).total.backward()

    for name in CONDENSATION_PRESETS:
        rivals[f"hitgraph, {name}"] = fused(ObjectCondensationLoss.preset(name))
    paper = ObjectCondensationLoss()
    rivals["matrices, paper"] = lambda: plain_loss(paper, beta, x, labels, splits).backward()
    a, b = paper(beta, x, labels).total, plain_loss(paper, beta, x, labels, splits)
    assert torch.allclose(a, b, rtol=1e-4), (a, b)
    return turns(rivals, rounds)


def clusters(x: Tensor, labels: Tensor, rounds: int) -> dict[str, float]:
    """β is large near the middle of an object, as a network that has learned makes it."""
    middle = torch.zeros(int(labels.max()) + 1, x.shape[1])
    own = labels >= 0
    middle.index_add_(0, labels[own], x[own])
    middle /= labels[own].bincount(minlength=len(middle)).clamp(min=1)[:, None]
    distance = (x - middle[labels.clamp(min=0)]).norm(dim=1)
    beta = torch.where(own, torch.exp(-4 * distance), 0.01 * torch.rand(len(x)))

    def found(assignment: str) -> Tensor:
        return hitgraph.condensate(
            beta,
            x,
            beta_threshold=BETA_THRESHOLD,
            distance_threshold=DISTANCE_THRESHOLD,
            assignment=assignment,
        ).label

    assert torch.equal(found("first"), loop(beta, x))
    return turns(
        {
            "hitgraph, first": lambda: found("first"),
            "hitgraph, nearest": lambda: found("nearest"),
            "loop, first": lambda: loop(beta, x),
        },
        rounds,
    )


def loop(beta: Tensor, x: Tensor) -> Tensor:
    """The definition, a tensor operation a line."""
    label = torch.full((len(x),), -1)
    free = torch.where(beta > BETA_THRESHOLD, beta, -1.0)
    number = 0
    while True:
        best, point = free.max(0)
        if best < 0:
            return label
        within = (x - x[point]).square().sum(1) <= DISTANCE_THRESHOLD**2
        label[within & (label < 0)] = number
        free[within] = -1
        number += 1


def steps(rounds: int) -> dict[str, float]:
    """A batch of eight events forward, backward and the optimizer's step."""
    events = generate(STEPS * example.BATCH, 1)
    loss = ObjectCondensationLoss(charge_minimum=0.5, beta_guard=1.01)
    size = example.BATCH
    batches = [events.take(list(range(size * i, size * i + size))) for i in range(STEPS)]

    def train(fused: bool, graphs: bool = True) -> Callable[[], object]:
        training = example.Training.new(example.Settings(fused=fused), "cpu")
        if not graphs:
            for block in training.model.blocks:
                assert isinstance(block.gravnet, GravNet)
                block.gravnet = WithoutGraph(block.gravnet)
        return lambda: [example.step(training, loss, batch) for batch in batches]

    rivals = {**with_and_without(train), "without graphs": train(True, graphs=False)}
    return {name: seconds / STEPS for name, seconds in turns(rivals, rounds).items()}


def epochs(rounds: int) -> dict[str, float]:
    """As examples/reconstruct.py times its training: all batches, and the test events once."""
    training_events, test_events = example.events_of(0)

    def train(fused: bool) -> Callable[[], object]:
        settings = example.Settings(epochs=1, fused=fused)

        def epoch() -> None:
            training = example.Training.new(settings, "cpu")
            example.train(training, training_events, test_events, "cpu", None, quiet=True)

        return epoch

    return turns(with_and_without(train), rounds)


def with_and_without(
    train: Callable[[bool], Callable[[], object]],
) -> dict[str, Callable[[], object]]:
    """What `train` makes of the network fused, and unfused with either way to gather."""
    by_index = mock.patch.object(torch.nn.functional, "embedding", lambda index, x: x[index])
    return {
        "hitgraph": train(True),
        "unfused, embedding": train(False),
        "unfused, indexing": by_index(train(False)),
    }


class WithoutGraph(torch.nn.Module):
    """The dense layers of a GravNet: every hit aggregates itself alone."""

    def __init__(self, layer: GravNet) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor, row_splits: Tensor) -> Tensor:
        own = self.layer.propagate(x) * self.layer.space(x)[:, :1]  # for a gradient of both
        return torch.relu(self.layer.output(torch.cat([x, own, own], dim=1)))


def markdown(results: dict[str, Any]) -> str:
    """A row for each contender; how many times as long as hitgraph's first."""
    lines = []
    for part, seconds in results["seconds"].items():
        lines += [f"| {part} | ms | × hitgraph |", "|---|---|---|"]
        best = next(iter(seconds.values()))
        for name, value in seconds.items():
            lines.append(f"| {name} | {value * 1e3:.1f} | {value / best:.1f} |")
        lines.append("")
    return "\n".join(lines).rstrip()


SIZES = {
    "hits": (50_000, "hits of the event"),
    "objects": (200, "objects in it"),
    "rounds": (5, "rounds that count"),
}

if __name__ == "__main__":
    command(__doc__, run, markdown, SIZES)
