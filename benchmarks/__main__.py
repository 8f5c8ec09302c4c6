"""hitgraph beside its peers, on this machine: correctness first, then time.

    python -m benchmarks [--quick | --full | --gpu] [--groups knn radius ...] [--devices cpu cuda]
        [--data DIR] [--output JSON] [--resume] [--compare OLD.json] [--show JSON] [--list]

Groups: knn, radius, aggregate, gravnet, dgcnn, build, drop_in. --quick takes at most five minutes
on two idle cores, --gpu eight minutes on a GPU; without either it is --gpu where there is one.
Results are written after every cell: Ctrl-C keeps them, and --resume goes on.
`python -m benchmarks.report` makes tables and figures of all. See docs/benchmarks/method.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import torch

from . import compare, inputs, session
from .cells import Cell
from .groups import GROUPS
from .method import memory
from .profiles import PROFILES
from .report import tables

ROOT = Path(__file__).resolve().parents[1]


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__.splitlines()[0] if __doc__ else None
    )
    gpu = torch.cuda.is_available()
    kinds = parser.add_mutually_exclusive_group()
    for name, meaning in {
        "quick": "five minutes on two cores",
        "full": "all sizes, an hour or two",
        "gpu": "eight minutes on a GPU",
        "smoke": "everything once, as small as it gets: for tests",
    }.items():
        kinds.add_argument(
            f"--{name}", dest="profile", action="store_const", const=name, help=meaning
        )
    parser.set_defaults(profile="gpu" if gpu else "quick")
    parser.add_argument("--groups", nargs="+", choices=list(GROUPS), default=list(GROUPS))
    parser.add_argument("--devices", nargs="+", choices=["cpu", "cuda"], help="instead of found")
    parser.add_argument("--data", type=Path, help="folder of recorded events")
    parser.add_argument("--output", type=Path, metavar="JSON", help="build/benchmarks/PROFILE.json")
    parser.add_argument("--resume", action="store_true", help="go on where the output ends")
    parser.add_argument("--compare", type=Path, metavar="OLD", help="exit with 1 if slower than it")
    parser.add_argument("--show", type=Path, metavar="JSON", help="an earlier run instead of one")
    parser.add_argument("--list", action="store_true", help="only print what would be measured")
    options = parser.parse_args(arguments)
    if options.devices is None:
        found = ["cpu", "cuda"] if gpu else ["cpu"]
        options.devices = {"gpu": ["cuda"], "full": found}.get(options.profile, ["cpu"])
    if "cuda" in options.devices and not gpu:
        parser.error("expected a CUDA device that torch can use, found none")
    if options.data is not None and not options.data.is_dir():
        parser.error(f"expected --data to be a folder, got {options.data}")
    if options.output is None:
        options.output = ROOT / "build" / "benchmarks" / f"{options.profile}.json"
    return options


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    try:
        if options.show is None:
            if options.data is not None:
                os.environ["HITGRAPH_EVENTS"] = str(options.data.resolve())
            results, whole = measured(options)
        else:
            results, whole = session.read(options.show), True
        if results is None:
            return 0
        old = session.read(options.compare) if options.compare else None
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(tables.terminal(results))
    if not whole:
        left = len(results["left"])
        print(f"\n{left} cells are left: --{options.profile} --output {options.output} --resume")
    if old is None:
        return 0 if whole else 130
    text, good = compare.text(old, results)
    print(f"\n{text}")
    return 0 if good else 1


def measured(options: argparse.Namespace) -> tuple[session.Results | None, bool]:
    """The results of a run, and whether it is whole; None where it was only to be listed."""
    profile = PROFILES[options.profile]
    cells: list[Cell] = [
        cell
        for device in options.devices
        for name in options.groups
        for cell in GROUPS[name].cells(profile, device)
    ]
    if options.list:
        print("\n".join(cell.key for cell in cells))
        return None, True
    if options.resume:
        results = session.resumed(options.output, profile)
        wanted = {*results["left"], *(cell["key"] for cell in results["cells"])}
        cells = [cell for cell in cells if cell.key in wanted]  # of the groups it was begun with
    else:
        results = session.fresh(profile, options.devices, cells)
    if not inputs.events().is_dir():
        print(f"No recorded events in {inputs.events()}: left out.", file=sys.stderr)
    from tqdm import tqdm

    done = {cell["key"] for cell in results["cells"]}
    shape = "{desc:42.42} {percentage:3.0f}% |{bar}| {elapsed}, {remaining} left"
    with tqdm(total=sum(cell.seconds for cell in cells), bar_format=shape) as bar:

        def advance(cell: Cell) -> None:
            bar.set_description(cell.key, refresh=False)
            bar.update(cell.seconds)

        for cell in cells:
            if cell.key in done:
                advance(cell)
        # A GPU's driver counts memory of its own.
        bound = memory.available() if options.devices == ["cpu"] else None
        with memory.at_most(bound):
            whole = session.run(results, cells, GROUPS, profile, options.output, advance)
    return results, whole


if __name__ == "__main__":
    sys.exit(main())
