"""Checks of arguments that all generators share; every message names the function, the argument and
what came.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np

Rng: TypeAlias = int | np.integer | np.random.Generator


def generator(where: str, rng: Rng) -> np.random.Generator:
    """The generator that `rng` stands for: a seed starts a new one, a Generator is used (and
    advanced) as it is.
    """
    if isinstance(rng, np.random.Generator):
        return rng
    if isinstance(rng, (int, np.integer)) and not isinstance(rng, bool):
        if rng < 0:
            raise ValueError(f"{where}: expected rng to be a seed of at least 0, got {rng}")
        return np.random.default_rng(int(rng))
    # None would draw a seed from the machine: such data could not be made again.
    raise TypeError(
        f"{where}: expected rng to be a seed or a numpy.random.Generator, got {type(rng).__name__}"
    )


def count(where: str, name: str, value: int, at_least: int = 0) -> int:
    """`value` as an int, or a sentence why it is not a count."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{where}: expected {name} to be an integer, got {type(value).__name__}")
    if value < at_least:
        raise ValueError(f"{where}: expected {name} to be at least {at_least}, got {value}")
    return int(value)


def fraction(where: str, name: str, value: float) -> float:
    """`value` as a float between 0 and 1."""
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{where}: expected {name} to be between 0 and 1, got {value}")
    return float(value)


def positive(where: str, name: str, value: float) -> float:
    """`value` as a finite float above 0."""
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{where}: expected {name} to be finite and above 0, got {value}")
    return float(value)


def interval(where: str, name: str, value: tuple[float, float]) -> tuple[float, float]:
    """`value` as two finite floats in ascending order."""
    if len(value) != 2 or not all(math.isfinite(v) for v in value) or value[0] > value[1]:
        raise ValueError(
            f"{where}: expected {name} to be two finite numbers in ascending order, got {value}"
        )
    return float(value[0]), float(value[1])
