"""The peak of resident memory of a piece of work, measured in a process of its own (Linux)."""

from __future__ import annotations

import subprocess
import sys

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
    graph = edges * (8 + 4) + (edges * 4 + 8 * (n + 1))
    outputs = 2 * features + n * f  # and which neighbour each maximum came from
    gradients = 2 * features + features + 4 * edges
    return features + graph + outputs + gradients


def aggregate_peak(n: int, k: int, f: int, *, transposed_given: bool) -> float:
    """The peak of one aggregation forward and backward, as a multiple of `aggregate_bytes`."""
    peak = peak_of(AGGREGATE, f"kept = work({n}, {k}, {f}, {transposed_given})")
    return peak / aggregate_bytes(n, k, f)
