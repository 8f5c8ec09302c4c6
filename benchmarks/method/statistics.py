"""Medians, spreads, exponents, and what counts as slower."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

NOISE = 1.10
"""Medians that differ by less are the same: two runs on one shared machine do."""
NOISE_OF_ONE = 1.30
"""The same where a median is of fewer than three samples."""


class Spread(NamedTuple):
    """Median and quartiles of samples, and how many there are."""

    median: float
    low: float
    high: float
    count: int  # type: ignore[assignment]  # hides tuple.count


def spread(samples: Sequence[float]) -> Spread:
    """Quartiles by linear interpolation between the samples (NumPy's default).

    Raises:
        ValueError: there are none.
    """
    if not samples:
        raise ValueError("expected at least one sample, got none")
    if len(samples) == 1:
        return Spread(samples[0], samples[0], samples[0], 1)
    low, median, high = statistics.quantiles(samples, n=4, method="inclusive")
    return Spread(median, low, high, len(samples))


def exponent(seconds: Mapping[int, float]) -> float | None:
    """a of seconds ∝ n^a: the slope of the least-squares line through (ln n, ln seconds).

    None from fewer than two sizes.
    """
    if len(seconds) < 2:
        return None
    x = [math.log(n) for n in seconds]
    y = [math.log(s) for s in seconds.values()]
    return statistics.linear_regression(x, y).slope


def slowdown(old: Sequence[float], new: Sequence[float]) -> float | None:
    """How many times as long the new samples take, if that is beyond noise; None if it is not.

    Beyond noise: the medians differ by more than NOISE, and the middle halves of the samples do not
    overlap. With fewer than three samples there are no middle halves, and NOISE_OF_ONE decides.
    """
    before, after = spread(old), spread(new)
    ratio = after.median / before.median
    if min(before.count, after.count) < 3:
        return ratio if ratio > NOISE_OF_ONE else None
    return ratio if ratio > NOISE and after.low > before.high else None
