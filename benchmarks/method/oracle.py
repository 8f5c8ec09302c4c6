"""Are the neighbours right? A sample of rows against float64 distances to every point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..problem import Problem, Row

TIE = 1e-5
"""Distances closer than this, relatively, count as equal: float32 cannot order them."""
DISTANCE = 1e-4
"""The largest relative error of a squared distance that a search may return."""

TOLD_OTHERWISE = 2e-3
"""The part of a layer's results that may depend on a choice which float32 cannot make."""


class Verdict(NamedTuple):
    """What a comparison found.

    Attributes:
        recall: of what should be there, the part that is; the lowest of the sampled rows' mean.
        error: the largest relative error of anything returned or of its distance.
        right: whether that is within what float32 explains.
    """

    recall: float
    error: float
    right: bool


def sampled(problem: Problem, rows: int = 100) -> NDArray[np.int64]:
    """Numbers of queries, spread over all."""
    m = problem.n_queries
    return np.random.default_rng(0).choice(m, min(rows, m), replace=False)


def distances2(problem: Problem, query: int) -> NDArray[np.float64]:
    """(n): float64, from a query to every point; +inf for another event's and for itself."""
    if query in problem.known:
        return problem.known[query]
    found = computed(problem, query)
    if found.nbytes * (len(problem.known) + 1) < 5e8:
        problem.known[query] = found
    return found


def computed(problem: Problem, query: int) -> NDArray[np.float64]:
    points = problem.exact
    if problem.queries is not None:
        other: NDArray[np.float64] = problem.queries[query].double().cpu().numpy()
        found: NDArray[np.float64] = np.square(points - other).sum(1)
        return found
    begin, end = problem.event_of(query)
    found = np.full(len(points), np.inf)
    found[begin:end] = np.square(points[begin:end] - points[query]).sum(1)
    found[query] = np.inf
    return found


def check_nearest(problem: Problem, queries: Sequence[int], rows: Sequence[Row]) -> Verdict:
    """The k nearest. A neighbour is right if it is no farther than the k-th, ties included."""
    recall, error = [], 0.0
    for query, row in zip(queries, rows, strict=True):
        distance2 = distances2(problem, query)
        k = min(problem.k, int(np.isfinite(distance2).sum()))
        truth = np.sort(np.partition(distance2, k - 1)[:k]) if k else distance2[:0]
        index = row.index[(row.index >= 0) & (row.index < len(distance2))]
        index = np.unique(index)  # twice the same counts once
        found = np.sort(distance2[index])[:k]
        near = found <= truth[-1] * (1 + TIE) if k else found >= 0
        recall.append(near.sum() / k if k else float(len(row.index) == 0))
        if len(found) == k and k:
            error = max(error, relative(found, truth))
        if row.distance2 is not None and len(row.index) == len(row.distance2):
            error = max(error, relative(row.distance2, distance2[row.index]))
    mean = float(np.mean(recall)) if recall else 1.0
    return Verdict(mean, error, mean == 1.0 and error <= DISTANCE)


def check_within(problem: Problem, queries: Sequence[int], rows: Sequence[Row]) -> Verdict:
    """All within r, and none beyond; those on the edge may be there or not."""
    recall, error, square = [], 0.0, float(problem.r) ** 2
    for query, row in zip(queries, rows, strict=True):
        distance2 = distances2(problem, query)
        inside = np.flatnonzero(distance2 < square * (1 - TIE))
        index = row.index[row.index != query] if problem.queries is None else row.index
        known = np.unique(index[(index >= 0) & (index < len(distance2))])
        found = np.isin(inside, known).sum()
        recall.append(found / len(inside) if len(inside) else 1.0)
        if len(known) != len(index):
            error = np.inf
        elif len(known):
            error = max(error, float(distance2[known].max() / square) - 1)
    mean = float(np.mean(recall)) if recall else 1.0
    return Verdict(mean, error, mean == 1.0 and error <= TIE)


def relative(found: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """The largest difference, in units of the truth (of the largest, where that is 0)."""
    if not len(truth):
        return 0.0
    scale = np.maximum(truth, 1e-6 * truth.max())
    difference = np.abs(found - truth)
    return float(np.max(np.divide(difference, scale, out=difference, where=scale > 0)))


def check_tensors(found: Sequence[Tensor], truth: Sequence[Tensor], bound: float) -> Verdict:
    """Results against float64 ones, in units of the largest of each; `recall` is the part of the
    numbers within the bound.

    A few may be beyond it: where float32 cannot tell the k-th neighbour from the next, or two
    maxima from each other, the other one is as right, and its result is another.
    """
    error, near, numbers = 0.0, 0, 0
    for mine, exact in zip(found, truth, strict=True):
        scale = exact.abs().max().clamp_min(1e-30)
        difference = (mine.detach().to(exact) - exact).abs() / scale
        difference = torch.nan_to_num(difference, nan=torch.inf)
        error = max(error, difference.max().item())
        near += int((difference <= bound).sum())
        numbers += difference.numel()
    recall = near / max(numbers, 1)
    return Verdict(recall, error, recall >= 1 - TOLD_OTHERWISE)


def as_dict(verdict: Verdict) -> dict[str, Any]:
    return {"recall": verdict.recall, "error": verdict.error}
