"""What the benchmarks' command lines have in common: sizes, an output file, an earlier run."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def command(
    doc: str | None,
    run: Callable[..., dict[str, Any]],
    markdown: Callable[[dict[str, Any]], str],
    sizes: Mapping[str, tuple[int, str]],
    arguments: list[str] | None = None,
) -> None:
    """Measures and prints tables, or prints those of an earlier run.

    Args:
        doc: of the module; its first line describes the command.
        run: measures; takes the sizes by name.
        markdown: draws tables of what it returns.
        sizes: the options that are numbers from 1: default and meaning.
        arguments: of the command line; those of the process if there are none.
    """
    parser = argparse.ArgumentParser(description=doc.splitlines()[0] if doc else None)
    for name, (default, meaning) in sizes.items():
        parser.add_argument(f"--{name}", type=int, default=default, help=f"{meaning} ({default})")
    parser.add_argument("--output", type=Path, metavar="JSON", help="write all samples there")
    parser.add_argument("--show", type=Path, metavar="JSON", help="only print an earlier run")
    options = parser.parse_args(arguments)
    if options.show:
        print(markdown(json.loads(options.show.read_text())))
        return
    given = {name: getattr(options, name) for name in sizes}
    for name, value in given.items():
        if value < 1:
            parser.error(f"expected --{name} to be at least 1, got {value}")
    results = run(**given)
    print(markdown(results))
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(results, indent=1) + "\n")
