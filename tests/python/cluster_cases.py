"""Point sets and batches that edge lists are asked for: random ones and those that break things."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

INTEGERS = [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64]
DTYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16, *INTEGERS]


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def uniform(n: int, d: int, seed: int) -> Tensor:
    return torch.rand(n, d, generator=_generator(seed))


def normal(n: int, d: int, seed: int) -> Tensor:
    return torch.randn(n, d, generator=_generator(seed)) * 10


def lattice(n: int, d: int, seed: int) -> Tensor:
    return torch.randint(0, 6, (n, d), generator=_generator(seed)).float()


def duplicates(n: int, d: int, seed: int) -> Tensor:
    few = uniform(max(1, n // 4), d, seed)
    return few[torch.randint(0, len(few), (n,), generator=_generator(seed + 1))]


def coincident(n: int, d: int, seed: int) -> Tensor:
    return torch.full((n, d), 1.5)


def far(n: int, d: int, seed: int) -> Tensor:
    return uniform(n, d, seed) * 1000 + 1e6


def line(n: int, d: int, seed: int) -> Tensor:
    points = torch.zeros(n, d)
    points[:, 0] = torch.logspace(-3, 3, n)
    return points


CLOUDS: dict[str, Callable[[int, int, int], Tensor]] = {
    cloud.__name__: cloud for cloud in (uniform, normal, lattice, duplicates, coincident, far, line)
}


def numbers(*sizes: int) -> Tensor:
    """The batch of graphs of these sizes."""
    return torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))


# (batch_x, batch_y) of 60 points and 40 queries; None: one graph.
BATCHES: dict[str, tuple[Tensor | None, Tensor | None]] = {
    "one graph": (None, None),
    "one graph, told": (numbers(60), numbers(40)),
    "one graph, told of x": (numbers(60), None),
    "three graphs": (numbers(10, 30, 20), numbers(20, 5, 15)),
    "a number is missing": (numbers(10, 0, 50), numbers(20, 0, 20)),
    "no queries in a graph": (numbers(10, 30, 20), numbers(20, 0, 20)),
    "no points in a graph": (numbers(10, 0, 50), numbers(20, 5, 15)),
    "only points in the last graph": (numbers(10, 30, 20), numbers(20, 20)),
    "only queries in the last graph": (numbers(10, 50), numbers(20, 5, 15)),
    "graphs of one point": (numbers(*[1] * 60), numbers(*[1] * 40)),
}
