"""NVRTC, the CUDA compiler that is a library: no toolkit and no GPU."""

from __future__ import annotations

import ctypes
import importlib.util
from pathlib import Path


def load() -> ctypes.CDLL | None:
    """libnvrtc 12 of the package nvidia-cuda-nvrtc-cu12, or the system's."""
    spec = importlib.util.find_spec("nvidia")
    folders = spec.submodule_search_locations if spec and spec.submodule_search_locations else []
    places = [Path(folder) / "cuda_nvrtc" / "lib" / "libnvrtc.so.12" for folder in folders]
    for place in [*map(str, filter(Path.exists, places)), "libnvrtc.so.12"]:
        try:
            return ctypes.CDLL(place)
        except OSError:
            continue
    return None


def version(nvrtc: ctypes.CDLL) -> tuple[int, int]:
    major, minor = ctypes.c_int(), ctypes.c_int()
    nvrtc.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
    return major.value, minor.value


def compile_kernels(
    nvrtc: ctypes.CDLL, source: str, kernels: list[str], options: list[str]
) -> tuple[bytes, str, list[str]]:
    """The cubin (empty if there were errors), the log, and the kernels' symbols."""
    program = ctypes.c_void_p()

    def call(name: str, *arguments: object) -> None:
        error = getattr(nvrtc, name)(program, *arguments)
        assert error == 0, f"{name}: error {error}"

    nvrtc.nvrtcCreateProgram(ctypes.byref(program), source.encode(), b"kernels.cu", 0, None, None)
    for kernel in kernels:
        call("nvrtcAddNameExpression", kernel.encode())
    array = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
    failed = nvrtc.nvrtcCompileProgram(program, len(options), array) != 0

    def text(what: str) -> bytes:
        size = ctypes.c_size_t()
        call(f"nvrtcGet{what}Size", ctypes.byref(size))
        buffer = ctypes.create_string_buffer(max(size.value, 1))
        call(f"nvrtcGet{what}", buffer)
        return buffer.raw[: size.value]

    def symbol(kernel: str) -> str:
        name = ctypes.c_char_p()
        call("nvrtcGetLoweredName", kernel.encode(), ctypes.byref(name))
        return (name.value or b"").decode()

    log = text("ProgramLog").rstrip(b"\0").decode().strip()
    cubin = b"" if failed else text("CUBIN")
    symbols = [] if failed else [symbol(kernel) for kernel in kernels]
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    return cubin, log, symbols
