"""Every named set of points: are the rows that the GPU finds those of the CPU, bit for bit?"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import torch

import hitgraph
from hitgraph import datasets

from .findings import write


def same_bits(points: torch.Tensor, splits: torch.Tensor, k: int) -> bool:
    expected = hitgraph.knn(points, k, splits)
    got = hitgraph.knn(points.cuda(), k, splits.cuda())
    width = torch.int32 if expected.distance2.dtype == torch.float32 else torch.int64
    return torch.equal(got.index.cpu(), expected.index) and torch.equal(
        got.distance2.cpu().view(width), expected.distance2.view(width)
    )


def cases() -> Iterator[tuple[str, int, int, tuple[int, ...]]]:
    """Small ones first: the most is seen if time runs out."""
    for n, dimensions, ks in (
        (9000, (1, 2, 3, 4, 6, 8, 16), (1, 40, 300)),
        (150_000, (2, 3, 4), (16, 64)),
    ):
        for d in dimensions:
            for name in datasets.names(d=d):
                yield name, d, n, ks


def main(file: Path) -> int:
    findings: dict[str, bool] = {}
    for name, d, n, ks in cases():
        batch = datasets.batch(name, n, d, rng=3)
        points, splits = torch.as_tensor(batch.points), torch.as_tensor(batch.row_splits)
        for k in ks:
            case = f"{name} d={d} n={n} k={k}"
            findings[case] = False  # what it stays if the GPU gives up
            write(file, findings)
            findings[case] = same_bits(points, splits, k)
        write(file, findings)
    wrong = [case for case, same in findings.items() if not same]
    print(f"{len(findings)} cases, {len(wrong)} differ", *wrong[:20], sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
