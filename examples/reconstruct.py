"""Reconstruct showers: train a GravNet network by object condensation, cluster, compare, draw.

    python examples/reconstruct.py                 12 epochs, about a minute on two cores
    python examples/reconstruct.py --quick         3 epochs
    python examples/reconstruct.py --resume        goes on after Ctrl-C
    python examples/reconstruct.py --reference     the same on plain tensor operations, slower

Writes reconstruction/: checkpoint.pt, metrics.json, learning_curve.png, efficiency.png and
event_*.png, truth beside prediction. Exit status: 0; 2 for a command line that cannot be used; 130
if interrupted.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from reconstruct_events import Events, generate
from reconstruct_model import Reconstruction, plain_loss
from rich.console import Console
from rich.table import Table
from torch import Tensor
from tqdm import tqdm

import hitgraph
from hitgraph import metrics
from hitgraph.nn import ObjectCondensationLoss

TRAINING_EVENTS, TEST_EVENTS, BATCH = 400, 60, 8
PEAK_LEARNING_RATE, LARGEST_GRADIENT = 6e-3, 1.0
# Chosen on training events: a smaller distance splits showers, a larger one merges them.
BETA_THRESHOLD, DISTANCE_THRESHOLD = 0.1, 0.6
OVERLAP = 0.5  # intersection / union of energies of a shower that counts as found
FEWEST_HITS = 3  # of a cluster
# DBSCAN in x, y and z / 6, which makes layers about as far apart as cells.
DBSCAN_EPS, DBSCAN_MIN_SAMPLES, DBSCAN_Z = (2.0, 3.0, 3.5, 4.0, 5.0), (1, 2, 4), 6.0


@dataclass
class Settings:
    """What a training is made of; kept in its checkpoint."""

    epochs: int = 12
    seed: int = 0
    fused: bool = True


@dataclass
class Training:
    """A network on its way, and how it went: one entry an epoch."""

    settings: Settings
    model: Reconstruction
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    history: list[dict[str, float]] = field(default_factory=list)

    @staticmethod
    def new(settings: Settings, device: str) -> Training:
        torch.manual_seed(settings.seed)
        model = Reconstruction(settings.fused).to(device)
        optimizer = torch.optim.Adam(model.parameters(), lr=PEAK_LEARNING_RATE, fused=True)
        steps = settings.epochs * (TRAINING_EVENTS // BATCH)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_LEARNING_RATE, steps)
        return Training(settings, model, optimizer, schedule)

    def save(self, path: Path) -> None:
        state = {
            "settings": asdict(self.settings),
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "history": self.history,
        }
        # Written beside and moved: an interruption leaves the last one whole.
        torch.save(state, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)

    @staticmethod
    def load(path: Path, device: str) -> Training:
        state = torch.load(path, map_location=device, weights_only=True)
        training = Training.new(Settings(**state["settings"]), device)
        training.model.load_state_dict(state["model"])
        training.optimizer.load_state_dict(state["optimizer"])
        training.schedule.load_state_dict(state["schedule"])
        training.history = state["history"]
        return training


def main(arguments: list[str] | None = None) -> int:
    """Run the example; returns the exit status."""
    options = parse(arguments)
    checkpoint = options.output / "checkpoint.pt"
    if options.resume and not checkpoint.is_file():
        print(f"reconstruct.py: --resume, but there is no {checkpoint}", file=sys.stderr)
        return 2
    if options.device.startswith("cuda") and not torch.cuda.is_available():
        print(f"reconstruct.py: --device {options.device}, but there is none", file=sys.stderr)
        return 2
    options.output.mkdir(parents=True, exist_ok=True)
    if options.resume:
        training = Training.load(checkpoint, options.device)
    else:
        settings = Settings(options.epochs, options.seed, not options.reference)
        training = Training.new(settings, options.device)
    training_events, test_events = events_of(training.settings.seed)
    start = time.perf_counter()
    try:
        train(training, training_events, test_events, options.device, checkpoint)
    except KeyboardInterrupt:
        done = len(training.history)
        print(f"\ninterrupted; {done} epochs are in {checkpoint}: go on with --resume")
        return 130
    seconds = time.perf_counter() - start

    model = Training.load(checkpoint, options.device).model  # what was saved is what is tested
    beta, space = predict(model, test_events, options.device)
    labels = cluster(beta, space, test_events)
    scores = evaluate(labels, test_events)
    dbscan_labels, dbscan = best_dbscan(test_events)
    show(scores, dbscan, seconds)
    report = {"settings": asdict(training.settings), "training_seconds": seconds}
    report |= {"hitgraph": scores, "dbscan": dbscan, "history": training.history}
    (options.output / "metrics.json").write_text(json.dumps(report, indent=1) + "\n")
    space, beta = space.cpu(), beta.cpu()
    draw(options.output, training, test_events, space, beta, labels, dbscan_labels, dbscan)
    print(f"pictures, metrics.json and checkpoint.pt: {options.output}/")
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="reconstruct.py", description="Reconstruct showers.")
    parser.add_argument("--quick", action="store_true", help="3 epochs")
    parser.add_argument("--epochs", type=int, help="passes over the training events (12)")
    parser.add_argument("--seed", type=int, default=0, help="of events and weights (0)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (cpu)")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    parser.add_argument("--reference", action="store_true", help="plain tensor operations")
    parser.add_argument("--output", type=Path, default=Path("reconstruction"), metavar="FOLDER")
    options = parser.parse_args(arguments)
    if options.epochs is None:
        options.epochs = 3 if options.quick else 12
    if options.epochs < 1:
        parser.error(f"expected --epochs to be at least 1, got {options.epochs}")
    return options


def events_of(seed: int) -> tuple[Events, Events]:
    """Training and test events."""
    return generate(TRAINING_EVENTS, 2 * seed), generate(TEST_EVENTS, 2 * seed + 1)


def train(
    training: Training,
    events: Events,
    test_events: Events,
    device: str,
    checkpoint: Path | None,
    quiet: bool = False,
) -> None:
    """The epochs that are left, with a bar; the checkpoint is written after each."""
    loss = ObjectCondensationLoss(charge_minimum=0.5, beta_guard=1.01)
    steps = TRAINING_EVENTS // BATCH
    first = len(training.history)
    epochs = training.settings.epochs
    with tqdm(total=steps * epochs, initial=steps * first, unit="batch", disable=quiet) as bar:
        for epoch in range(first, epochs):
            # An order of its own for every epoch: to resume is to go on as if nothing had been.
            order = np.random.default_rng([training.settings.seed, epoch]).permutation(len(events))
            training.model.train()
            total = 0.0
            for numbers in order[: steps * BATCH].reshape(steps, BATCH):
                total += step(training, loss, events.take(numbers.tolist(), device))
                bar.update()
            beta, space = predict(training.model, test_events, device)
            scores = evaluate(cluster(beta, space, test_events), test_events)
            training.history.append({"loss": total / steps, **scores})
            bar.set_postfix(loss=f"{total / steps:.3f}", V=f"{scores['v_measure']:.2f}")
            if checkpoint is not None:
                training.save(checkpoint)


def step(training: Training, loss: ObjectCondensationLoss, batch: Events) -> float:
    """One batch forward, backward, and the optimizer's step; returns the loss."""
    beta, space = training.model(batch.features, batch.row_splits)
    if training.settings.fused:
        value = loss(beta, space, batch.truth, batch.row_splits).total
    else:
        value = plain_loss(loss, beta, space, batch.truth, batch.row_splits)
    training.optimizer.zero_grad()
    value.backward()
    torch.nn.utils.clip_grad_norm_(training.model.parameters(), LARGEST_GRADIENT)
    training.optimizer.step()
    training.schedule.step()
    return float(value.detach())


@torch.no_grad()
def predict(model: Reconstruction, events: Events, device: str) -> tuple[Tensor, Tensor]:
    """β and coordinates of all hits, on the device."""
    model.eval()
    beta, space = model(events.features.to(device), events.row_splits.to(device))
    return beta, space


def cluster(beta: Tensor, space: Tensor, events: Events) -> Tensor:
    """The cluster of every hit."""
    found = hitgraph.condensate(
        beta,
        space,
        events.row_splits.to(space.device),
        beta_threshold=BETA_THRESHOLD,
        distance_threshold=DISTANCE_THRESHOLD,
    )
    return found.label.cpu()


def matched(labels: Tensor, events: Events) -> metrics.Matching:
    """True showers and the clusters that they are found as, by energy."""
    return metrics.match(
        events.truth,
        labels,
        events.energy,
        events.row_splits,
        overlap=OVERLAP,
        fewest_hits=FEWEST_HITS,
    )


def evaluate(labels: Tensor, events: Events) -> dict[str, float]:
    """All scores."""
    clustering = metrics.clustering_scores(events.truth, labels, events.row_splits)
    return {**metrics.object_scores(matched(labels, events))._asdict(), **clustering._asdict()}


def best_dbscan(events: Events) -> tuple[Tensor, dict[str, float]]:
    """DBSCAN on the positions, with the settings that serve it best on these very events."""
    from sklearn.cluster import DBSCAN

    points = events.position.numpy() * np.array([1, 1, 1 / DBSCAN_Z])
    best: tuple[float, Tensor, dict[str, float]] | None = None
    for eps, least in itertools.product(DBSCAN_EPS, DBSCAN_MIN_SAMPLES):
        dbscan = DBSCAN(eps=eps, min_samples=least)
        parts = [
            dbscan.fit_predict(points[begin:end])
            for begin, end in itertools.pairwise(events.row_splits.tolist())
        ]
        labels = torch.from_numpy(np.concatenate(parts))
        score = metrics.clustering_scores(events.truth, labels, events.row_splits).v_measure
        if best is None or score > best[0]:
            best = score, labels, {"eps": eps, "min_samples": least}
    assert best is not None
    return best[1], {**evaluate(best[1], events), **best[2]}


def show(scores: dict[str, float], dbscan: dict[str, float], seconds: float) -> None:
    """The table."""
    table = Table(title=f"{TEST_EVENTS} test events, training {seconds:.0f} s")
    for column in ("", "object condensation", f"DBSCAN, eps {dbscan['eps']:g}"):
        table.add_column(column, justify="right" if column else "left")
    for name, value in scores.items():
        table.add_row(name.replace("_", " "), f"{value:.3f}", f"{dbscan[name]:.3f}")
    Console().print(table)


def draw(
    folder: Path,
    training: Training,
    events: Events,
    space: Tensor,
    beta: Tensor,
    labels: Tensor,
    dbscan_labels: Tensor,
    dbscan: dict[str, float],
) -> None:
    """All pictures."""
    import reconstruct_plot as plot

    plot.learning_curve(training.history, dbscan, folder / "learning_curve.png")
    matchings = {
        name: matched(found, events)
        for name, found in (("object condensation", labels), ("DBSCAN", dbscan_labels))
    }
    plot.efficiency(matchings, folder / "efficiency.png")
    for number in range(3):
        event = slice(int(events.row_splits[number]), int(events.row_splits[number + 1]))
        plot.event_display(
            plot.Display(
                position=events.position[event].numpy(),
                energy=events.energy[event].numpy(),
                truth=events.truth[event].numpy(),
                found=labels[event].numpy(),
                space=space[event].numpy(),
                beta=beta[event].numpy(),
            ),
            folder / f"event_{number}.png",
        )


if __name__ == "__main__":
    sys.exit(main())
