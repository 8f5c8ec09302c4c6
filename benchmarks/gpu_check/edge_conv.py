"""The search in many dimensions and EdgeConv: compared with the CPU, then timed; DGCNN's inference,
and how much more expensive than GravNet it is."""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

import hitgraph
from hitgraph.models import DGCNN, GravNetModel
from hitgraph.nn import DynamicEdgeConv, EdgeConv

from .findings import write
from .timing import captured, milliseconds, peak_bytes, timed

CLOUDS, POINTS, K = 32, 1024, 20


class Search(NamedTuple):
    name: str
    kind: str
    clouds: int
    points: int
    d: int
    goal_ms: float | None = None


SEARCHES = (
    Search("32 x 1024, d=64", "normal", CLOUDS, POINTS, 64, goal_ms=0.5),
    Search("32 x 1024, d=128", "normal", CLOUDS, POINTS, 128),
    Search("32 x 1024, d=64, surface", "surface", CLOUDS, POINTS, 64),
    Search("32 x 1024, d=64, clusters of 1e-3", "tight", CLOUDS, POINTS, 64),
    Search("1024 x 128, d=64", "normal", 1024, 128, 64),
    Search("20000, d=64", "normal", 1, 20_000, 64),
    Search("50000, d=64", "normal", 1, 50_000, 64),
    Search("50000, d=64, surface", "surface", 1, 50_000, 64),
)
LAYERS = ((64, 64), (128, 256))


def cloud(kind: str, n: int, d: int) -> Tensor:
    """Points that no box prunes, on a curved surface of three dimensions, or in tight clusters."""
    random = torch.Generator().manual_seed(1)
    if kind == "normal":
        return torch.randn(n, d, generator=random)
    if kind == "tight":
        corners = 10.0 + 990.0 * torch.rand(8, 1, generator=random)
        return corners[torch.arange(n) % 8] + 1e-3 * torch.randn(n, d, generator=random)
    hidden = torch.randn(n, 3, generator=random) @ torch.randn(3, d, generator=random)
    return torch.sin(hidden) + torch.cos(2 * hidden)


def splits_of(clouds: int, points: int) -> Tensor:
    return torch.arange(0, clouds * points + 1, points)


def same_rows(x: Tensor, splits: Tensor, device: str) -> bool:
    """The CPU's bits, of the first clouds, or of the first queries of a large one."""
    queries = splits[:3] if len(splits) > 2 else torch.tensor([0, min(512, len(x))])
    asking = x[: int(queries[-1])]
    options: dict[str, Any] = {}
    if len(splits) > 2:
        x, splits = asking, queries
    else:
        options = {"queries": asking, "query_row_splits": queries}
    expected = hitgraph.knn(x, K, splits, **options)
    there = {name: value.to(device) for name, value in options.items()}
    got = hitgraph.knn(x.to(device), K, splits.to(device), **there)
    return torch.equal(got.index.cpu(), expected.index) and torch.equal(
        got.distance2.cpu().view(torch.int32), expected.distance2.view(torch.int32)
    )


def measure_search(search: Search) -> dict[str, Any]:
    x = cloud(search.kind, search.clouds * search.points, search.d)
    splits = splits_of(search.clouds, search.points)
    result: dict[str, Any] = {**search._asdict(), "same": same_rows(x, splits, "cuda")}
    x, splits = x.cuda(), splits.cuda()

    def call() -> Any:
        return hitgraph.knn(x, K, splits, include_self=True, index_dtype=torch.int32)

    result["peak_mb"] = peak_bytes(call) / 1e6
    return {**result, **timed(call)}


def layer_error(inputs: int, outputs: int, training: bool, device: str) -> float:
    """The largest difference from the CPU of result, gradients and statistics, of the largest
    magnitude of each. Sums over channels are made by other libraries, so bits may differ."""
    torch.manual_seed(1)
    network = torch.nn.Sequential(
        torch.nn.Linear(2 * inputs, outputs),
        torch.nn.BatchNorm1d(outputs),
        torch.nn.LeakyReLU(0.2),
    ).double()
    x = cloud("normal", 2000, inputs).double()
    index = hitgraph.knn(x, K).index
    index[::7, 5:] = -1
    index[3] = -1
    found = []
    for place in ("cpu", device):
        layer = EdgeConv(network).to(place).train(training)
        assert layer.path(place) == "fused"
        leaf = x.clone().to(place).requires_grad_()
        y = layer(leaf, index.to(place))
        weight = torch.linspace(-1, 1, y.numel(), dtype=y.dtype).view(y.shape).to(place)
        layer.zero_grad()
        (y * weight).sum().backward()
        tensors = [y, leaf.grad, *(p.grad for p in layer.parameters()), *layer.buffers()]
        found.append([t.detach().double().cpu().clone() for t in tensors if t is not None])
        network.load_state_dict({k: v.cpu() for k, v in layer.nn.state_dict().items()})
        norm = network[1]
        assert isinstance(norm, torch.nn.BatchNorm1d)
        norm.reset_running_stats()
    return max(
        float((a - b).abs().max() / a.abs().max().clamp_min(1e-30))
        for a, b in zip(*found, strict=True)
    )


def measure_layer(inputs: int, outputs: int) -> list[dict[str, Any]]:
    errors = [layer_error(inputs, outputs, training, "cuda") for training in (False, True)]
    x = cloud("normal", CLOUDS * POINTS, inputs).cuda()
    found = hitgraph.knn(x, K, splits_of(CLOUDS, POINTS).cuda(), include_self=True)
    transposed = hitgraph.transpose_graph(found.index, len(x))
    graph = hitgraph.nn.GravNetGraph(*found, x, transposed)
    layer = DynamicEdgeConv.preset("dgcnn", (inputs, outputs), K).cuda()
    conv = EdgeConv(layer.nn, order=layer.order).cuda()
    leaf = x.clone().requires_grad_()

    def infer() -> Tensor:
        with torch.no_grad():
            y: Tensor = conv(x, graph)
        return y

    def step() -> None:
        conv(leaf, graph).sum().backward()

    results = []
    for mode, call in (("infer", infer), ("train", step)):
        conv.train(mode == "train")
        call()
        result: dict[str, Any] = {
            "name": f"EdgeConv {inputs} -> {outputs}, {mode}",
            "error": max(errors),
            "peak_mb": peak_bytes(call) / 1e6,
        }
        milliseconds(call, 3)
        result["ms"] = statistics.median(milliseconds(call, 20))
        if mode == "infer":
            result = {**result, **timed(call)}
        results.append(result)
    return results


def measure_models() -> list[dict[str, Any]]:
    """DGCNN and the talk's GravNet network on as many points, at inference and in training."""
    splits = splits_of(CLOUDS, POINTS).cuda()
    x = torch.rand(CLOUDS * POINTS, 3, generator=torch.Generator().manual_seed(2)).cuda()
    hits = torch.cat((x, x, x[:, :2]), 1)
    models: dict[str, tuple[torch.nn.Module, Tensor, float | None]] = {
        "DGCNN": (DGCNN(40).cuda(), x, 6.0),
        "GravNetModel": (GravNetModel(hits.shape[1], 3).cuda(), hits, None),
    }
    results = []
    for name, (model, inputs, goal) in models.items():

        def infer(model: torch.nn.Module = model, inputs: Tensor = inputs) -> Any:
            with torch.no_grad():
                return model(inputs, splits)

        def step(model: torch.nn.Module = model, inputs: Tensor = inputs) -> None:
            out = model(inputs, splits)
            out = out if isinstance(out, Tensor) else out[0]
            out.square().mean().backward()

        for mode, call in (("infer", infer), ("train", step)):
            model.train(mode == "train")
            call()
            result: dict[str, Any] = {
                "name": f"{name}, {mode}",
                "goal_ms": goal if mode == "infer" else None,
                "peak_mb": peak_bytes(call) / 1e6,
            }
            milliseconds(call, 3)
            result["ms"] = statistics.median(milliseconds(call, 10))
            if mode == "infer":
                graph = captured(call)
                milliseconds(graph.replay, 3)
                result["graph_ms"] = statistics.median(milliseconds(graph.replay, 10))
            results.append(result)
    return results


def main(file: Path, seconds: float) -> int:
    end = time.monotonic() + seconds - 10
    findings: dict[str, list[dict[str, Any]]] = {"searches": [], "layers": [], "models": []}
    work: list[tuple[str, str, Any]] = [
        ("searches", s.name, lambda s=s: [measure_search(s)]) for s in SEARCHES
    ]
    work += [
        ("layers", f"EdgeConv {a} -> {b}", lambda a=a, b=b: measure_layer(a, b)) for a, b in LAYERS
    ]
    work.append(("models", "DGCNN and GravNetModel", measure_models))
    for kind, name, measure in work:
        if time.monotonic() > end:
            break
        try:
            findings[kind] += measure()
            torch.cuda.empty_cache()
        except Exception as problem:  # the others must not be lost
            findings[kind].append({"name": name, "failed": repr(problem)[:500]})
        write(file, findings)
    every = [finding for part in findings.values() for finding in part]
    wrong = [f["name"] for f in every if not f.get("same", True) or f.get("error", 0.0) > 1e-9]
    print(f"{len(every)} findings, {len(wrong)} wrong", *wrong, sep="\n")
    return 1 if wrong or any("failed" in f for f in every) else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), float(sys.argv[2])))
