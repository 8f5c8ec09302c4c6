"""Small calls of every kernel, for compute-sanitizer, which runs them a hundred times slower."""

from __future__ import annotations

import sys

import torch

import hitgraph


def main() -> None:
    random = torch.Generator().manual_seed(1)
    sizes = [(300, 3, 16), (2500, 2, 40), (400, 16, 8)]
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
    torch.cuda.synchronize()


if __name__ == "__main__":
    main()
