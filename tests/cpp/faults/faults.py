#!/usr/bin/env python3
"""Puts one fault at a time into a copy of the kernels; the host's execution must catch it.

faults.py NAME --compiler c++ --libraries ...   compiles a probe with the fault and runs it
faults.py --list                                the names

The faults, and what one is: catalogue/.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from catalogue import FAULTS
from catalogue.fault import Fault

ROOT = Path(__file__).resolve().parents[3]


def with_fault(fault: Fault, folder: Path) -> None:
    shutil.copytree(ROOT / "csrc", folder / "csrc")
    path = folder / "csrc" / "core" / "cuda" / fault.file
    text = path.read_text()
    if text.count(fault.there) < 1:
        sys.exit(f"faults.py: {fault.file} no longer has: {fault.there}")
    path.write_text(text.replace(fault.there, fault.instead))


def run(name: str, fault: Fault, compiler: str, libraries: list[str]) -> int:
    with tempfile.TemporaryDirectory() as name_of_folder:
        folder = Path(name_of_folder)
        with_fault(fault, folder)
        probe = folder / "probe"
        command = [compiler, "-std=c++17", "-O1", "-DHITGRAPH_HOST_CUDA"]
        command += [f"-I{folder / 'csrc'}", f"-I{ROOT / 'tests' / 'cpp'}"]
        command += [str(Path(__file__).parent / fault.probe), *libraries, "-lpthread"]
        subprocess.run([*command, "-o", str(probe)], check=True)
        ran = subprocess.run([str(probe)], capture_output=True, text=True, timeout=300)
    said = ran.stdout.strip()
    print(f"{name}: {said or 'nothing was found'}")
    if not fault.said:
        return ran.returncode
    return 0 if ran.returncode == 1 and said.startswith(fault.said) else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="?", choices=FAULTS)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--compiler", default="c++")
    parser.add_argument("--libraries", nargs="*", default=[])
    arguments = parser.parse_args()
    if arguments.list:
        print(";".join(FAULTS), end="")
        return 0
    return run(arguments.name, FAULTS[arguments.name], arguments.compiler, arguments.libraries)


if __name__ == "__main__":
    sys.exit(main())
