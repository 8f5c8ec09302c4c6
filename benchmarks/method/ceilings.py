"""What the machine can do at best, measured: bytes and multiply-adds a second."""

from __future__ import annotations

import torch

from ..aggregate import memory_bandwidth
from ..gpu_check import timing
from .clock import seconds_of


def ceilings(device: str) -> dict[str, float]:
    """Bytes a second that a large copy reads and writes, float32 multiply-adds a second of a matrix
    product (without TF32); the best of several.
    """
    if device == "cpu":
        return {"bytes": memory_bandwidth(), "multiply_adds": multiply_adds("cpu", 2048)}
    return {"bytes": timing.copy_bandwidth(), "multiply_adds": multiply_adds(device, 8192)}


def multiply_adds(device: str, n: int) -> float:
    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        a, b = (torch.randn(n, n, device=device) for _ in range(2))
        out = torch.empty_like(a)
        samples = [seconds_of(lambda: torch.mm(a, b, out=out), device) for _ in range(8)]
    finally:
        torch.set_float32_matmul_precision(precision)
    return n**3 / min(samples)
