"""The commands that build the library for the GPU of this machine, with what torch brings along."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path


def commands(root: Path, build: Path, package: Path) -> list[list[str]]:
    """Configure, compile, and put a package together in a folder of its own."""
    import torch

    folder = Path(torch.__file__).parent
    major, minor = torch.cuda.get_device_capability()
    options = {
        "CMAKE_BUILD_TYPE": "Release",
        "CMAKE_INSTALL_PREFIX": package / "hitgraph",
        "CMAKE_CUDA_ARCHITECTURES": f"{major}{minor}-real",
        "HITGRAPH_CUDA": "ON",
        "HITGRAPH_TORCH_DIR": folder,
        "HITGRAPH_PYTHON_INCLUDE_DIR": sysconfig.get_path("include"),
        "HITGRAPH_PYTHON_SUFFIX": sysconfig.get_config_var("EXT_SUFFIX"),
        # torch's own copy of pybind11.
        "HITGRAPH_PYBIND11_INCLUDE_DIR": folder / "include",
    }
    flags = [f"-D{name}={value}" for name, value in options.items()]
    copy = (
        "import shutil, sys; shutil.rmtree(sys.argv[2], ignore_errors=True); "
        "shutil.copytree(sys.argv[1], sys.argv[2], "
        "ignore=shutil.ignore_patterns('*.so', '__pycache__', 'include', 'cmake'))"
    )
    source, target = root / "python" / "hitgraph", package / "hitgraph"
    return [
        ["cmake", "-S", str(root), "-B", str(build), "-GNinja", *flags],
        ["cmake", "--build", str(build)],
        [sys.executable, "-c", copy, str(source), str(target)],
        ["cmake", "--install", str(build)],
        [sys.executable, "-m", "hitgraph.info"],
    ]
