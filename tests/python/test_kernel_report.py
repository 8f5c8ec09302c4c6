"""What compilers make of the CUDA kernels, where there is no GPU: bounds, and old architectures."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import nvrtc
import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = json.loads((ROOT / "benchmarks" / "results" / "kernels.json").read_text())
LEAST_WARPS = {"sm_75": 6, "sm_80": 12, "sm_89": 8, "sm_90": 12}
# What waits for memory alone.
GRAVNET = re.compile("(aggregate|differentiate)_rows|sum_(hub_pieces|points)|count_present")
LEAST_GRAVNET_WARPS = 32
RADIUS = re.compile(r"search_radius<\w+, [1-8],")
LEAST_RADIUS_WARPS = 28
# Warps that wait for each other at barriers, and keep many distances in registers.
TILES = re.compile("search_tiles")
LEAST_TILE_WARPS = {"sm_75": 4, "sm_80": 12, "sm_89": 8, "sm_90": 16}
EDGE_CONV = re.compile(
    "select_edges|differentiate_selected|sum_(columns|hub_edges)|finish_|activate_rows"
)
LEAST_EDGE_CONV_WARPS = 20
CONDENSATION = re.compile("(sum|differentiate)_(objects|hits)<")
LEAST_CONDENSATION_WARPS = {"float": 16, "double": 12}
CLUSTERING = re.compile("find_points|assign_hits")
LEAST_CLUSTERING_WARPS = 32
SOURCE = """
#include "core/cuda/condensate.cuh"
#include "core/cuda/condensation.cuh"
#include "core/cuda/condensation_backward.cuh"
#include "core/cuda/condensation_objects.cuh"
#include "core/cuda/distance2_backward.cuh"
#include "core/cuda/edge_conv_backward.cuh"
#include "core/cuda/forest_buckets.cuh"
#include "core/cuda/forest_split.cuh"
#include "core/cuda/gravnet_backward.cuh"
#include "core/cuda/knn_search.cuh"
#include "core/cuda/radius_search.cuh"
#include "core/cuda/row_sort.cuh"
#include "core/cuda/tile_search.cuh"
"""


def script() -> Any:
    loader = SourceFileLoader("kernel_report", str(ROOT / "tools" / "kernel_report"))
    module = module_from_spec(spec_from_loader("kernel_report", loader))
    keep, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    loader.exec_module(module)
    sys.dont_write_bytecode = keep
    return module


def serves_few_dimensions(kernel: str) -> bool:
    """All but the search in more than 8 dimensions."""
    return re.fullmatch(r"search_groups<\w+, 0, false>", kernel) is None


def check_bounds(report: dict[str, Any], architecture: str) -> None:
    for name, kernel in report["kernels"].items():
        if serves_few_dimensions(name):
            assert kernel["spilled_bytes"] == 0, f"{name} spills on {architecture}"
        for launch in kernel["launches"]:
            if GRAVNET.match(name):
                assert launch["resident_warps"] >= LEAST_GRAVNET_WARPS, (name, architecture)
            if EDGE_CONV.match(name):
                assert launch["resident_warps"] >= LEAST_EDGE_CONV_WARPS, (name, architecture)
            if CONDENSATION.match(name):
                number = "double" if "<double" in name else "float"
                least_warps = LEAST_CONDENSATION_WARPS[number]
                assert launch["resident_warps"] >= least_warps, (name, architecture)
            if CLUSTERING.match(name):
                assert launch["resident_warps"] >= LEAST_CLUSTERING_WARPS, (name, architecture)
            if TILES.match(name) and launch["k"] <= 20:
                assert launch["resident_warps"] >= LEAST_TILE_WARPS[architecture], launch
            if RADIUS.match(name):
                assert launch["resident_warps"] >= LEAST_RADIUS_WARPS, (name, architecture)
    for number in ("float", "double"):
        least = report["least_resident_warps"][number]
        assert least["resident_warps"] >= LEAST_WARPS[architecture], (number, architecture, least)


@pytest.mark.parametrize("architecture", LEAST_WARPS)
def test_committed_report_keeps_the_bounds(architecture: str) -> None:
    check_bounds(COMMITTED["architectures"][architecture], architecture)


def test_fresh_report_keeps_the_bounds_and_has_the_same_kernels() -> None:
    if script().find_nvcc() is None:
        pytest.skip("no nvcc on PATH, in CUDA_HOME or in /usr/local/cuda")
    done = subprocess.run(
        [ROOT / "tools" / "kernel_report", "-a", "sm_80"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    fresh = json.loads(done.stdout)["architectures"]["sm_80"]
    check_bounds(fresh, "sm_80")
    assert fresh["kernels"].keys() == COMMITTED["architectures"]["sm_80"]["kernels"].keys()


def names_for_nvrtc() -> list[str]:
    """All kernels that are launched; of the searches those that differ in more than a number."""
    kernels = [
        kernel
        for kernel in COMMITTED["architectures"]["sm_80"]["kernels"]
        if re.match(r"search_(groups|radius)<(float, [24567]|double, [0124-8]),", kernel) is None
    ]
    # nvcc's int64_t is a long, NVRTC's a long long.
    long = r"(?<!long )\blong\b(?! long)"
    return ["hitgraph::" + re.sub(long, "int64_t", kernel) for kernel in kernels]


def test_kernels_compile_for_pascal_without_a_toolkit() -> None:
    library = nvrtc.load()
    if library is None:
        pytest.skip("no NVRTC 12: install nvidia-cuda-nvrtc-cu12")
    options = ["--gpu-architecture=sm_61", "-std=c++17", "-fmad=false"]
    kernels = names_for_nvrtc()
    cubin, log, symbols = nvrtc.compile_kernels(
        library, SOURCE, kernels, [*options, f"-I{ROOT / 'csrc'}"]
    )
    assert [line for line in log.splitlines() if "are deprecated" not in line] == []
    assert cubin[:4] == b"\x7fELF"
    for kernel, symbol in zip(kernels, symbols, strict=True):
        assert symbol.encode() in cubin, kernel
