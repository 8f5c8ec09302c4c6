"""DGCNN's parts on the CPU beside tensor operations and PyTorch Geometric.

    python -m benchmarks.edge_conv [--clouds 32] [--rounds 5] [--output JSON]
    python -m benchmarks.edge_conv --show JSON

Clouds of 1024 points, k = 20, float32, medians of rounds in which everybody takes turns; results
are compared before anything is timed. First the search in a learned space of 64 and 128 dimensions,
with the points themselves among their neighbours; then EdgeConv with a linear map, batch
normalisation and a maximum, forward and backward on a given graph. A peer that is not installed is
left out.
"""

from __future__ import annotations

import copy
import statistics
from typing import Any

import torch
from torch import Tensor, nn

import hitgraph
from hitgraph.nn import EdgeConv

from .aggregate import Step, in_turns
from .command import command
from .environment import environment
from .peak_memory import peak_of

POINTS, K = 1024, 20
SEARCHES = (64, 128)
LAYERS = ((64, 64), (128, 256))


def features_of(clouds: int, d: int) -> Tensor:
    """(clouds · 1024, d): what a first layer makes of points in a cube."""
    torch.manual_seed(1)
    points = torch.rand(clouds * POINTS, 3)
    layer = nn.Sequential(nn.Linear(3, d), nn.LeakyReLU(0.2), nn.Linear(d, d))
    with torch.no_grad():
        return torch.as_tensor(layer(points))


def search_steps(clouds: int, x: Tensor) -> dict[str, Step]:
    """The squared distances that each finds, (N, k) ascending."""
    splits = torch.arange(0, len(x) + 1, POINTS)

    def own() -> tuple[Tensor, ...]:
        return (hitgraph.knn(x, K, splits, include_self=True).distance2,)

    def dense() -> tuple[Tensor, ...]:
        cloud = x.view(clouds, POINTS, -1)
        nearest = torch.cdist(cloud, cloud).topk(K, largest=False).values
        return (nearest.square().flatten(0, 1),)

    steps: dict[str, Step] = {"hitgraph": own, "cdist + topk": dense}
    try:
        import torch_cluster
    except ImportError:
        return steps
    batch = torch.arange(clouds).repeat_interleave(POINTS)

    def cluster() -> tuple[Tensor, ...]:
        row, column = torch_cluster.knn(x, x, K, batch, batch)
        return ((x[row] - x[column]).square().sum(1).view(-1, K),)

    return {**steps, "torch-cluster": cluster}


def graph_of(x: Tensor) -> Tensor:
    """(N, k): the neighbours in clouds of 1024 points, each among its own."""
    splits = torch.arange(0, len(x) + 1, POINTS, device=x.device)
    return hitgraph.knn(x, K, splits, include_self=True).index


def network_of(in_features: int, out_features: int) -> nn.Sequential:
    """A linear map of both points' features, normalised; always the same weights."""
    torch.manual_seed(2)
    return nn.Sequential(
        nn.Linear(2 * in_features, out_features, bias=False),
        nn.BatchNorm1d(out_features),
        nn.LeakyReLU(0.2),
    )


def gradient_of(x: Tensor, out_features: int) -> Tensor:
    """Of the layer's result, always the same."""
    torch.manual_seed(3)
    return torch.randn(len(x), out_features).to(x.device)


def layer_steps(x: Tensor, out_features: int) -> dict[str, Step]:
    """A layer's result and the gradient of its input."""
    index = graph_of(x)
    network = network_of(x.shape[1], out_features).to(x.device)
    leaf, grad = x.clone().requires_grad_(), gradient_of(x, out_features)

    def step_of(layer: nn.Module, graph: Tensor) -> Step:
        def step() -> tuple[Tensor, ...]:
            layer.zero_grad()
            leaf.grad = None
            y = layer(leaf, graph)
            y.backward(grad)
            assert leaf.grad is not None
            return y, leaf.grad

        return step

    steps = {"hitgraph": step_of(EdgeConv(copy.deepcopy(network)), index)}
    try:
        from torch_geometric.nn import EdgeConv as Theirs
    except ImportError:
        return steps
    rows = torch.arange(len(x), device=x.device).repeat_interleave(K)
    edges = torch.stack((index.flatten(), rows))
    other = Theirs(copy.deepcopy(network), "max").to(x.device)  # and its weights drawn anew
    other.load_state_dict({f"nn.{name}": value for name, value in network.state_dict().items()})
    return {**steps, "torch_geometric": step_of(other, edges)}


# One layer, its graph made beforehand; what is kept is its result.
MEMORY = """
from hitgraph.nn import EdgeConv

def inputs(n, f):
    x = torch.randn(n, f, requires_grad=True)
    index = torch.arange(n)[:, None] // 1024 * 1024 + torch.randint(0, min(n, 1024), (n, 20))
    return x, index.clamp_max(n - 1)

def train(x, index, c):
    network = torch.nn.Sequential(
        torch.nn.Linear(2 * x.shape[1], c, bias=False), torch.nn.BatchNorm1d(c),
        torch.nn.LeakyReLU(0.2))
    y = EdgeConv(network)(x, index)
    y.square().mean().backward()
    return y

train(*inputs(100, 8), 8)
"""


def layer_peak(clouds: int, f: int, c: int) -> int:
    """Bytes beyond the input and its graph that a layer takes, forward and backward."""
    prepare = f"{MEMORY}\nkept = inputs({clouds * POINTS}, {f})"
    return peak_of(prepare, f"result = train(*kept, {c})")


def run(clouds: int, rounds: int) -> dict[str, Any]:
    """Everything this file measures."""
    results: dict[str, Any] = {"environment": environment(), "clouds": clouds, "cases": {}}
    for d in SEARCHES:
        steps = search_steps(clouds, features_of(clouds, d))
        results["cases"][f"search, d = {d}"] = in_turns(steps, rounds, 1e-2)
    for f, c in LAYERS:
        steps = layer_steps(features_of(clouds, f), c)
        results["cases"][f"layer, {f} to {c}"] = in_turns(steps, rounds, 1e-2)
    results["layer_peak"] = layer_peak(clouds, *LAYERS[-1])
    return results


def markdown(results: dict[str, Any]) -> str:
    """The results as tables."""
    lines = [
        f"| {results['clouds']} clouds of {POINTS} points, k = {K} | seconds | × hitgraph |",
        "|---|---|---|",
    ]
    for case, samples in results["cases"].items():
        own = statistics.median(samples["hitgraph"])
        for name, seconds in samples.items():
            median = statistics.median(seconds)
            lines.append(f"| {case}: {name} | {median:.3f} | {median / own:.1f} |")
    f, c = LAYERS[-1]
    peak = results["layer_peak"] / 1e6
    lines += ["", f"A layer from {f} to {c} takes {peak:.0f} MB beyond its input and graph."]
    return "\n".join(lines)


SIZES = {"clouds": (32, "clouds of 1024 points"), "rounds": (5, "timed calls of each")}


def main(arguments: list[str] | None = None) -> None:
    command(__doc__, run, markdown, SIZES, arguments)


if __name__ == "__main__":
    main()
