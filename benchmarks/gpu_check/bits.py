"""Every named set of points: are the rows that the GPU finds those of the CPU, bit for bit? And so
are GravNet's aggregates of every size."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

import hitgraph
from hitgraph import datasets

from . import gravnet_bits
from .findings import write


def same_bits(points: torch.Tensor, splits: torch.Tensor, k: int) -> bool:
    expected = hitgraph.knn(points, k, splits)
    got = hitgraph.knn(points.cuda(), k, splits.cuda())
    width = torch.int32 if expected.distance2.dtype == torch.float32 else torch.int64
    return torch.equal(got.index.cpu(), expected.index) and torch.equal(
        got.distance2.cpu().view(width), expected.distance2.view(width)
    )


def same_radius_bits(points: torch.Tensor, splits: torch.Tensor, cap: int | None) -> bool:
    """For a radius that holds about 20 points."""
    reach = hitgraph.knn(points, 20, splits).distance2[:, -1].sqrt()
    known = reach[reach.isfinite()]
    r = known.median().item() if len(known) else 1.0
    expected = hitgraph.radius(points, r, splits, max_neighbors=cap)
    got = hitgraph.radius(points.cuda(), r, splits.cuda(), max_neighbors=cap)
    width = torch.int32 if expected.distance2.dtype == torch.float32 else torch.int64
    return (
        torch.equal(got.row_splits.cpu(), expected.row_splits)
        and torch.equal(got.index.cpu(), expected.index)
        and torch.equal(got.distance2.cpu().view(width), expected.distance2.view(width))
    )


# Points, dimensions, numbers of neighbours.
Sizes = tuple[int, tuple[int, ...], tuple[int, ...]]
SMALL: Sizes = (9000, (1, 2, 3, 4, 6, 8, 16), (1, 40, 300))
MANY_DIMENSIONS: Sizes = (3000, (12, 17, 64, 130), (20, 300, 500))
LARGE: Sizes = (150_000, (2, 3, 4), (16, 64))


def compare_sets(file: Path, findings: dict[str, bool], sizes: Sizes) -> None:
    n, dimensions, ks = sizes
    for d in dimensions:
        for name in datasets.names(d=d):
            batch = datasets.batch(name, n, d, rng=3)
            points, splits = torch.as_tensor(batch.points), torch.as_tensor(batch.row_splits)
            for k in ks:
                case = f"{name} d={d} n={n} k={k}"
                findings[case] = False  # what it stays if the GPU gives up
                write(file, findings)
                findings[case] = same_bits(points, splits, k)
            if n == SMALL[0]:  # where all points are the same, rows are as long as the event
                for cap in (None, 10):
                    case = f"{name} d={d} n={n} radius cap={cap}"
                    findings[case] = False
                    write(file, findings)
                    findings[case] = same_radius_bits(points, splits, cap)
            write(file, findings)


def compare_aggregates(file: Path, findings: dict[str, bool], device: str) -> None:
    findings["gravnet special values"] = gravnet_bits.special_values(device)
    for case in gravnet_bits.cases():
        findings[str(case)] = False
        if case.k == gravnet_bits.NEIGHBOURS[0]:
            write(file, findings)
        findings[str(case)] = gravnet_bits.same(case, device)
    write(file, findings)


def main(file: Path) -> int:
    findings: dict[str, bool] = {}
    # Small ones first: the most is seen if time runs out.
    compare_sets(file, findings, SMALL)
    compare_sets(file, findings, MANY_DIMENSIONS)
    compare_aggregates(file, findings, "cuda")
    compare_sets(file, findings, LARGE)
    wrong = [case for case, same in findings.items() if not same]
    print(f"{len(findings)} cases, {len(wrong)} differ", *wrong[:20], sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
