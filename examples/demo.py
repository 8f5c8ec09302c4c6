"""Build the exact neighbour graph of a calorimeter event, run a GravNet layer on it, check, draw.

    python examples/demo.py                      a generated event of about 55 000 hits
    python examples/demo.py --event event.npy    a recorded one (N, 9), see
                                                 hitgraph.datasets.read_event

Exit status: 0 if every checked row agrees with brute force, 1 if one does not, 2 for input that
cannot be used.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from demo_plot import draw
from rich.console import Console
from rich.table import Table

import hitgraph
from hitgraph.datasets import CaloEvent, calo_event, read_event
from hitgraph.debug import knn_brute_force, knn_stats
from hitgraph.nn import GravNet
from hitgraph.nn.functional import gravnet_aggregate

ROWS_TO_CHECK = 1000
F = 32  # features along the edges
N_FEATURES = 9
Result = TypeVar("Result")


@dataclass
class Measurements:
    """What the table shows: times in seconds, counts of rows."""

    hits: int
    k: int
    search: float
    forward: float
    backward: float
    fused: float
    unfused: float
    candidates_per_query: float
    rows_checked: int
    rows_wrong: int


def main(arguments: list[str] | None = None) -> int:
    """Run the demo; returns the exit status."""
    options = parse(arguments)
    progress = Console(stderr=True)
    try:
        event = load(options)
        if not options.output.absolute().parent.is_dir():
            raise ValueError(f"the folder of --output {options.output} does not exist")
    except (OSError, ValueError) as error:
        print(f"demo.py: {error}", file=sys.stderr)
        return 2

    points = torch.from_numpy(event.position)
    progress.print(f"building the {options.k}-nearest-neighbour graph of {len(points)} hits")
    neighbours, search = timed(lambda: hitgraph.knn(points, options.k))
    progress.print("running a GravNet layer forward and backward")
    forward, backward = run_gravnet(event, options.k, options.seed)
    fused, unfused = compare_aggregations(neighbours, options.seed)
    progress.print("comparing with brute force")
    checked, wrong = compare_with_brute_force(points, neighbours, options.k, options.seed)
    counters = knn_stats(points, options.k).counters
    show(
        Measurements(
            hits=len(points),
            k=options.k,
            search=search,
            forward=forward,
            backward=backward,
            fused=fused,
            unfused=unfused,
            candidates_per_query=counters.candidates / max(counters.queries, 1),
            rows_checked=checked,
            rows_wrong=wrong,
        )
    )

    # One neighbour more than k tells whether the k-th is tied with the next.
    draw(event, hitgraph.knn(points, options.k + 1), options.k, options.output)
    progress.print(f"picture: {options.output}")
    return 1 if wrong else 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="demo.py", description="The exact neighbour graph of a calorimeter event, drawn."
    )
    parser.add_argument("--event", type=Path, metavar="FILE", help="a recorded event (.npy)")
    parser.add_argument("--output", type=Path, default=Path("demo.png"), metavar="PNG")
    parser.add_argument("--k", type=at_least_one, default=40, help="neighbours of a hit (40)")
    parser.add_argument("--seed", type=int, default=1, help="of all that is random (1)")
    parser.add_argument(
        "--showers",
        type=at_least_one,
        default=110,
        help="showers of the generated event, about 500 hits each (110)",
    )
    return parser.parse_args(arguments)


def at_least_one(text: str) -> int:
    """An integer from 1."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected an integer of at least 1, got {text}")
    return value


def load(options: argparse.Namespace) -> CaloEvent:
    """The event of the command line, without hits that have no finite position and energy."""
    if options.event is None:
        return calo_event(options.showers, rng=options.seed, hits_per_gev=40.0)
    event = read_event(options.event)
    usable = np.isfinite(event.position).all(axis=1) & np.isfinite(event.energy)
    if not usable.any():
        raise ValueError(
            f"{options.event}: expected at least one hit with finite numbers, got none"
        )
    if not usable.all():
        print(f"demo.py: {(~usable).sum()} hits with NaN or inf left out", file=sys.stderr)
    return CaloEvent(event.position[usable], event.energy[usable], None)


def timed(action: Callable[[], Result]) -> tuple[Result, float]:
    """The action's result and how many seconds it took."""
    start = time.perf_counter()
    result = action()
    return result, time.perf_counter() - start


def input_features(event: CaloEvent) -> torch.Tensor:
    """(N, 9) features of the hits, each with mean 0 and standard deviation 1."""
    x, y, z = event.position.T.astype(np.float64)
    radius = np.hypot(x, y)
    distance = np.hypot(radius, z)
    features = np.stack(
        [
            np.log(np.maximum(event.energy, 1e-6)),
            x,
            y,
            z,
            radius,
            distance,
            np.arctan2(radius, z),  # theta
            x / np.maximum(radius, 1e-6),  # cos phi
            y / np.maximum(radius, 1e-6),  # sin phi
        ],
        axis=1,
    )
    features -= features.mean(axis=0)
    features /= np.maximum(features.std(axis=0), 1e-6)
    return torch.from_numpy(features.astype(np.float32))


def run_gravnet(event: CaloEvent, k: int, seed: int) -> tuple[float, float]:
    """Seconds that one GravNet layer (its own graph included) takes forward and backward."""
    torch.manual_seed(seed)
    layer = GravNet.preset("paper", N_FEATURES, 48, space_dimensions=4, propagate_features=F, k=k)
    x = input_features(event).requires_grad_()
    y, forward = timed(lambda: layer(x))
    _, backward = timed(lambda: y.square().mean().backward())
    return forward, backward


def compare_aggregations(neighbours: hitgraph.Neighbors, seed: int) -> tuple[float, float]:
    """Seconds of GravNet's mean and maximum forward and backward, fused and with a tensor of every
    edge's features.
    """
    index, distance2 = neighbours
    distance2 = torch.where(index < 0, torch.inf, distance2 / distance2[:, -1:].clamp(min=1e-6))
    features = torch.randn(len(index), F, generator=torch.Generator().manual_seed(seed))

    def fused(h: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return gravnet_aggregate(h, index, distance2, 1.0)

    def with_tensors(h: torch.Tensor) -> tuple[torch.Tensor, ...]:
        weighted = torch.exp(-distance2).unsqueeze(-1) * h[index.clamp(min=0)]
        return weighted.mean(dim=1), weighted.max(dim=1).values

    def both_ways(aggregate: Callable[[torch.Tensor], tuple[torch.Tensor, ...]]) -> None:
        outputs = aggregate(features.clone().requires_grad_())
        torch.autograd.backward(outputs, [torch.ones_like(out) for out in outputs])

    seconds = []
    for aggregate in (fused, with_tensors):
        both_ways(aggregate)  # a first call pays for memory fresh from the system
        seconds.append(timed(partial(both_ways, aggregate))[1])
    return seconds[0], seconds[1]


def compare_with_brute_force(
    points: torch.Tensor, neighbours: hitgraph.Neighbors, k: int, seed: int
) -> tuple[int, int]:
    """How many random rows were compared with the oracle, and how many differ in any bit."""
    random = torch.Generator().manual_seed(seed)
    rows = torch.randperm(len(points), generator=random)[:ROWS_TO_CHECK]
    asked = torch.zeros(len(points), dtype=torch.bool)
    asked[rows] = True
    expected = knn_brute_force(points, k, query_mask=asked)
    same = (neighbours.index[rows] == expected.index[rows]) & (
        neighbours.distance2[rows] == expected.distance2[rows]
    )
    return len(rows), int((~same.all(dim=1)).sum())


def show(measured: Measurements) -> None:
    """Print the table."""
    table = Table(title="exact neighbour graph", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    # ru_maxrss is in kilobytes on Linux and in bytes on macOS.
    unit = 2**20 if sys.platform == "darwin" else 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    for name, value in (
        ("hits", f"{measured.hits}"),
        ("k", f"{measured.k}"),
        ("graph, build and search", f"{measured.search:.3f} s"),
        ("GravNet layer forward, its graph included", f"{measured.forward:.3f} s"),
        ("GravNet layer backward", f"{measured.backward:.3f} s"),
        (f"its aggregation alone, {F} features, both ways", f"{measured.fused:.3f} s"),
        ("the same with tensor operations", f"{measured.unfused:.3f} s"),
        ("candidates per query", f"{measured.candidates_per_query:.0f}"),
        ("rows compared with brute force", f"{measured.rows_checked}"),
        ("rows wrong", f"{measured.rows_wrong}"),
        ("peak memory of the process", f"{peak:.0f} MB"),
    ):
        table.add_row(name, value)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
