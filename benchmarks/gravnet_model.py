"""The talk's GravNet model timed: inference and a training step, eager and compiled.

    python -m benchmarks.gravnet_model [--sizes 5000 10000 ...] [--devices cpu cuda] [--repeats 5]
        [--no-compile] [--output benchmarks/results/gravnet_model.json]
        [--plot docs/images/gravnet_model.png]

`hitgraph.models.GravNetModel` with its default arguments (four GravNets of 64 neighbours in 4
dimensions), float32, one event of N hits with 64 normally distributed features. "no grad" is the
forward pass in inference mode; "with grad" is forward, backward and a step of SGD. After calls that
do not count (compilation is among them, and its seconds are kept), the eager and the compiled model
take turns. What cannot run, say for want of a compiler or of memory, is skipped with the reason.
Results are written after every case; a Markdown table is printed at the end, and
`python -m benchmarks.report_gravnet_model` draws and prints from a file of results.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from hitgraph.models import GravNetModel

from . import report_gravnet_model as report
from .environment import environment
from .method.clock import seconds_of

SIZES = (5_000, 10_000, 50_000, 100_000, 200_000)
MODES = ("no grad", "with grad")
FORMS = ("eager", "compiled")
WARM_UP = 2  # calls before the first that counts
SEED = 1
Step = Callable[[], object]


class Case(NamedTuple):
    """What is timed in turns: the forms of one model on one event."""

    device: str
    n: int
    mode: str


def make_step(case: Case, form: str) -> Step:
    """A call to time, of a fresh model: the same weights and the same event in every form."""
    torch.manual_seed(SEED)
    model: nn.Module = GravNetModel()
    x = torch.randn(case.n, 64).to(case.device)
    model.to(case.device)
    run: Callable[[Tensor], Tensor] = program_of(model) if form == "compiled" else model
    return step_of(run, model, x, case.mode)


def program_of(model: nn.Module) -> Callable[[Tensor], Tensor]:
    """The model compiled when it is called first, with its sizes as constants, one program each: no
    size pays for the generality that others need. Earlier programs, of which only so many are kept,
    are forgotten.
    """
    torch.compiler.reset()
    program: Callable[[Tensor], Tensor] = torch.compile(model, fullgraph=True, dynamic=False)
    return program


def step_of(run: Callable[[Tensor], Tensor], model: nn.Module, x: Tensor, mode: str) -> Step:
    """The forward pass, or a training step.

    Args:
        run: the model, or its compiled form.
        model: whose parameters learn.
        x: the event.
        mode: of MODES.
    """
    if mode == "no grad":
        return torch.inference_mode()(lambda: run(x))

    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def train() -> None:
        optimizer.zero_grad()
        run(x).square().mean().backward()
        optimizer.step()

    return train


def measure(case: Case, forms: Iterable[str], repeats: int) -> dict[str, dict[str, Any]]:
    """Of every form the seconds of its first call and of those that count, or why there are none.

    Args:
        case: what to run.
        forms: of FORMS.
        repeats: calls that count, of each form.
    """
    results: dict[str, dict[str, Any]] = {}
    steps: dict[str, Step] = {}
    for form in forms:
        try:
            step = make_step(case, form)
            first = seconds_of(step, case.device)
            for _ in range(WARM_UP - 1):
                step()
        except Exception as error:
            results[form] = {"skipped": reason(error)}
        else:
            results[form], steps[form] = {"first_call": first, "seconds": []}, step
    # In turns, so that a slow minute of the machine hits both.
    for _, (form, step) in itertools.product(range(repeats), list(steps.items())):
        if "skipped" in results[form]:
            continue
        try:
            results[form]["seconds"].append(seconds_of(step, case.device))
        except Exception as error:
            results[form] = {"skipped": reason(error)}
    release(steps)
    return results


def reason(error: Exception) -> str:
    """One line: the class of the error and the beginning of what it says."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else ''}"[:300]


def release(steps: dict[str, Step]) -> None:
    """Gives the memory of models and results back before the next, larger ones are made."""
    steps.clear()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def with_progress(cases: list[Case]) -> Iterator[Case]:
    """The cases under a progress bar; without rich, which a machine may lack, a line for each."""
    try:
        from rich.console import Console
        from rich.progress import Progress
    except ImportError:
        for case in cases:
            print(f"{case.device}, {case.n} hits, {case.mode}", flush=True)
            yield case
        return
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=len(cases))
        for case in cases:
            progress.update(task, description=f"{case.device}, {case.n:,} hits, {case.mode}")
            yield case
            progress.advance(task)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="N", help="hits")
    available = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    parser.add_argument("--devices", nargs="+", choices=("cpu", "cuda"), default=available)
    parser.add_argument("--repeats", type=int, default=5, help="calls of each form that count")
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--output", type=Path, metavar="JSON", help="write all samples there")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw them there")
    options = parser.parse_args(arguments)
    if min(*options.sizes, options.repeats) < 1:
        parser.error("expected --sizes and --repeats to be at least 1")
    if "cuda" in options.devices and not torch.cuda.is_available():
        parser.error("expected a CUDA device for --devices cuda, got none")
    return options


def main(arguments: list[str] | None = None) -> None:
    options = parse(arguments)
    # Compile in this process: a pool of workers would still be starting while others are timed.
    os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
    for path in filter(None, (options.output, options.plot)):
        path.parent.mkdir(parents=True, exist_ok=True)
    forms = FORMS if options.compile else FORMS[:1]
    results: dict[str, Any] = {"environment": environment(), "cases": []}
    cases = [Case(*case) for case in itertools.product(options.devices, options.sizes, MODES)]
    for case in with_progress(cases):
        measured = measure(case, forms, options.repeats)
        results["cases"].append({**case._asdict(), "forms": measured})
        if options.output:
            options.output.write_text(json.dumps(results, indent=1) + "\n")
    print(report.markdown(results))
    if options.plot:
        report.draw(results, options.plot)


if __name__ == "__main__":
    main()
