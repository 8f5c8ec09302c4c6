"""GravNet's aggregation over every width and every number of neighbours: the CPU's bits forward,
backward the same bits twice, near the exact gradient."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import torch

import hitgraph

from .gravnet_problem import (
    TOLERANCE,
    Problem,
    aggregate,
    differentiate,
    gradient_error,
    random_grads,
    random_problem,
    same_bits,
)

# More rows than a hub's piece has edges, so that hubs are split.
ROWS, POINTS = 700, 500
CHANNELS = (1, 3, 8, 22, 32, 33, 64, 128)
NEIGHBOURS = (1, 7, 16, 40, 64, 100, 255, 256, 300)  # slots are uint8 up to 255, int32 beyond
DIVISORS, MISSING = ("one", "k", "count"), ("skip", "zero")


class Case(NamedTuple):
    """What is compared under one name: every divisor, both kinds of missing, both index types."""

    channels: int
    k: int
    dtype: torch.dtype
    weights: bool

    def __str__(self) -> str:
        given = " given weights" if self.weights else ""
        return f"gravnet F={self.channels} k={self.k} {self.dtype}{given}".replace("torch.", "")


def cases() -> Iterator[Case]:
    types = itertools.product((torch.float32, torch.float64), (False, True))
    for (dtype, weights), channels, k in itertools.product(types, CHANNELS, NEIGHBOURS):
        yield Case(channels, k, dtype, weights)


def forward_is_the_cpus(problem: Problem, device: str) -> bool:
    """Sums, maxima and slots, by every divisor and for both kinds of missing neighbours."""
    there = problem.to(device)
    return all(
        same_bits(got, expected)
        for divisor, missing in itertools.product(DIVISORS, MISSING)
        for got, expected in zip(
            aggregate(there, divisor, missing), aggregate(problem, divisor, missing), strict=True
        )
    )


def backward_is_deterministic(problem: Problem, device: str) -> bool:
    """The same bits with the transposed graph given and made, by every divisor."""
    there = problem.to(device)
    grads = random_grads(there)
    transposed = hitgraph.transpose_graph(there.index, len(there.features))
    for divisor in DIVISORS:
        results = aggregate(there, divisor)
        made = differentiate(there, results, grads, None, divisor)
        given = differentiate(there, results, grads, transposed, divisor)
        if not all(same_bits(a, b) for a, b in zip(made, given, strict=True)):
            return False
    return True


def backward_is_near(problem: Problem, device: str, divisor: str = "count") -> bool:
    """Whether both gradients are within the tolerance of the exact ones."""
    there = problem.to(device)
    results, grads = aggregate(there, divisor), random_grads(there)
    found = differentiate(there, results, grads, None, divisor)
    return gradient_error(there, results, grads, found, divisor) <= TOLERANCE


def same(case: Case, device: str) -> bool:
    """Whether everything about a case is as it should be."""
    problem = random_problem(
        ROWS,
        case.k,
        POINTS,
        case.channels,
        dtype=case.dtype,
        weights=case.weights,
        seed=case.k,
    )
    return (
        forward_is_the_cpus(problem, device)
        and forward_is_the_cpus(problem._replace(index=problem.index.int()), device)
        and backward_is_deterministic(problem, device)
        and (case.dtype == torch.float64 or backward_is_near(problem, device))
    )


def special_values(device: str) -> bool:
    """Infinities, NaN, zeros of both signs, and numbers below the normal ones."""
    right = True
    for channels in (22, 32):
        problem = random_problem(ROWS, 16, POINTS, channels)
        numbers = torch.tensor([torch.inf, -torch.inf, torch.nan, 0.0, -0.0, 1e-40])
        problem.features[7], problem.features[: len(numbers)] = 1.0, numbers[:, None]
        problem.values[::5] *= 20  # weights below the normal numbers
        right &= forward_is_the_cpus(problem, device)
    return right
