"""Small calls of every kernel, for compute-sanitizer, which runs them a hundred times slower."""

from __future__ import annotations

import sys

import torch

import hitgraph

from . import condensation
from .gravnet_problem import aggregate, differentiate, random_grads, random_problem


def small_aggregations(device: str) -> None:
    """Rows of vectors and of numbers, slots of both types, a hub of several pieces."""
    for channels, k, dtype, divisor in (
        (32, 16, torch.float32, "k"),
        (22, 5, torch.float32, "count"),
        (128, 3, torch.float64, "one"),
        (3, 300, torch.float32, "k"),
    ):
        rows = 60 if k == 300 else 1200
        weights = dtype == torch.float64
        problem = random_problem(rows, k, 300, channels, dtype=dtype, weights=weights).to(device)
        results = aggregate(problem, divisor, "zero")
        transposed = hitgraph.transpose_graph(problem.index, 300)
        differentiate(problem, results, random_grads(problem), transposed, divisor)


def small_searches_within(points: torch.Tensor) -> None:
    """Short rows, rows of every point, and both cut off."""
    leaf = points.clone().requires_grad_()
    splits = torch.tensor([0, 40, 40, len(points)], device="cuda")
    hitgraph.radius(leaf, 0.2, splits).distance2.sum().backward()
    hitgraph.radius(points.double(), 0.3, max_neighbors=4)
    several = points.repeat(3, 1)
    hitgraph.radius(several, 9.0, max_neighbors=1200)
    hitgraph.radius(several, 9.0, query_mask=torch.arange(len(several), device="cuda") < 50)


def small_edge_convolutions(device: str) -> None:
    """Trained and not, rows of vectors and of numbers, slots of both types, a hub."""
    for channels, k, dtype, training in (
        (64, 16, torch.float32, True),
        (22, 5, torch.float32, False),
        (130, 3, torch.float64, True),
        (5, 300, torch.float32, True),
    ):
        rows = 60 if k == 300 else 900
        index = torch.randint(-1, 30 if k == 16 else rows, (rows, k), device=device)
        network = torch.nn.Sequential(
            torch.nn.Linear(8, channels), torch.nn.BatchNorm1d(channels), torch.nn.ReLU()
        )
        layer = hitgraph.nn.EdgeConv(network).to(device, dtype).train(training)
        x = torch.rand(rows, 4, device=device, dtype=dtype, requires_grad=True)
        layer(x, index).sum().backward()


def small_condensations(device: str) -> None:
    """Events of a few tiles, objects of several pieces, batches of candidates, all widths."""
    for sizes, objects, dim, dtype in (
        ([1500, 0, 1, 90], 9, 3, torch.float32),
        ([300, 40], 140, 6, torch.float64),
        ([260], 5, 11, torch.float32),
    ):
        given = condensation.event("clusters", sizes, objects, dtype, dim).to(device)
        for preset in ("paper", "talk"):
            condensation.loss_and_gradients(preset, given)
        for assignment in ("first", "nearest"):
            for distance in (1e-3, 0.5):
                hitgraph.condensate(
                    given.beta,
                    given.x,
                    given.splits,
                    distance_threshold=distance,
                    assignment=assignment,
                    radius=given.scale,
                )


def main() -> None:
    random = torch.Generator().manual_seed(1)
    sizes = [(300, 3, 16), (2500, 2, 40), (400, 16, 8), (300, 33, 100), (9000, 16, 5)]
    if "--large-k" in sys.argv:
        sizes.append((1200, 4, 1100))
    for n, d, k in sizes:
        points = torch.rand(n, d, generator=random).cuda().requires_grad_()
        splits = torch.tensor([0, n // 3, n // 3, n], device="cuda")
        hitgraph.knn(points, k, splits).distance2.nan_to_num(posinf=0).sum().backward()
    points = torch.rand(500, 3, generator=random).cuda()
    mask = torch.rand(500, generator=random).cuda() < 0.5
    hitgraph.knn(points, 8, point_mask=mask, query_mask=~mask, max_radius=0.2)
    hitgraph.knn(points.double(), 8, queries=points[:50].double())
    hitgraph.debug.knn_stats(points, 8)
    nobody = torch.zeros(0, 3, device="cuda")
    asking = points[:200].clone().requires_grad_()
    found = hitgraph.knn(nobody, 16, queries=asking).distance2
    found.nan_to_num(posinf=0).sum().backward()
    # Everybody's neighbours are the same few: hubs.
    same = torch.zeros(3000, 2, device="cuda", requires_grad=True)
    hitgraph.knn(same, 8).distance2.sum().backward()
    small_searches_within(points)
    small_aggregations("cuda")
    small_edge_convolutions("cuda")
    small_condensations("cuda")
    torch.cuda.synchronize()


if __name__ == "__main__":
    main()
