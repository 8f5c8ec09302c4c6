"""Object condensation: sums, objects and clusters compared with float64 and with the CPU, then the
loss and the clustering timed."""

from __future__ import annotations

import statistics
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

import hitgraph
from hitgraph.nn import ObjectCondensationLoss

from .findings import write
from .timing import Call, kernel_times, milliseconds, peak_bytes, timed

OPS = torch.ops.hitgraph
# Where hits lie: wherever their object lies, all in one place but for a few, all over.
SPACES = ("clusters", "collapsed", "spread")
HITS, OBJECTS = 200_000, 1000
BETA_THRESHOLD, DISTANCE_THRESHOLD = 0.1, 0.5


class Event(NamedTuple):
    """Labelled hits of several events."""

    beta: Tensor
    x: Tensor
    labels: Tensor
    splits: Tensor
    scale: Tensor

    def to(self, device: str) -> Event:
        moved = (tensor.detach().to(device) for tensor in self)
        return Event(*moved).with_gradients()

    def with_gradients(self) -> Event:
        self.beta.requires_grad_()
        self.x.requires_grad_()
        return self


def event(space: str, sizes: list[int], objects: int, dtype: torch.dtype, dim: int = 3) -> Event:
    """Events of these sizes; β is larger near the middle of an object."""
    random = torch.Generator().manual_seed(1)
    n = sum(sizes)
    labels = torch.randint(-1, objects, (n,), generator=random)
    x = 0.3 * torch.randn((n, dim), generator=random, dtype=torch.float64)
    beta = (-x.square().sum(1) / 0.2).exp() * 0.9 + 0.05 * torch.rand(n, generator=random)
    if space == "clusters":
        x += 4 * torch.rand((objects + 1, dim), generator=random, dtype=torch.float64)[labels]
    elif space == "collapsed":
        x[torch.arange(n) % 50 != 0] = 0.25
    elif space == "lattice":
        x = (x * 10).round() / 4
    else:
        x *= 10
    scale = torch.rand(n, generator=random, dtype=torch.float64) + 0.2
    splits = torch.tensor([0, *torch.tensor(sizes).cumsum(0).tolist()])
    beta, x, scale = (a.to(dtype) for a in (beta, x, scale))
    return Event(beta, x, labels, splits, scale).with_gradients()


def nothing() -> Event:
    return event("spread", [0, 0], 3, torch.float32)


def loss_and_gradients(preset: str, given: Event) -> list[Tensor]:
    loss = ObjectCondensationLoss.preset(preset)
    scale = given.scale if loss.scale else None
    found = loss(given.beta, given.x, given.labels, given.splits, scale=scale)
    total = found.total + found.payload_weight.square().sum()
    return [*found, *torch.autograd.grad(total, (given.beta, given.x))]


def potential_arguments(given: Event, repulsion: str = "hinge") -> tuple[Any, ...]:
    """Of condensation_potential: the charge is β, every centre a hit, factors differ."""
    objects = OPS.condensation_objects(given.beta.detach(), given.labels, given.splits)
    object_, order, offsets, object_splits, points = objects
    centres = given.x.detach()[points].requires_grad_()
    factor = (given.scale[points] + 0.5).requires_grad_()
    attraction = "quadratic" if repulsion == "hinge" else "logarithmic"
    lists = (object_, order, offsets, given.splits, object_splits)
    return (given.x, given.beta, centres, factor, *lists, attraction, repulsion, 0.0)


def sum_error(given: Event, repulsion: str) -> float:
    """The largest error of a sum or a gradient, of the sum of its absolute terms, each counted as
    often as its own rounding demands: 1 - √u is made of two terms, u is rounded before exp(-u)."""
    arguments = potential_arguments(given, repulsion)
    leaves = arguments[:4]
    found = OPS.condensation_potential(*arguments)
    random = torch.Generator().manual_seed(2)
    grads = [torch.randn(len(leaves[2]), generator=random).to(given.x) for _ in range(2)]
    results = [*found, *torch.autograd.grad(found, leaves, grads)]
    truth, absolute = dense(arguments, grads, repulsion)
    return max(
        float(((a.detach().double() - b).abs() / (c + 1e-30)).max()) if a.numel() else 0.0
        for a, b, c in zip(results, truth, absolute, strict=True)
    )


def dense(
    arguments: tuple[Any, ...], grads: list[Tensor], repulsion: str
) -> tuple[list[Tensor], list[Tensor]]:
    """The two sums and the four gradients by matrices of hits and objects in float64, and the sums
    of their absolute terms."""
    x, weight, centres, factor = (a.detach().double() for a in arguments[:4])
    object_, splits, object_splits = arguments[4], arguments[7], arguments[8]
    own = object_[:, None] == torch.arange(len(factor), device=x.device)
    hit_event, object_event = (torch.repeat_interleave(s.diff()) for s in (splits, object_splits))
    there = hit_event[:, None] == object_event
    difference = x[:, None] - centres
    distance2 = difference.square().sum(-1)
    u = factor * distance2
    if repulsion == "hinge":
        root = u.sqrt()
        inside = root < 1
        value = torch.where(inside, 1 - root, 0)
        slope = torch.where(inside & (root > 0), -0.5 / root, 0)
        rounded = torch.where(inside, (1 + root) / (1 - root), 1)
        attracted, pulled = u, torch.ones_like(u)
        rounded_slope = torch.ones_like(u)
    else:
        value, rounded = (-u).exp(), 1 + u
        slope, rounded_slope = -value, rounded
        above = torch.e * u + 1
        attracted, pulled = above.log(), torch.e / above
    value, slope = (
        torch.where(own, attracted, value) * there,
        torch.where(own, pulled, slope) * there,
    )
    rounded, rounded_slope = (torch.where(own, 1, r) for r in (rounded, rounded_slope))
    by_value = torch.where(own, *(g.double() for g in grads))
    by_slope = by_value * weight[:, None] * slope
    by_x = (2 * factor * by_slope)[..., None] * difference
    terms = [
        (weight[:, None] * value * own, rounded, 0),
        (weight[:, None] * value * ~own, rounded, 0),
        (by_x, rounded_slope[..., None], 1),
        (by_value * value, rounded, 1),
        (-by_x, rounded_slope[..., None], 0),
        (by_slope * distance2, rounded_slope, 0),
    ]
    sums = [term.sum(over) for term, _, over in terms]
    return sums, [(term.abs() * often).sum(over) for term, often, over in terms]


def same_clusters(
    given: Event, device: str, radius: Tensor | None, options: dict[str, Any]
) -> bool:
    """The CPU's labels, points and splits."""
    expected = hitgraph.condensate(given.beta, given.x, given.splits, radius=radius, **options)
    there = given.to(device)
    radii = None if radius is None else radius.to(device)
    got = hitgraph.condensate(there.beta, there.x, there.splits, radius=radii, **options)
    return all(torch.equal(a, b.cpu()) for a, b in zip(expected, got, strict=True))


def measured(name: str, call: Call, goal_ms: float | None = None) -> dict[str, Any]:
    """Of a call that waits for the device, which no CUDA graph can hold."""
    call()
    result: dict[str, Any] = {"name": name, "goal_ms": goal_ms, "peak_mb": peak_bytes(call) / 1e6}
    milliseconds(call, 3)
    result["ms"] = statistics.median(milliseconds(call, 20))
    return {**result, "kernels_us": kernel_times(call)}


def measure_loss(preset: str, space: str, sizes: list[int], objects: int) -> list[dict[str, Any]]:
    goal = 10.0 if sizes == [HITS] else None
    name = f"loss {preset}, {space}, {len(sizes)} x {sizes[0]} hits, {objects} objects"
    small = event(space, [1500, 700], 30, torch.float64)
    error = max(
        float((a - b.cpu()).abs().max() / a.abs().max().clamp_min(1e-12))
        for a, b in zip(
            loss_and_gradients(preset, small),
            loss_and_gradients(preset, small.to("cuda")),
            strict=True,
        )
    )
    given = event(space, sizes, objects, torch.float32).to("cuda")
    found = measured(name, lambda: loss_and_gradients(preset, given), goal)
    return [{**found, "error": error}]


def measure_sums(space: str, repulsion: str) -> list[dict[str, Any]]:
    """The operators alone; errors are those of float32 at a size that matrices can do."""
    error = sum_error(event(space, [3000, 900], 200, torch.float32).to("cuda"), repulsion)
    given = event(space, [HITS], OBJECTS, torch.float32).to("cuda")
    arguments = potential_arguments(given, repulsion)
    ones = torch.ones_like(arguments[3]).detach()

    def forward() -> object:
        return OPS.condensation_potential(*arguments)

    def backward() -> object:
        with torch.no_grad():
            return OPS.condensation_potential_backward(ones, ones, *arguments)

    name = f"sums, {repulsion}, {space}"
    works = ((f"{name}, forward", forward), (f"{name}, backward", backward))
    return [
        {"name": what, "float32_error": error, "peak_mb": peak_bytes(call) / 1e6, **timed(call)}
        for what, call in works
    ]


def measure_clusters(space: str, assignment: str, distance: float) -> list[dict[str, Any]]:
    options: dict[str, Any] = {
        "beta_threshold": BETA_THRESHOLD,
        "distance_threshold": distance,
        "assignment": assignment,
    }
    given = event(space, [HITS], OBJECTS, torch.float32)
    same = same_clusters(given, "cuda", None, options)
    there = given.to("cuda")
    points = len(hitgraph.condensate(there.beta, there.x, there.splits, **options).points)
    goal = 5.0 if space == "clusters" else None
    name = f"condensate {assignment}, {space}, {points} points"

    def call() -> object:
        return hitgraph.condensate(there.beta, there.x, there.splits, **options)

    return [{**measured(name, call, goal), "same": same}]


# The two goals first, then other spaces, modes and sizes.
WORKS: tuple[partial[list[dict[str, Any]]], ...] = (
    partial(measure_loss, "paper", "clusters", [HITS], OBJECTS),
    partial(measure_clusters, "clusters", "first", DISTANCE_THRESHOLD),
    partial(measure_loss, "talk", "collapsed", [HITS], OBJECTS),
    partial(measure_loss, "hgcalml", "clusters", [HITS], OBJECTS),
    partial(measure_clusters, "clusters", "nearest", DISTANCE_THRESHOLD),
    partial(measure_clusters, "collapsed", "first", DISTANCE_THRESHOLD),
    partial(measure_clusters, "spread", "first", 1e-3),  # nearly every candidate is a point
    partial(measure_sums, "clusters", "hinge"),
    partial(measure_sums, "collapsed", "exponential"),
    partial(measure_loss, "paper", "clusters", [340] * 8, 6),
)


def main(file: Path, seconds: float) -> int:
    end = time.monotonic() + seconds - 8
    findings: list[dict[str, Any]] = []
    for measure in WORKS:
        if time.monotonic() > end:
            break
        try:
            findings += measure()
            torch.cuda.empty_cache()
        except Exception as problem:  # the others must not be lost
            name = " ".join([measure.func.__name__, *map(str, measure.args)])
            findings.append({"name": name, "failed": repr(problem)[:500]})
        write(file, findings)
    wrong = [
        finding["name"]
        for finding in findings
        if not finding.get("same", True)
        or finding.get("error", 0.0) > 1e-9
        or finding.get("float32_error", 0.0) > 1e-6
    ]
    print(f"{len(findings)} findings, {len(wrong)} wrong", *wrong, sep="\n")
    return 1 if wrong or any("failed" in finding for finding in findings) else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), float(sys.argv[2])))
