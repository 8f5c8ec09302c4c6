"""The peak of memory of a piece of work: of resident memory, measured in a process of its own
(Linux), and of a GPU's."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Callable

import torch
from torch import Tensor

import hitgraph
from hitgraph.nn.functional import gravnet_aggregate

_PRELUDE = """
import gc, torch, hitgraph
from hitgraph.nn.functional import gravnet_aggregate

def resident(name):
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith(name + ":"))
    return int(line.split()[1]) * 1024

def forget_peak():
    gc.collect()
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
"""


def peak_of(prepare: str, work: str) -> int:
    """Bytes by which the resident memory of a fresh process grows at most.

    Args:
        prepare: Python statements before the measurement, say a small call of the same kind, which
            starts threads and loads code.
        work: the statements to measure; what they make stays until the end.

    Raises:
        RuntimeError: the statements failed, with what they said.
    """
    script = "\n".join(
        [
            _PRELUDE,
            prepare,
            "before = resident('VmRSS')",
            "forget_peak()",
            work,
            "print(resident('VmHWM') - before)",
        ]
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    if run.returncode != 0:
        raise RuntimeError(run.stderr)
    return int(run.stdout.split()[-1])


# A random graph of as many rows as points, its gradients, and what they add up to.
AGGREGATE = """
def work(n, k, f, given):
    features = torch.randn(n, f, requires_grad=True)
    index = torch.randint(0, n, (n, k))
    distance2 = torch.rand(n, k, requires_grad=True)
    transposed = hitgraph.transpose_graph(index, n) if given else None
    outputs = gravnet_aggregate(features, index, distance2, transposed=transposed)
    grads = [torch.randn_like(out) for out in outputs]
    torch.autograd.backward(outputs, grads)
    return features, index, distance2, transposed, outputs, grads

work(100, 10, 8, True)
"""


def aggregate_bytes(n: int, k: int, f: int) -> int:
    """Inputs, graph (transposed, too), outputs and gradients of one aggregation, float32."""
    features, edges = 4 * n * f, n * k
    graph = edges * (8 + 4) + (edges * 4 + 8 * (n + 1) + 4 * n)  # with the order, on the CPU
    outputs = 2 * features + n * f  # and which neighbour each maximum came from
    gradients = 2 * features + features + 4 * edges
    return features + graph + outputs + gradients


def aggregate_peak(n: int, k: int, f: int, *, transposed_given: bool) -> float:
    """The peak of one aggregation forward and backward, as a multiple of `aggregate_bytes`."""
    peak = peak_of(AGGREGATE, f"kept = work({n}, {k}, {f}, {transposed_given})")
    return peak / aggregate_bytes(n, k, f)


def aggregate_on(
    device: str, n: int, k: int, f: int, *, transposed_given: bool = True
) -> tuple[list[Tensor], Callable[[], list[Tensor]]]:
    """The inputs of one aggregation on a random graph, and its forward and backward pass.

    Args:
        device: where.
        n, k, f: points and rows, neighbours, channels.
        transposed_given: whether the transposed graph is one of the inputs.
    """
    features = torch.randn(n, f, device=device, requires_grad=True)
    index = torch.randint(0, n, (n, k), device=device)
    distance2 = torch.rand(n, k, device=device, requires_grad=True)
    transposed = hitgraph.transpose_graph(index, n) if transposed_given else None
    grads = [torch.randn(n, f, device=device) for _ in range(2)]

    def run() -> list[Tensor]:
        features.grad = distance2.grad = None
        outputs = gravnet_aggregate(features, index, distance2, transposed=transposed)
        torch.autograd.backward(outputs, grads)
        return [*outputs, *(x.grad for x in (features, distance2) if x.grad is not None)]

    return [features, index, distance2, *(transposed or ()), *grads], run


def aggregate_peak_on_gpu(n: int, k: int, f: int, *, transposed_given: bool = True) -> float:
    """As `aggregate_peak`, by torch's allocator, without the making of a given transposed graph."""
    gc.collect()
    before = torch.cuda.memory_allocated()
    inputs, run = aggregate_on("cuda", n, k, f, transposed_given=transposed_given)
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    results = run()
    peak = torch.cuda.max_memory_allocated() - before
    del inputs, results
    return peak / aggregate_bytes(n, k, f)
