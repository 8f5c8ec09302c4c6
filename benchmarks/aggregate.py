"""GravNet's aggregation and layer on the CPU beside tensor operations and PyTorch Geometric.

    python -m benchmarks.aggregate [--n 50000] [--rounds 5] [--output JSON]
    python -m benchmarks.aggregate --show JSON

Forward and backward together, float32, medians of rounds in which everybody takes turns; results
and gradients are compared before anything is timed. "indexing" and "embedding" gather the
neighbours' features into an (N, k, F) tensor, weigh, reduce. hitgraph is given the transposed
graph that the search made with the graph, as its layers are; "transposing" makes it on the way.
A peer that is not installed is reported as absent. Then: what the machine's memory gives and which
share of it is reached, hubs
(everybody's neighbours are the same k points), the memory of the aggregation and of a training step
of the talk's model.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

import hitgraph
from hitgraph.nn import GravNet
from hitgraph.nn.functional import gravnet_aggregate

from .command import command
from .environment import environment
from .peak_memory import AGGREGATE, aggregate_bytes, aggregate_peak, peak_of

Step = Callable[[], tuple[Tensor, ...]]  # results and gradients
SCALE = 10.0


def by_edge_tensor(gather: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., tuple[Tensor, ...]]:
    def aggregate(
        features: Tensor, index: Tensor, distance2: Tensor, transposed: object
    ) -> tuple[Tensor, ...]:
        weighted = torch.exp(-SCALE * distance2).unsqueeze(-1) * gather(features, index)
        return weighted.mean(dim=1), weighted.max(dim=1).values

    return aggregate


AGGREGATIONS: dict[str, Callable[..., tuple[Tensor, ...]]] = {
    "hitgraph": lambda h, index, d2, transposed: gravnet_aggregate(
        h, index, d2, SCALE, transposed=transposed
    ),
    "hitgraph, transposing": lambda h, index, d2, _: gravnet_aggregate(h, index, d2, SCALE),
    "embedding": by_edge_tensor(lambda h, index: torch.nn.functional.embedding(index, h)),
    "indexing": by_edge_tensor(lambda h, index: h[index]),
}


def along_a_z_curve(points: Tensor) -> Tensor:
    """The order of points (N, 4) by the interleaved bits of their cells of side 1/2."""
    cells = (2 * points).long()
    key = torch.zeros(len(points), dtype=torch.int64)
    for bit in range(8):
        for axis in range(4):
            key |= (cells[:, axis] >> bit & 1) << (4 * bit + axis)
    return torch.argsort(key)


class Edges(NamedTuple):
    """What one aggregation is given, and the gradients of its results."""

    features: Tensor
    index: Tensor  # type: ignore[assignment]  # hides tuple.index
    distance2: Tensor
    transposed: hitgraph.TransposedGraph
    grads: tuple[Tensor, Tensor]


def aggregation_inputs(n: int, k: int, f: int, kind: str = "random") -> Edges:
    """A graph of points in four dimensions and random features.

    kind: "random", points in random order; "ordered", near ones stored near each other; "hubs", all
    points the same.
    """
    torch.manual_seed(1)
    points = torch.rand(n, 4) * (n / k) ** 0.25  # about k points within distance 1
    if kind == "ordered":
        points = points[along_a_z_curve(points)]
    (index, distance2), transposed = hitgraph.knn_with_transposed(
        torch.zeros_like(points) if kind == "hubs" else points, k
    )
    features, grads = torch.randn(n, f), (torch.randn(n, f), torch.randn(n, f))
    return Edges(features.requires_grad_(), index, distance2.requires_grad_(), transposed, grads)


def aggregation_steps(n: int, k: int, f: int, kind: str = "random") -> dict[str, Step]:
    """Forward and backward of one aggregation, by its name."""
    return steps_on(aggregation_inputs(n, k, f, kind))


def steps_on(inputs: Edges) -> dict[str, Step]:
    """Forward and backward of one aggregation of these edges, by its name."""
    features, index, distance2, transposed, grads = inputs

    def step_of(aggregate: Callable[..., tuple[Tensor, ...]]) -> Step:
        def step() -> tuple[Tensor, ...]:
            features.grad = distance2.grad = None
            outputs = aggregate(features, index, distance2, transposed)
            torch.autograd.backward(outputs, grads)
            assert features.grad is not None and distance2.grad is not None
            return *outputs, features.grad, distance2.grad

        return step

    return {name: step_of(aggregate) for name, aggregate in AGGREGATIONS.items()}


class Layers(NamedTuple):
    """Layers of the same weights, what they are applied to, and the gradient of the result."""

    layers: dict[str, torch.nn.Module]
    x: Tensor
    grad: Tensor


def layers_of(n: int) -> Layers:
    """A whole layer as torch_geometric defines it, k = 40."""
    torch.manual_seed(1)
    own = GravNet.preset("pyg", 64, 64, space_dimensions=4, propagate_features=32, k=40)
    layers: dict[str, torch.nn.Module] = {"hitgraph": own}
    try:
        import torch_cluster  # noqa: F401  (what torch_geometric 2.7 searches with)
        from torch_geometric.nn import GravNetConv
    except ImportError:
        pass
    else:
        other = GravNetConv(64, 64, space_dimensions=4, propagate_dimensions=32, k=40)
        own.load_state_dict(other.state_dict())
        layers["torch_geometric"] = other.to(own.space.weight.device)
    return Layers(layers, torch.randn(n, 64, requires_grad=True), torch.randn(n, 64))


def layer_steps(n: int) -> dict[str, Step]:
    """Forward and backward of a whole layer."""
    return steps_of_layers(layers_of(n))


def steps_of_layers(layers: Layers) -> dict[str, Step]:
    x, grad = layers.x, layers.grad

    def step_of(layer: torch.nn.Module) -> Step:
        def step() -> tuple[Tensor, ...]:
            layer.zero_grad()
            x.grad = None
            y = layer(x)
            y.backward(grad)
            assert x.grad is not None
            return y, x.grad

        return step

    return {name: step_of(layer) for name, layer in layers.layers.items()}


def in_turns(steps: dict[str, Step], rounds: int, tolerance: float) -> dict[str, list[float]]:
    """Seconds of every step, after a comparison with the first one.

    Raises:
        RuntimeError: a step has other results.
    """
    expected = next(iter(steps.values()))()
    for name, step in steps.items():
        for mine, theirs in zip(expected, step(), strict=True):
            error = (mine - theirs).abs() / theirs.abs().max()
            # Distances that are rounded otherwise choose another k-th neighbour here and there.
            others = (error > tolerance).float().mean().item()
            if others > 1e-3:
                raise RuntimeError(f"{name}: {others:.1%} of the results differ by {tolerance}")
    samples: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            begin = time.perf_counter()
            step()
            samples[name].append(time.perf_counter() - begin)
    return samples


def memory_bandwidth() -> float:
    """Bytes a second that all threads read and write together, copying 256 MB."""
    source, target = torch.ones(2**26), torch.ones(2**26)
    samples = []
    for _ in range(7):
        begin = time.perf_counter()
        target.copy_(source)
        samples.append(time.perf_counter() - begin)
    return 2 * source.numel() * 4 / statistics.median(samples)


def least_traffic(n: int, k: int, f: int) -> int:
    """Bytes that must move at least: everything once in each pass that reads or writes it.

    Forward: features, index, distance2, both results and slots. Backward: the transposed graph
    written and read, index twice, distance2 twice, both gradients twice, slots twice, features, the
    gradients of features and distance2.
    """
    edge, row = n * k, n * f
    forward = 4 * row + 12 * edge + 8 * row + row
    backward = 8 * edge + 16 * edge + 8 * edge + 16 * row + 2 * row + 4 * row + 4 * row + 4 * edge
    return forward + backward


def gathered_traffic(n: int, k: int, f: int) -> int:
    """Bytes of the rows that the edges read one by one, from whatever cache holds them: features
    twice (forward, gradient of distance2) and the gradient of the mean.
    """
    return 3 * 4 * n * k * f


def run(n: int, rounds: int) -> dict[str, Any]:
    """Everything this file measures."""
    k = 64
    results: dict[str, Any] = {"environment": environment(), "n": n, "k": k, "cases": {}}
    results["copy_bandwidth"] = memory_bandwidth()
    for f, kind in ((32, "random"), (128, "random"), (32, "ordered"), (128, "ordered")):
        case = f"aggregation, F = {f}" + (", points in order" if kind == "ordered" else "")
        results["cases"][case] = {
            **in_turns(aggregation_steps(n, k, f, kind), rounds, 1e-4),
            "least_bytes": least_traffic(n, k, f),
            "gathered_bytes": gathered_traffic(n, k, f),
        }
    results["cases"]["layer of torch_geometric, k = 40"] = in_turns(layer_steps(n), rounds, 1e-3)
    mine = {
        name: aggregation_steps(n, k, 32, kind)["hitgraph"]
        for name, kind in (("average", "random"), ("hubs", "hubs"))
    }
    results["hubs"] = {
        name: in_turns({name: step}, rounds, 1e-4)[name] for name, step in mine.items()
    }
    results["memory"] = {
        "bytes": aggregate_bytes(n, k, 32),
        "transposed given": aggregate_peak(n, k, 32, transposed_given=True),
        "transposed made": aggregate_peak(n, k, 32, transposed_given=False),
        "training step, N = 200000": peak_of(
            AGGREGATE,
            "model = hitgraph.models.GravNetModel()\n"
            "model(torch.randn(200_000, 64)).square().mean().backward()",
        ),
    }
    return results


def markdown(results: dict[str, Any]) -> str:
    """The results as tables."""
    n, k = results["n"], results["k"]
    lines = [
        f"| forward and backward, N = {n:,}, k = {k} | seconds | × hitgraph |",
        "|---|---|---|",
    ]
    for case, samples in results["cases"].items():
        own = statistics.median(samples["hitgraph"])
        for name, seconds in samples.items():
            if isinstance(seconds, list):
                median = statistics.median(seconds)
                lines.append(f"| {case}: {name} | {median:.3f} | {median / own:.1f} |")
    lines += ["", "| share of the memory's bandwidth | GB/s | of a copy |", "|---|---|---|"]
    copy = results["copy_bandwidth"]
    lines.append(f"| a copy of 256 MB | {copy / 1e9:.1f} | 1.00 |")
    for case, samples in results["cases"].items():
        for kind in ("least", "gathered"):
            if f"{kind}_bytes" in samples:
                rate = samples[f"{kind}_bytes"] / statistics.median(samples["hitgraph"])
                lines.append(f"| {case}, {kind} traffic | {rate / 1e9:.1f} | {rate / copy:.2f} |")
    hubs = {name: statistics.median(seconds) for name, seconds in results["hubs"].items()}
    memory = results["memory"]
    lines += [
        "",
        "| | |",
        "|---|---|",
        f"| all edges to the same {k} points, F = 32, beside an average graph | "
        f"{hubs['hubs']:.3f} s, {hubs['hubs'] / hubs['average']:.2f} × |",
        f"| inputs, graph, outputs, gradients, F = 32 | {memory['bytes'] / 1e6:.0f} MB |",
        f"| peak, transposed graph given | {memory['transposed given']:.2f} × |",
        f"| peak, transposed graph made on the way | {memory['transposed made']:.2f} × |",
        f"| the talk's model, 200 000 hits, forward and backward | "
        f"{memory['training step, N = 200000'] / 1e9:.2f} GB |",
    ]
    return "\n".join(lines)


SIZES = {"n": (50_000, "points"), "rounds": (5, "timed calls of each")}


def main(arguments: list[str] | None = None) -> None:
    command(__doc__, run, markdown, SIZES, arguments)


if __name__ == "__main__":
    main()
