"""Training of classifiers: the loop, its progress bar, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from tqdm import tqdm


class Sample(NamedTuple):
    """Events to learn or to be judged by.

    Attributes:
        inputs: what a network is called with, each (n, …).
        label: (n) int64.
    """

    inputs: tuple[Tensor, ...]
    label: Tensor

    def to(self, device: str) -> Sample:
        return Sample(tuple(x.to(device) for x in self.inputs), self.label.to(device))

    def batches(self, size: int, order: Tensor | None = None) -> Iterator[Sample]:
        """The events in this order, `size` at a time; the rest makes the last batch."""
        chosen = torch.arange(len(self.label)) if order is None else order
        for rows in chosen.to(self.label.device).split(size):
            yield Sample(tuple(x[rows] for x in self.inputs), self.label[rows])


class Plan(NamedTuple):
    """How long and how a network is trained: the same for all networks of an example."""

    epochs: int
    batch: int
    rate: float  # the largest of the schedule


class Task(NamedTuple):
    """What an example trains.

    Attributes:
        classes: names of the labels.
        train, test: events of either.
        networks: makes each network, by the name that tables and pictures give it; the first is
            the one with a graph.
        plan: for all of them.
    """

    classes: tuple[str, ...]
    train: Sample
    test: Sample
    networks: dict[str, Callable[[], nn.Module]]
    plan: Plan


@dataclass
class Outcome:
    """What came of training a network; the lists have an entry an epoch.

    Attributes:
        parameters: how many the network has.
        seconds: of the training, its tests included.
        loss: mean over the epoch's batches.
        train_accuracy: over the epoch's batches, before the step that they led to.
        test_accuracy: behind the epoch.
        confusion: [true class][predicted class], test events behind the last epoch.
    """

    parameters: int
    seconds: float = 0.0
    loss: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    test_accuracy: list[float] = field(default_factory=list)
    confusion: list[list[int]] = field(default_factory=list)


def train(name: str, task: Task, seed: int, device: str) -> Outcome:
    """A network of the task, trained and tested. The same seed gives the same result on the same
    machine."""
    torch.manual_seed(seed)
    network = task.networks[name]().to(device)
    outcome = Outcome(sum(p.numel() for p in network.parameters()))
    learn, test, plan = task.train.to(device), task.test.to(device), task.plan
    steps = plan.epochs * -(-len(learn.label) // plan.batch)
    optimizer = torch.optim.AdamW(network.parameters(), plan.rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, plan.rate, total_steps=steps)
    begin = time.perf_counter()
    with tqdm(total=steps, desc=name, unit="step", dynamic_ncols=True) as bar:
        for _ in range(plan.epochs):
            _epoch(network, learn, plan.batch, optimizer, schedule, outcome, bar)
            confusion = confusion_of(network, test, plan.batch, len(task.classes))
            outcome.test_accuracy.append((confusion.trace() / confusion.sum()).item())
            outcome.confusion = confusion.tolist()
            bar.set_postfix(test=f"{outcome.test_accuracy[-1]:.1%}")
    outcome.seconds = time.perf_counter() - begin
    return outcome


def _epoch(
    network: nn.Module,
    learn: Sample,
    size: int,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    outcome: Outcome,
    bar: Any,
) -> None:
    network.train()
    measure = nn.CrossEntropyLoss(label_smoothing=0.1)
    loss_sum, right = 0.0, 0
    for inputs, label in learn.batches(size, torch.randperm(len(learn.label))):
        result = network(*inputs)
        loss = measure(result, label)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        loss_sum += loss.item() * len(label)
        right += int((result.argmax(1) == label).sum())
        bar.update()
    outcome.loss.append(loss_sum / len(learn.label))
    outcome.train_accuracy.append(right / len(learn.label))


def confusion_of(network: nn.Module, test: Sample, size: int, classes: int) -> Tensor:
    """(classes, classes) int64: how many events of each class were taken for each."""
    network.eval()
    pairs = torch.zeros(classes * classes, dtype=torch.int64)
    with torch.inference_mode():
        for inputs, label in test.batches(size):
            pair = label * classes + network(*inputs).argmax(1)
            pairs += pair.bincount(minlength=classes * classes).cpu()
    return pairs.view(classes, classes)
