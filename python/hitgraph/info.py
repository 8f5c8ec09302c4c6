"""What was built, and how: ``python -m hitgraph.info``."""

from __future__ import annotations

import platform

import torch

from . import _C


def lines() -> list[tuple[str, str]]:
    """Name and value of every fact."""
    build = _C.build_info()
    if build["cuda"]:
        cuda = f"{build['cuda']} for {', '.join(build['cuda_architectures'])}"
    else:
        toolkit = build["cuda_toolkit"]
        cuda = "no kernels in this build" + (f" (toolkit {toolkit} found)" if toolkit else "")
    devices = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return [
        ("hitgraph", build["version"]),
        ("built with torch", build["torch"]),
        ("running torch", torch.__version__),
        ("compiler", f"{build['compiler']}, {build['build_type']}"),
        ("CUDA", cuda),
        ("GPU", ", ".join(devices) or "none"),
        ("SIMD level", f"{build['simd']} (available: {', '.join(build['simd_available'])})"),
        ("threads", str(torch.get_num_threads())),
        ("Python", platform.python_version()),
        ("machine", platform.machine()),
    ]


if __name__ == "__main__":
    for name, value in lines():
        print(f"{name:18}{value}")
