"""DGCNN, the whole model, beside PyTorch Geometric's layers and beside the talk's GravNet model.

    python -m benchmarks.dgcnn [--clouds 32] [--rounds 3] [--largest 50000] [--output JSON]
    python -m benchmarks.dgcnn --show JSON

float32, medians of rounds in which everybody takes turns. First a training step of
`hitgraph.models.DGCNN` (forward, cross entropy, backward, SGD) and its inference on clouds of 1024
points, k = 20, beside the same network made of torch_geometric's DynamicEdgeConv, which searches
with torch-cluster: the same weights must give the same results in evaluation before anything is
timed. Without either package that part is hitgraph's alone. Then the table of the talk: the GravNet
model and DGCNN with their default sizes on the hits of calorimeter events, without gradients and as
training steps.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import hitgraph
from hitgraph import datasets
from hitgraph.models import DGCNN, DGCNNSegmentation, GravNetModel

from .aggregate import Step, in_turns
from .command import command
from .environment import environment

POINTS, CLASSES = 1024, 40
TOLERANCE = 1e-4  # of results in evaluation
EVENT_SIZES = (5_000, 10_000, 50_000, 100_000, 200_000)  # as benchmarks.gravnet_model
Network = Callable[[Tensor, Tensor], Tensor]


class GeometricDGCNN(nn.Module):
    """The network of a DGCNN, its weights copied, with torch_geometric's layers and pooling.

    Raises:
        ImportError: without torch_geometric and torch_cluster.
    """

    def __init__(self, own: DGCNN) -> None:
        super().__init__()
        import torch_cluster  # noqa: F401  (what torch_geometric 2.7 searches with)
        from torch_geometric.nn import DynamicEdgeConv

        self.layers = nn.ModuleList()
        for layer in own.edges.layers:
            assert isinstance(layer, hitgraph.nn.DynamicEdgeConv)
            linear = layer.nn.get_submodule("0")
            assert isinstance(linear, nn.Linear)
            network = nn.Sequential(
                nn.Linear(linear.in_features, linear.out_features, bias=False),
                nn.BatchNorm1d(linear.out_features),
                nn.LeakyReLU(0.2),
            )
            theirs = DynamicEdgeConv(network, layer.k, "max")
            theirs.load_state_dict(layer.state_dict())
            self.layers.append(theirs)
        fresh = DGCNN(own.in_features, CLASSES)
        fresh.load_state_dict(own.state_dict())
        self.embed, self.dense, self.out = fresh.embed, fresh.dense, fresh.out

    def forward(self, x: Tensor, batch: Tensor) -> Tensor:
        """(B, classes) for x (N, 3) and its events, ascending."""
        from torch_geometric.nn import global_max_pool, global_mean_pool

        found = []
        for layer in self.layers:
            x = layer(x, batch)
            found.append(x)
        points = self.embed(torch.cat(found, 1))
        events = torch.cat((global_max_pool(points, batch), global_mean_pool(points, batch)), 1)
        result: Tensor = self.out(self.dense(events))
        return result


def networks(
    clouds: int, device: str = "cpu"
) -> tuple[dict[str, nn.Module], dict[str, tuple[Tensor, Tensor]]]:
    """The networks, by name, of the same weights, and what each is called with."""
    made = datasets.shapes(clouds, rng=1, points=POINTS)
    x = torch.from_numpy(made.points).flatten(0, 1).to(device)
    splits = torch.arange(clouds + 1, device=device) * POINTS
    torch.manual_seed(1)
    own = DGCNN(3, CLASSES).to(device)
    with torch.no_grad():
        own(x, splits)  # running statistics that are not those of a new network
    nets: dict[str, nn.Module] = {"hitgraph": own}
    inputs = {"hitgraph": (x, splits)}
    try:
        nets["torch_geometric"] = GeometricDGCNN(own).to(device)
    except ImportError:
        return nets, inputs
    batch = torch.arange(clouds, device=device).repeat_interleave(POINTS)
    inputs["torch_geometric"] = (x, batch)
    return nets, inputs


def assert_same_results(
    nets: dict[str, nn.Module], inputs: dict[str, tuple[Tensor, Tensor]]
) -> None:
    """Raises RuntimeError if networks differ in evaluation by more than TOLERANCE."""
    with torch.inference_mode():
        results = {name: net.eval()(*inputs[name]) for name, net in nets.items()}
    expected = results["hitgraph"]
    for name, result in results.items():
        if not torch.allclose(result, expected, rtol=TOLERANCE, atol=TOLERANCE):
            error = (result - expected).abs().max().item()
            raise RuntimeError(f"{name}: results differ from hitgraph's by {error:.1e}")


def training_step(network: nn.Module, inputs: tuple[Tensor, Tensor], loss: Network) -> Step:
    """Forward, the loss of the result, backward, a step of SGD, so small that the loss, which is
    returned, stays comparable from call to call."""
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-6, momentum=0.9)

    def step() -> tuple[Tensor, ...]:
        network.train()
        torch.manual_seed(2)  # the same dropout for all
        optimizer.zero_grad()
        value = loss(network(*inputs), inputs[0])
        value.backward()
        optimizer.step()
        return (value.detach(),)

    return step


def inference(network: nn.Module, inputs: tuple[Tensor, Tensor]) -> Step:
    @torch.inference_mode()
    def step() -> tuple[Tensor, ...]:
        return (network.eval()(*inputs),)

    return step


def classification_step(network: nn.Module, inputs: tuple[Tensor, Tensor]) -> Step:
    """A training step on clouds whose classes are their numbers."""

    def loss(result: Tensor, _: Tensor) -> Tensor:
        label = torch.arange(len(result), device=result.device) % CLASSES
        return nn.functional.cross_entropy(result, label, label_smoothing=0.2)

    return training_step(network, inputs, loss)


def classification(clouds: int, rounds: int) -> dict[str, dict[str, list[float]]]:
    """Seconds of DGCNN's inference and training step, everybody's."""
    nets, inputs = networks(clouds)
    assert_same_results(nets, inputs)
    still = {name: inference(net, inputs[name]) for name, net in nets.items()}
    cases = {"inference": in_turns(still, rounds, TOLERANCE)}
    steps = {name: classification_step(net, inputs[name]) for name, net in nets.items()}
    cases["training step"] = in_turns(steps, rounds, 1e-2)
    return cases


def event_of(n: int) -> tuple[Tensor, Tensor]:
    """Places (n, 3) of a calorimeter's hits in units of their spread, one event."""
    places = datasets.points("calo", n, 3, 1).astype(np.float64)
    places = (places - places.mean(axis=0)) / places.std(axis=0)
    return torch.from_numpy(places.astype(np.float32)), torch.tensor([0, n])


def dgcnn_of_hits() -> DGCNNSegmentation:
    """With the graphs of DGCNN's classification, and 10 results a hit as the talk's model has."""
    return DGCNNSegmentation(3, 10, networks=((64,), (64,), (128,), (256,)), coord_slice=None)


def events(sizes: tuple[int, ...], rounds: int) -> dict[str, dict[str, list[float]]]:
    """Seconds of the talk's model and of DGCNN on one event of each size: both have a result a
    hit."""

    def loss(result: Tensor, _: Tensor) -> Tensor:
        return result.square().mean()

    cases = {}
    for n in sizes:
        inputs = event_of(n)
        torch.manual_seed(1)
        nets = {"GravNetModel": GravNetModel(3), "DGCNN": dgcnn_of_hits()}
        for name, step_of in (
            ("no grad", inference),
            ("with grad", lambda net, given: training_step(net, given, loss)),
        ):
            cases[f"{n}, {name}"] = {
                net: in_turns({net: step_of(module, inputs)}, rounds, 1e-2)[net]
                for net, module in nets.items()
            }
    return cases


def run(clouds: int, rounds: int, largest: int) -> dict[str, Any]:
    """Everything this file measures."""
    sizes = (*(n for n in EVENT_SIZES if n < largest), largest)
    return {
        "environment": environment(),
        "clouds": clouds,
        "classification": classification(clouds, rounds),
        "events": events(sizes, rounds),
    }


def markdown(results: dict[str, Any]) -> str:
    """The results as tables."""
    lines = [
        f"| DGCNN, {results['clouds']} clouds of {POINTS} points, k = 20 | seconds | × hitgraph |",
        "|---|---|---|",
    ]
    for case, samples in results["classification"].items():
        own = statistics.median(samples["hitgraph"])
        for name, seconds in samples.items():
            median = statistics.median(seconds)
            lines.append(f"| {case}: {name} | {median:.3f} | {median / own:.1f} |")
    lines += ["", "| hits | GravNetModel, s | DGCNN, s | ratio |", "|---|---|---|---|"]
    for case, samples in results["events"].items():
        gravnet, dgcnn = (statistics.median(samples[name]) for name in ("GravNetModel", "DGCNN"))
        lines.append(f"| {case} | {gravnet:.3f} | {dgcnn:.3f} | {dgcnn / gravnet:.1f} |")
    return "\n".join(lines)


SIZES = {
    "clouds": (32, "clouds of 1024 points"),
    "rounds": (3, "timed calls of each"),
    "largest": (50_000, "hits of the largest event"),
}


def main(arguments: list[str] | None = None) -> None:
    command(__doc__, run, markdown, SIZES, arguments)


if __name__ == "__main__":
    main()
