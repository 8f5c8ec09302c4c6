"""Shapes that differ in body and in surface: clouds for networks that classify."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import arguments
from .arguments import Rng

FloatArray = NDArray[np.float64]
WAVES = 6  # plane waves that make up a relief
RELIEFS = {"rough": (0.3, 0.45), "ripples": (0.3, 0.45), "waves": (0.7, 1.0)}  # wavelengths
HALF_HEIGHT = 0.9  # of the cylinder and the box


class Shapes(NamedTuple):
    """Clouds of n shapes.

    Attributes:
        points: (n, p, 3) float32, each shape around the origin with an extent of about 2.
        label: (n,) int64, index in SHAPE_CLASSES.
    """

    points: NDArray[np.float32]
    label: NDArray[np.int64]


def shapes(
    n: int,
    *,
    rng: Rng,
    points: int = 1024,
    relief: float = 0.06,
    noise: float = 0.02,
    stretch: float = 0.2,
) -> Shapes:
    """Points on the surfaces of balls, cylinders and boxes, each with one of three reliefs, turned
    around the z axis.

    The relief moves a point along the normal of its body. In "waves" it is a sum of plane waves of
    wavelength 0.7 to 1.0, in "ripples" of 0.3 to 0.45; "rough" has the displacements of ripples,
    dealt out to the points at random. So the displacements of all three have the same
    distribution, and which it is shows only in how a point lies beside its neighbours: 1024 points
    are about 0.1 apart.

    Args:
        n: number of shapes, from 0; their classes are drawn at random.
        rng: a seed, or a numpy Generator, which is advanced.
        points: points of a shape, uniform on its body.
        relief: standard deviation of the displacements.
        noise: standard deviation of a further displacement in space, of each coordinate.
        stretch: every axis of every shape is scaled by a factor from 1 − stretch to 1 + stretch.
    """
    where = "hitgraph.datasets.shapes"
    random = arguments.generator(where, rng)
    n = arguments.count(where, "n", n)
    points = arguments.count(where, "points", points, 1)
    for name, value in (("relief", relief), ("noise", noise), ("stretch", stretch)):
        arguments.fraction(where, name, value)
    label = random.integers(0, len(SHAPE_CLASSES), n)
    clouds = np.empty((n, points, 3), np.float32)
    for cloud, kind in zip(clouds, label, strict=True):
        body, surface = SHAPE_CLASSES[kind].split(", ")
        place, normal = _BODIES[body](random, points)
        height = _relief(random, place, RELIEFS[surface])
        if surface == "rough":
            random.shuffle(height)
        place += relief * height[:, None] * normal
        place *= random.uniform(1 - stretch, 1 + stretch, 3)
        cloud[:] = _turned(random, place) + random.normal(0.0, noise, place.shape)
    return Shapes(clouds, label)


def _relief(
    random: np.random.Generator, place: FloatArray, wavelengths: tuple[float, float]
) -> FloatArray:
    """(p,) heights of variance 1: plane waves in random directions."""
    direction = _on_sphere(random, WAVES)
    wave = 2 * np.pi * direction / random.uniform(*wavelengths)
    phase = random.uniform(0.0, 2 * np.pi, WAVES)
    height: FloatArray = np.sin(place @ wave.T + phase).sum(axis=1) * np.sqrt(2 / WAVES)
    return height


def _turned(random: np.random.Generator, place: FloatArray) -> FloatArray:
    """Around the z axis by a random angle."""
    angle = random.uniform(0.0, 2 * np.pi)
    c, s = np.cos(angle), np.sin(angle)
    turned: FloatArray = place @ np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
    return turned


def _on_sphere(random: np.random.Generator, n: int) -> FloatArray:
    x = random.normal(size=(n, 3))
    unit: FloatArray = x / np.linalg.norm(x, axis=1, keepdims=True)
    return unit


def _ball(random: np.random.Generator, n: int) -> tuple[FloatArray, FloatArray]:
    normal = _on_sphere(random, n)
    return normal.copy(), normal


def _cylinder(random: np.random.Generator, n: int) -> tuple[FloatArray, FloatArray]:
    """Of radius 1: the side has 2 · HALF_HEIGHT of the area where both ends have 1."""
    on_side = random.random(n) < 2 * HALF_HEIGHT / (2 * HALF_HEIGHT + 1)
    angle = random.uniform(0.0, 2 * np.pi, n)
    round_ = np.stack([np.cos(angle), np.sin(angle), np.zeros(n)], axis=1)
    end = random.choice([-1.0, 1.0], n)
    radius = np.where(on_side, 1.0, np.sqrt(random.random(n)))
    place = radius[:, None] * round_
    place[:, 2] = np.where(on_side, random.uniform(-1.0, 1.0, n), end) * HALF_HEIGHT
    normal = np.where(on_side[:, None], round_, end[:, None] * [0.0, 0.0, 1.0])
    return place, normal


def _box(random: np.random.Generator, n: int) -> tuple[FloatArray, FloatArray]:
    place = random.uniform(-1.0, 1.0, (n, 3))
    axis, rows = random.integers(0, 3, n), np.arange(n)
    normal = np.zeros((n, 3))
    normal[rows, axis] = random.choice([-1.0, 1.0], n)
    place[rows, axis] = normal[rows, axis]
    return HALF_HEIGHT * place, normal


# (p, 3) places and (p, 3) unit normals there.
_BODIES: dict[str, Callable[[np.random.Generator, int], tuple[FloatArray, FloatArray]]] = {
    "ball": _ball,
    "cylinder": _cylinder,
    "box": _box,
}
SHAPE_CLASSES = tuple(", ".join(pair) for pair in itertools.product(_BODIES, RELIEFS))
"""What `shapes` draws: body and surface."""
