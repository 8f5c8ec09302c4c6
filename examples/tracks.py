"""Build the graph of a tracker event in a learned space, and compare it with the detector's own.

    python examples/tracks.py             about a minute on two cores
    python examples/tracks.py --quick     a fifth of it

The first stage of a graph-based track finder (Exa.TrkX, arXiv:2103.06995): a network embeds hits in
eight dimensions so that neighbouring hits of one particle come close and others stay away; all
pairs within a radius become edges. Wanted are the pairs that follow one another along a particle's
way; without training one would join nearest neighbours in the detector. Writes tracks.png.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from tqdm import tqdm

import hitgraph
from hitgraph.datasets import tracker_event
from hitgraph.metrics import EdgeScores, edge_scores

PARTICLES, TRAINING_EVENTS = 500, 12
DIMENSIONS, MARGIN = 8, 1.0
NEGATIVES = 32  # the nearest hits within the margin are what is pushed away
RADII = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0, 1.2, 1.4)
NEIGHBOURS = (2, 4, 8, 16, 32, 64, 128, 256)
WANTED = 0.9  # edge efficiency at which graphs are compared


@dataclass
class Event:
    """N hits: position (N, 3) [mm], features (N, 5), truth (N); pairs (2, T) to be joined."""

    position: Tensor
    features: Tensor
    truth: Tensor
    pairs: Tensor


def main(arguments: list[str] | None = None) -> int:
    """Run the example; returns the exit status."""
    parser = argparse.ArgumentParser(prog="tracks.py", description="A tracker event's graph.")
    parser.add_argument("--quick", action="store_true", help="a fifth of the training")
    parser.add_argument("--seed", type=int, default=1, help="of events and weights (1)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (cpu)")
    parser.add_argument("--output", type=Path, default=Path("tracks.png"), metavar="PNG")
    options = parser.parse_args(arguments)
    if not options.output.absolute().parent.is_dir():
        parser.error(f"the folder of --output {options.output} does not exist")

    events = [generate(100 * options.seed + i) for i in range(TRAINING_EVENTS + 1)]
    model = train(events[1:], 5 if options.quick else 25, options.seed, options.device)
    test = events[0]
    with torch.no_grad():
        space = model(test.features.to(options.device)).cpu()
    learned = {r: radius_graph(space, r) for r in RADII}
    nearest = {k: nearest_graph(test.position, k) for k in NEIGHBOURS}
    scores: dict[str, dict[float, EdgeScores]] = {
        "radius in the learned space": {r: score(learned[r], test) for r in RADII},
        "k nearest in the detector": {k: score(nearest[k], test) for k in NEIGHBOURS},
    }
    chosen = {name: choose(found) for name, found in scores.items()}
    show(scores, chosen)
    import tracks_plot as plot

    plot.draw(
        test.position.numpy(),
        test.truth.numpy(),
        scores,
        chosen,
        {
            "radius in the learned space": learned[chosen["radius in the learned space"]].numpy(),
            "k nearest in the detector": nearest[int(chosen["k nearest in the detector"])].numpy(),
        },
        options.output,
    )
    print(f"picture: {options.output}")
    return 0


def generate(seed: int) -> Event:
    """One event, with the pairs of hits that follow one another along a particle's way."""
    event = tracker_event(PARTICLES, rng=seed)
    order = np.lexsort((event.layer, event.truth))
    same = (event.truth[order[1:]] == event.truth[order[:-1]]) & (event.truth[order[1:]] >= 0)
    pairs = np.stack([order[:-1][same], order[1:][same]])
    position = torch.from_numpy(event.position)
    x, y, z = position.unbind(1)
    r = torch.hypot(x, y)
    features = torch.stack([r / 500, x / r, y / r, z / 500, torch.asinh(z / r)], dim=1)
    return Event(position, features, torch.from_numpy(event.truth), torch.from_numpy(pairs))


def train(events: list[Event], epochs: int, seed: int, device: str) -> nn.Module:
    """The embedding: true pairs come together, the nearest of other hits leave the margin."""
    torch.manual_seed(seed)
    widths = (5, 192, 192, 192)
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Linear(widths[-1], DIMENSIONS)).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, epochs * len(events))
    with tqdm(total=epochs * len(events), unit="event") as bar:
        for _ in range(epochs):
            for event in events:
                value = hinge(model(event.features.to(device)), event)
                optimizer.zero_grad()
                value.backward()
                optimizer.step()
                schedule.step()
                bar.set_postfix(loss=f"{float(value.detach()):.3f}")
                bar.update()
    return model


def hinge(space: Tensor, event: Event) -> Tensor:
    """Σ |x_i − x_j|² over true pairs + Σ max(0, margin² − |x_i − x_j|²) over edges between hits of
    different particles, per hit.
    """
    first, second = event.pairs.to(space.device)
    attraction = (space[first] - space[second]).square().sum()
    graph = hitgraph.radius(space, MARGIN, max_neighbors=NEGATIVES)
    truth = event.truth.to(space.device)
    row = torch.repeat_interleave(torch.arange(len(space)), graph.row_splits.cpu().diff())
    row = row.to(space.device)
    other = (truth[row] != truth[graph.index]) | (truth[row] < 0)
    repulsion = (MARGIN**2 - graph.distance2[other]).clamp(min=0).sum()
    return (10 * attraction + repulsion) / len(space)


def radius_graph(points: Tensor, r: float) -> Tensor:
    """(2, E): all pairs within r."""
    graph = hitgraph.radius(points, r)
    row = torch.repeat_interleave(torch.arange(len(points)), graph.row_splits.diff())
    return torch.stack([row, graph.index])


def nearest_graph(points: Tensor, k: int) -> Tensor:
    """(2, E): every point and its k nearest."""
    index = hitgraph.knn(points, k).index
    return torch.stack([torch.arange(len(points)).repeat_interleave(k), index.flatten()])


def score(edges: Tensor, event: Event) -> EdgeScores:
    """Efficiency and purity of a graph."""
    return edge_scores(edges, event.truth, event.pairs)


def choose(scores: dict[float, EdgeScores]) -> float:
    """The smallest setting that is efficient enough, or the most efficient one."""
    enough = [setting for setting, found in scores.items() if found.efficiency >= WANTED]
    return min(enough) if enough else max(scores)


def show(scores: dict[str, dict[float, EdgeScores]], chosen: dict[str, float]) -> None:
    """The table: each graph at the wanted efficiency."""
    table = Table(title=f"The smallest graphs with an edge efficiency of {WANTED:.0%} or more")
    for column in ("graph", "setting", "edge efficiency", "purity", "edges a hit"):
        table.add_column(column, justify="left" if column == "graph" else "right")
    for name, found in scores.items():
        best = found[chosen[name]]
        cells = (f"{best.efficiency:.3f}", f"{best.purity:.3f}", f"{best.mean_degree:.1f}")
        table.add_row(name, f"{chosen[name]:g}", *cells)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
