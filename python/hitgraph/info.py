"""What was built, and how: ``python -m hitgraph.info``."""

from __future__ import annotations

import platform

import torch

from . import _C


def lines() -> list[tuple[str, str]]:
    """Name and value of every fact."""
    build = _C.build_info()
    cuda = ", ".join(build["cuda_architectures"]) if build["cuda"] else "no kernels in this version"
    if build["cuda_toolkit"]:
        cuda += f" (toolkit {build['cuda_toolkit']} found)"
    return [
        ("hitgraph", build["version"]),
        ("built with torch", build["torch"]),
        ("running torch", torch.__version__),
        ("compiler", f"{build['compiler']}, {build['build_type']}"),
        ("CUDA", cuda),
        ("SIMD level", f"{build['simd']} (available: {', '.join(build['simd_available'])})"),
        ("threads", str(torch.get_num_threads())),
        ("Python", platform.python_version()),
        ("machine", platform.machine()),
    ]


if __name__ == "__main__":
    for name, value in lines():
        print(f"{name:18}{value}")
