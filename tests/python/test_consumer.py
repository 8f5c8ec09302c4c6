"""A C++ project finds, links and uses the installed library."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

import hitgraph

CONSUMER = Path(__file__).parents[1] / "consumer"


def run(*command: object) -> subprocess.CompletedProcess[str]:
    # torch's CMake files ask for GPU architectures that a new nvcc no longer knows, unless told.
    environment = {**os.environ, "TORCH_CUDA_ARCH_LIST": "8.0"}
    words = [str(word) for word in command]
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)


def configure(
    build: Path, prefix: Path, *, find_torch: bool = False
) -> subprocess.CompletedProcess[str]:
    paths = f"-DCMAKE_PREFIX_PATH={prefix};{torch.utils.cmake_prefix_path}"
    return run("cmake", "-S", CONSUMER, "-B", build, paths, f"-DFIND_TORCH={find_torch}")


@pytest.mark.skipif(shutil.which("cmake") is None, reason="needs cmake")
@pytest.mark.parametrize("find_torch", [False, True])
def test_a_project_builds_and_runs(tmp_path: Path, find_torch: bool) -> None:
    configured = configure(tmp_path, Path(hitgraph.cmake_prefix_path), find_torch=find_torch)
    if find_torch and configured.returncode != 0 and "find the CUDA" in configured.stderr:
        pytest.skip("torch's own CMake files find no CUDA toolkit")
    assert configured.returncode == 0, configured.stdout + configured.stderr
    built = run("cmake", "--build", tmp_path)
    assert built.returncode == 0, built.stdout + built.stderr
    ran = run(tmp_path / "consumer")
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.skipif(shutil.which("cmake") is None, reason="needs cmake")
def test_another_torch_is_refused_with_both_versions(tmp_path: Path) -> None:
    package = tmp_path / "package"
    shutil.copytree(Path(hitgraph.cmake_prefix_path) / "cmake", package / "cmake")
    config = package / "cmake" / "hitgraph-config.cmake"
    release = ".".join(torch.__version__.split(".")[:2])
    text = config.read_text().replace(f"^{release}(", "^1.4(")
    config.write_text(text.replace(torch.__version__, "1.4.0"))
    configured = configure(tmp_path / "build", package)
    assert configured.returncode != 0
    said = " ".join(configured.stderr.split())
    assert "built with torch 1.4.0" in said
    assert f"found torch {release}" in said
