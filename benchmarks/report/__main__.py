"""Tables and figures of runs of `python -m benchmarks`.

    python -m benchmarks.report [JSON ...] [--output docs/benchmarks]

Without files: every one of benchmarks/results that is such a run. Writes README.md, a page of
tables for each run, and figures, light and dark.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .. import session
from . import pages

ROOT = Path(__file__).resolve().parents[2]


def found() -> list[Path]:
    """The committed runs."""
    files = []
    for file in sorted((ROOT / "benchmarks" / "results").glob("*.json")):
        try:
            session.read(file)
        except ValueError:  # another script's
            continue
        files.append(file)
    return files


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.report", description=__doc__.splitlines()[0] if __doc__ else None
    )
    parser.add_argument("results", type=Path, nargs="*", metavar="JSON")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks")
    options = parser.parse_args(arguments)
    try:
        runs = {file.stem: session.read(file) for file in options.results or found()}
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    if not runs:
        print("benchmarks.report: expected a run of python -m benchmarks, found none")
        return 2
    pages.write(runs, options.output)
    print(f"{options.output / 'README.md'}: {len(runs)} runs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
