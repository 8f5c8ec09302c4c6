"""The search on the CPU beside its peers: the same points, the same run, correctness first.

    python benchmarks/knn_cpu.py [--quick] [--output benchmarks/results/knn_cpu.json]

Every peer builds its index and searches the k nearest neighbours of all points (k + 1 where it
counts the point itself); both are timed together, medians of several rounds in which the libraries
take turns. Before that, distances on a sample of rows are compared with float64 brute force: a
peer that is wrong is reported as wrong and not timed. A peer that is not installed is reported as
absent.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

import hitgraph

EVENTS = Path(os.environ.get("HITGRAPH_EVENTS", Path(__file__).parents[1] / "../shared/data/hgcal"))
Points = NDArray[np.float32]
Search = Callable[[Points, int], NDArray[Any]]  # distances, self left out or first


def search_hitgraph(points: Points, k: int) -> NDArray[Any]:
    return hitgraph.knn(torch.from_numpy(points), k).distance2.numpy()


def search_pykdtree(points: Points, k: int) -> NDArray[Any]:
    from pykdtree.kdtree import KDTree

    distance2: NDArray[Any] = KDTree(points).query(points, k=k + 1, sqr_dists=True)[0]
    return distance2[:, 1:]


def search_scipy(points: Points, k: int) -> NDArray[Any]:
    from scipy.spatial import cKDTree

    distance: NDArray[Any] = cKDTree(points).query(points, k=k + 1, workers=-1)[0]
    return distance[:, 1:] ** 2


def search_torch_cluster(points: Points, k: int) -> NDArray[Any]:
    import torch_cluster

    x = torch.from_numpy(points)
    row, column = torch_cluster.knn(x, x, k + 1)
    distance2 = (x[row] - x[column]).square().sum(1).view(-1, k + 1)
    return distance2[:, 1:].numpy()


def time_torch_cluster(points: Points, k: int) -> object:
    import torch_cluster

    x = torch.from_numpy(points)
    return torch_cluster.knn(x, x, k + 1)


# What is timed, and what gives distances to check where that is more than the call.
PEERS: dict[str, tuple[Callable[[Points, int], object], Search]] = {
    "hitgraph": (search_hitgraph, search_hitgraph),
    "pykdtree": (search_pykdtree, search_pykdtree),
    "scipy": (search_scipy, search_scipy),
    "torch-cluster": (time_torch_cluster, search_torch_cluster),
}


def real_event(_n: int, _d: int) -> Points:
    return hitgraph.datasets.read_event(EVENTS / "event_0.npy").position


def from_registry(name: str) -> Callable[[int, int], Points]:
    return lambda n, d: hitgraph.datasets.points(name, n, d, 1)


# (row of the table, maker, n, d)
CASES: list[tuple[str, Callable[[int, int], Points], int, int]] = [
    ("uniform", from_registry("uniform"), 200_000, 3),
    ("uniform", from_registry("uniform"), 200_000, 4),
    ("uniform", from_registry("uniform"), 200_000, 8),
    ("clustered", from_registry("clustered"), 200_000, 4),
    ("clustered", from_registry("clustered"), 200_000, 8),
    ("normal", from_registry("gauss"), 200_000, 4),
    ("energy, eta, 0", from_registry("energy_eta"), 200_000, 3),
    ("detector lattice", from_registry("detector_lattice"), 200_000, 3),
    ("line, one far outlier", from_registry("line_with_outlier"), 200_000, 3),
    ("recorded event", real_event, 0, 3),
    ("uniform", from_registry("uniform"), 1_000, 3),
    ("uniform", from_registry("uniform"), 10_000, 3),
    ("clustered", from_registry("clustered"), 1_000, 4),
    ("clustered", from_registry("clustered"), 10_000, 4),
]


def is_right(search: Search, points: Points, k: int, rows: int = 100) -> bool:
    """Compares the distances of a sample of rows with float64 brute force."""
    found = np.asarray(search(points, k), np.float64)
    sample = np.random.default_rng(0).choice(len(points), min(rows, len(points)), replace=False)
    exact = points.astype(np.float64)
    for row in sample:
        distance2 = np.square(exact - exact[row]).sum(1)
        distance2[row] = np.inf  # self
        truth = np.sort(np.partition(distance2, k - 1)[:k])
        if not np.allclose(np.sort(found[row]), truth, rtol=1e-4, atol=1e-6 * truth[-1]):
            return False
    return True


def seconds_of(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def burst(call: Callable[[], object], calls: int = 5) -> list[float]:
    """Seconds of several calls after one that does not count: memory fresh from the system and
    threads that sleep would be most of a short call, here as in no training loop. A call of seconds
    is made once.
    """
    first = seconds_of(call)
    return [first] if first > 2 else [seconds_of(call) for _ in range(calls)]


def run_case(
    maker: Callable[[int, int], Points], n: int, d: int, k: int, rounds: int
) -> dict[str, Any]:
    points = np.ascontiguousarray(maker(n, d))
    state: dict[str, Any] = {}
    for name, (_, checked) in PEERS.items():
        try:
            state[name] = [] if is_right(checked, points, k) else "wrong"
        except ImportError:
            state[name] = "absent"
    # In turns, so that a slow minute of the machine hits everybody.
    for _ in range(rounds):
        for name, (timed, _) in PEERS.items():
            if isinstance(state[name], list):
                state[name] += burst(partial(timed, points, k))
    one_thread = seconds_on_one_thread(points, k, rounds)
    return {
        "n": len(points),
        "d": points.shape[1],
        "k": k,
        "peers": state,
        "one_thread": one_thread,
    }


def seconds_on_one_thread(points: Points, k: int, rounds: int) -> list[float]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    samples = [s for _ in range(rounds) for s in burst(partial(search_hitgraph, points, k))]
    torch.set_num_threads(threads)
    return samples


def row_of(label: str, result: dict[str, Any]) -> list[str]:
    peers = result["peers"]
    own = statistics.median(peers["hitgraph"])
    cells = [label, f"{result['n']:,}", str(result["d"]), f"{own:.4f}"]
    for name in list(PEERS)[1:]:
        samples = peers[name]
        if isinstance(samples, str):
            cells.append(samples)
        else:
            median = statistics.median(samples)
            cells.append(f"{median:.4f} ({median / own:.1f}×)")
    cells.append(f"{statistics.median(result['one_thread']) / own:.2f}×")
    return cells


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("-k", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3, help="timed rounds of every case")
    parser.add_argument(
        "--quick", action="store_true", help="leave out the cases of minutes, d = 8"
    )
    parser.add_argument("--output", type=Path, help="write all samples as JSON")
    options = parser.parse_args()

    console = Console(width=140)
    table = Table(title=f"k = {options.k}, {torch.get_num_threads()} threads, seconds (× hitgraph)")
    for column in ("points", "n", "d", *PEERS, "1 thread / all"):
        table.add_column(column, justify="left" if column == "points" else "right")
    results = []
    for label, maker, n, d in CASES:
        if maker is real_event and not EVENTS.is_dir():
            console.print(f"no recorded events at {EVENTS}: left out")
            continue
        if options.quick and d == 8:
            continue
        with console.status(f"{label}, n = {n}, d = {d}"):
            result = run_case(maker, n, d, options.k, options.rounds)
        results.append({"points": label, **result})
        table.add_row(*row_of(label, result))
    console.print(table)
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        machine = {"machine": platform.machine(), "simd": hitgraph._C.build_info()["simd"]}
        machine |= {"torch": torch.__version__, "threads": str(torch.get_num_threads())}
        text = json.dumps({"environment": machine, "cases": results}, indent=1)
        options.output.write_text(text + "\n")


if __name__ == "__main__":
    main()
