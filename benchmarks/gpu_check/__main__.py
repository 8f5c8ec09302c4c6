"""Runs the stages one after the other, each in a process of its own with a time limit: what one of
them loses, the others keep. Results are written after every stage."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import build, report

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "gpu"
PACKAGE = BUILD / "package"
Result = dict[str, Any]


def run(command: list[str], seconds: float, **environment: str) -> Result:
    """Exit status (None if it ran out of time), the end of its output, and how long it took."""
    paths = f"{PACKAGE}{os.pathsep}{ROOT}"
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths, "PYTHONUNBUFFERED": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=max(seconds, 1))
        status: int | None = process.returncode
    except subprocess.TimeoutExpired:
        # All of it: a compiler or a sanitized program left behind would disturb the next stage.
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        status = None
    return {"status": status, "seconds": time.monotonic() - started, "output": output[-6000:]}


def run_module(module: str, seconds: float, *arguments: str) -> Result:
    """A stage of this package, which writes its findings to a file as it goes."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "findings.json")
        command = [sys.executable, "-m", f"benchmarks.gpu_check.{module}", str(file), *arguments]
        result = run(command, seconds)
        if file.is_file():
            result["findings"] = json.loads(file.read_text())  # written whole: see findings.py
    return result


def build_stage(seconds: float) -> Result:
    started = time.monotonic()
    os.environ.pop("TORCH_CUDA_ARCH_LIST", None)  # one architecture: that of this GPU
    for command in build.commands(ROOT, BUILD, PACKAGE):
        result = run(command, seconds - (time.monotonic() - started))
        if result["status"] != 0:
            return result
    return {**result, "seconds": time.monotonic() - started}


def pytest(seconds: float, *arguments: str) -> Result:
    command = [sys.executable, "-m", "pytest", "-v", "--tb=short", "-o", "addopts="]
    command += ["-p", "no:cacheprovider", *arguments]
    workers = min(8, os.cpu_count() or 1)
    if importlib.util.find_spec("xdist"):
        command += ["-n", str(workers)]
    threads = str(max(1, (os.cpu_count() or 1) // workers))
    result = run(command, seconds, OMP_NUM_THREADS=threads)
    lines = result["output"].splitlines()
    result["output"] = "\n".join(line for line in lines if "PASSED" not in line)
    return result


def cuda_stage(seconds: float) -> Result:
    names = ("cuda", "cuda_condensation", "cuda_edge_conv", "cuda_gravnet", "cuda_radius")
    return pytest(seconds, *(f"tests/python/test_{name}.py" for name in names))


def tests_stage(seconds: float) -> Result:
    """Everything else, but what compiles for minutes and needs no GPU."""
    others = (
        "cuda",
        "cuda_condensation",
        "cuda_edge_conv",
        "cuda_gravnet",
        "kernel_report",
        "without_cuda",
        "consumer",
        "setup",
    )
    ignored = [f"--ignore=tests/python/test_{name}.py" for name in others]
    return pytest(seconds, "--continue-on-collection-errors", *ignored, "tests/python")


def sanitizer_stage(seconds: float) -> Result:
    tools = ("memcheck", "racecheck", "synccheck", "initcheck")
    findings: dict[str, Any] = {}
    status: int | None = 0
    started = time.monotonic()
    for tool in tools:
        command = ["compute-sanitizer", "--tool", tool, "--error-exitcode", "9"]
        if tool == "initcheck":
            command += ["--track-unused-memory", "no"]
        else:
            # Not for initcheck: what CUB and torch write would count as never written.
            command += ["--kernel-name", "kernel_substring=hitgraph"]
        command += [sys.executable, "-m", "benchmarks.gpu_check.small"]
        if tool == "memcheck":
            command += ["--large-k"]
        try:
            # Torch's allocator hides what lies beyond an array: every array gets its own memory.
            result = run(command, seconds / len(tools), PYTORCH_NO_CUDA_MEMORY_CACHING="1")
        except FileNotFoundError:
            return {"status": 1, "seconds": 0.0, "output": "compute-sanitizer is not on PATH"}
        findings[tool] = {**result, "output": result["output"][-2000:]}
        status = status or result["status"] if result["status"] is not None else 1
    return {
        "status": status,
        "seconds": time.monotonic() - started,
        "output": "",
        "findings": findings,
    }


STAGES: dict[str, tuple[float, Callable[[float], Result]]] = {
    "build": (90, build_stage),
    "cells": (75, lambda seconds: run_module("cells", seconds)),
    "gravnet": (70, lambda seconds: run_module("gravnet", seconds, str(seconds))),
    "edge_conv": (50, lambda seconds: run_module("edge_conv", seconds, str(seconds))),
    "condensation": (35, lambda seconds: run_module("condensation", seconds, str(seconds))),
    "cuda": (75, cuda_stage),
    "bits": (60, lambda seconds: run_module("bits", seconds)),
    "sanitizer": (95, sanitizer_stage),
    "tests": (50, tests_stage),
}


def machine() -> dict[str, Any]:
    import torch

    facts: dict[str, Any] = {"torch": torch.__version__, "cuda": torch.version.cuda}
    facts["gpu"] = torch.cuda.get_device_name(0) if torch.cuda.is_available() else None
    query = "name,driver_version,clocks.sm,clocks.mem,clocks.max.sm,temperature.gpu,power.draw"
    for name, command in {
        "nvidia_smi": ["nvidia-smi", f"--query-gpu={query}", "--format=csv"],
        "nvcc": ["nvcc", "--version"],
        "commit": ["git", "-C", str(ROOT), "rev-parse", "HEAD"],
    }.items():
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=20)
            facts[name] = done.stdout.strip().splitlines()[-2:]
        except (FileNotFoundError, subprocess.TimeoutExpired):
            facts[name] = None
    facts["commit"] = os.environ.get("HITGRAPH_COMMIT") or facts["commit"]
    facts["python"] = sys.version.split()[0]
    facts["date"] = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    facts["cores"] = os.cpu_count()
    return facts


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/gpu_check", description=__doc__)
    parser.add_argument("--out", type=Path, help="folder for the results")
    parser.add_argument("--stages", default=",".join(STAGES), help="some of " + ", ".join(STAGES))
    arguments = parser.parse_args()
    stages = arguments.stages.split(",")
    if unknown := set(stages) - set(STAGES):
        parser.error(f"expected stages of {', '.join(STAGES)}, got {', '.join(sorted(unknown))}")
    if importlib.util.find_spec("torch") is None:
        print("tools/gpu_check: expected torch in " + sys.executable, file=sys.stderr)
        return 2
    facts = machine()
    if facts["gpu"] is None:
        print("tools/gpu_check: expected a GPU that torch can use, found none.", file=sys.stderr)
        return 2
    name = re.sub(r"[^A-Za-z0-9]+", "-", facts["gpu"]).strip("-").lower()
    out = arguments.out or ROOT / "benchmarks" / "results" / name
    out.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {"machine": facts, "stages": {}}
    table = ""
    for stage in stages:
        seconds, run_stage = STAGES[stage]
        try:
            result = run_stage(seconds)
            if stage in ("cells", "gravnet", "edge_conv", "condensation"):
                result["machine_after"] = machine()["nvidia_smi"]
        except Exception as problem:  # a stage must not lose the others
            result = {"status": 1, "seconds": 0.0, "output": repr(problem)}
        results["stages"][stage] = result
        (out / "gpu_check.json").write_text(json.dumps(results, indent=1))
        print(report.line(stage, result), flush=True)
        try:
            table = report.text(results)
        except Exception as problem:  # the JSON file is written; a table can be made of it later
            table = f"no table: {problem!r}\n"
        (out / "gpu_check.txt").write_text(table)
    print(f"\n{table}")
    return 0 if all(r["status"] == 0 for r in results["stages"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
