"""The training examples' command line: options, a table, files with the results."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from training import Task, train
from training_plot import DrawSamples, draw

Results = dict[str, Any]


def run(
    doc: str | None,
    name: str,
    prepare: Callable[[int, bool], Task],
    draw_samples: DrawSamples,
    arguments: list[str] | None = None,
) -> int:
    """Trains the networks of an example, prints how they did, writes a picture and the numbers.

    Args:
        doc: of the example; its first line describes the command.
        name: of the example and of the files.
        prepare: makes the task from a seed; whether it is to be done quickly.
        draw_samples: draws some events of the test sample above the results.
        arguments: of the command line; those of the process if there are none.

    Returns:
        The exit status: 0, or 2 for options that cannot be used.
    """
    options = _parse(doc, name, arguments)
    try:
        if options.show:
            print(markdown(json.loads(options.show.read_text())))
            return 0
        if not options.output.is_dir():
            raise ValueError(f"the folder --output {options.output} does not exist")
    except (OSError, ValueError) as error:
        print(f"{name}.py: {error}", file=sys.stderr)
        return 2
    task = prepare(options.seed, options.quick)
    if options.epochs:
        task = task._replace(plan=task.plan._replace(epochs=options.epochs))
    device = _device(name, options.device)
    results: Results = {
        "example": name,
        "seed": options.seed,
        "quick": options.quick,
        "hardware": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "classes": task.classes,
        "train_events": len(task.train.label),
        "test_events": len(task.test.label),
        "plan": task.plan._asdict(),
        "networks": {n: vars(train(n, task, options.seed, device)) for n in task.networks},
    }
    _show(results)
    path = options.output / name
    draw(results, task.test, draw_samples, path.with_suffix(".png"))
    path.with_suffix(".json").write_text(json.dumps(results) + "\n")
    print(f"picture and numbers: {path}.png, {path}.json", file=sys.stderr)
    return 0


def _parse(doc: str | None, name: str, arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=f"{name}.py", description=doc.splitlines()[0] if doc else None
    )
    parser.add_argument("--quick", action="store_true", help="fewer and smaller events")
    parser.add_argument("--seed", type=int, default=1, help="of all that is random (1)")
    parser.add_argument("--epochs", type=int, help="instead of the example's")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument(
        "--output", type=Path, default=Path("."), metavar="FOLDER", help="for picture and numbers"
    )
    parser.add_argument("--show", type=Path, metavar="JSON", help="only print an earlier run")
    options = parser.parse_args(arguments)
    if options.seed < 0 or (options.epochs is not None and options.epochs < 1):
        parser.error("expected --seed to be at least 0 and --epochs at least 1")
    return options


def _device(name: str, asked: str) -> str:
    if asked == "cuda" and not torch.cuda.is_available():
        print(f"{name}.py: torch finds no CUDA device: training on the CPU", file=sys.stderr)
        return "cpu"
    return asked


def rows_of(results: Results) -> list[tuple[str, ...]]:
    """A row of the table for each network."""
    return [
        (
            name,
            f"{outcome['parameters'] / 1000:.0f} k",
            f"{outcome['seconds']:.0f} s",
            f"{outcome['loss'][-1]:.3f}",
            f"{outcome['train_accuracy'][-1]:.1%}",
            f"{outcome['test_accuracy'][-1]:.1%}",
        )
        for name, outcome in results["networks"].items()
    ]


COLUMNS = ("network", "parameters", "training", "last loss", "train accuracy", "test accuracy")


def title_of(results: Results) -> str:
    """What was trained on what."""
    return (
        f"{results['train_events']} events to learn, {results['test_events']} to test, "
        f"{len(results['classes'])} classes, {results['plan']['epochs']} epochs"
    )


def markdown(results: Results) -> str:
    """The table as Markdown."""
    lines = [title_of(results), "", "| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows_of(results)]
    return "\n".join(lines)


def _show(results: Results) -> None:
    table = Table(title=title_of(results))
    for number, column in enumerate(COLUMNS):
        table.add_column(column, justify="right" if number else "left")
    for row in rows_of(results):
        table.add_row(*row)
    Console().print(table)
