"""What a build without CUDA kernels says of a CUDA tensor. Where this build has kernels, the files
that make the difference are compiled here, without them."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

import hitgraph

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import sys, torch
torch.ops.load_library(sys.argv[1])
keys = torch._C.DispatchKeySet(torch._C.DispatchKey.CUDA)
ops = torch.ops.hitgraph
points, ints = torch.zeros(4, 2), torch.zeros(4, 1, dtype=torch.int64)
calls = {
    "condensate": lambda: ops.condensate.default.redispatch(
        keys, points[:, 0], points, ints[:, 0], 0.1, 0.5
    ),
    "condensation_objects": lambda: ops.condensation_objects.default.redispatch(
        keys, points[:, 0], ints[:, 0], ints[:, 0]
    ),
    "condensation_potential": lambda: ops.condensation_potential.default.redispatch(
        keys, points, points[:, 0], points, points[:, 0], *[ints[:, 0]] * 5,
        "quadratic", "hinge", 0.0
    ),
    "condensation_potential_backward": lambda: (
        ops.condensation_potential_backward.default.redispatch(
            keys, *[points[:, 0]] * 2, points, points[:, 0], points, points[:, 0],
            *[ints[:, 0]] * 5, "quadratic", "hinge", 0.0
        )
    ),
    "knn": lambda: ops.knn.default.redispatch(keys, points, 1),
    "knn_brute_force": lambda: ops.knn_brute_force.default.redispatch(keys, points, 1),
    "knn_stats": lambda: ops.knn_stats.default.redispatch(keys, points, 1),
    "distance2_backward": lambda: ops.distance2_backward.default.redispatch(
        keys, points[:, :1], points, points, ints
    ),
    "edge_conv_max": lambda: ops.edge_conv_max.default.redispatch(
        keys, points, ints, torch.zeros(3, 4)
    ),
    "edge_conv_max_backward": lambda: ops.edge_conv_max_backward.default.redispatch(
        keys, points, ints.byte(), points, ints, torch.zeros(3, 4),
        *([None] * 5), 1e-5, False, 1.0, *([None] * 3)
    ),
    "gravnet_aggregate": lambda: ops.gravnet_aggregate.default.redispatch(
        keys, points, ints, points[:, :1], 1.0
    ),
    "gravnet_aggregate_backward": lambda: ops.gravnet_aggregate_backward.default.redispatch(
        keys, points, points, points, ints, points[:, :1], ints.byte(), 1.0
    ),
    "transpose_graph": lambda: ops.transpose_graph.default.redispatch(keys, ints, 3),
    "row_splits_from_batch": lambda: ops.row_splits_from_batch.default.redispatch(keys, ints[0]),
}
for name, call in calls.items():
    try:
        call()
    except RuntimeError as error:
        print(str(error).splitlines()[0])
    else:
        print(name, "was answered")
"""


@pytest.mark.skipif(not hitgraph._C.build_info()["cuda"], reason="this build has no CUDA kernels")
def test_a_build_without_cuda_refuses_with_the_cure(tmp_path):
    library = tmp_path / "librefusal.so"
    torch_folder = Path(torch.__file__).parent
    include = torch_folder / "include"
    command = ["c++", "-std=c++20", "-O0", "-shared", "-fPIC", '-DHITGRAPH_VERSION="9.8.7"']
    command += [f"-I{ROOT / 'csrc'}", f"-I{include}", f"-I{include}/torch/csrc/api/include"]
    command += [str(ROOT / "csrc/ops/schema.cpp"), str(ROOT / "csrc/ops/cuda/refuse.cpp")]
    command += [f"-L{torch_folder / 'lib'}", "-ltorch_cpu", "-lc10", "-o", str(library)]
    subprocess.run(command, check=True)
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(library)], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    names = [
        "condensate",
        "condensation_objects",
        "condensation_potential",
        "condensation_potential_backward",
        "knn",
        "knn_brute_force",
        "knn_stats",
        "distance2_backward",
        "edge_conv_max",
        "edge_conv_max_backward",
        "gravnet_aggregate",
        "gravnet_aggregate_backward",
        "transpose_graph",
        "row_splits_from_batch",
    ]
    assert len(lines) == len(names)
    for name, line in zip(names, lines, strict=True):
        assert line.startswith(f"hitgraph::{name}: expected CPU tensors, got CUDA tensors."), line
        assert "9.8.7" in line and "points.cpu()" in line and "hitgraph.info" in line
