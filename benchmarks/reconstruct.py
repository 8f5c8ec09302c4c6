"""The physics of examples/reconstruct.py: 12 epochs, several seeds, beside the best DBSCAN.

python -m benchmarks.reconstruct --output benchmarks/results/reconstruct.json
"""

from __future__ import annotations

import sys
import time
from typing import Any

import torch

from benchmarks.command import command
from benchmarks.environment import ROOT, environment

sys.path.insert(0, str(ROOT / "examples"))
import reconstruct as example

SCORES = ("efficiency", "fake_rate", "purity", "containment", "resolution", "v_measure")


def run(seeds: int, epochs: int) -> dict[str, Any]:
    """All seeds, one after another."""
    rows = []
    for seed in range(seeds):
        training = example.Training.new(example.Settings(epochs, seed), "cpu")
        events, test_events = example.events_of(seed)
        start = time.perf_counter()
        example.train(training, events, test_events, "cpu", None, quiet=True)
        seconds = time.perf_counter() - start
        beta, space = example.predict(training.model, test_events, "cpu")
        found = example.evaluate(example.cluster(beta, space, test_events), test_events)
        dbscan = example.best_dbscan(test_events)[1]
        rows.append({"seed": seed, "seconds": seconds, "hitgraph": found, "dbscan": dbscan})
        print(f"seed {seed}: V {found['v_measure']:.3f} in {seconds:.0f} s", file=sys.stderr)
    thresholds = {
        "beta": example.BETA_THRESHOLD,
        "distance": example.DISTANCE_THRESHOLD,
        "overlap": example.OVERLAP,
        "fewest_hits": example.FEWEST_HITS,
    }
    return {
        "environment": environment(),
        "epochs": epochs,
        "thresholds": thresholds,
        "seeds": rows,
        "threads": torch.get_num_threads(),
    }


def markdown(results: dict[str, Any]) -> str:
    """A row for every seed and system."""
    head = "| seed | system | " + " | ".join(name.replace("_", " ") for name in SCORES) + " |"
    lines = [head, "|---" * (2 + len(SCORES)) + "|"]
    for row in results["seeds"]:
        for system, scores in (("hitgraph", row["hitgraph"]), ("DBSCAN", row["dbscan"])):
            cells = " | ".join(f"{scores[name]:.3f}" for name in SCORES)
            lines.append(f"| {row['seed']} | {system} | {cells} |")
    return "\n".join(lines)


if __name__ == "__main__":
    command(__doc__, run, markdown, {"seeds": (3, "trainings"), "epochs": (12, "of each training")})
