"""Shapes and toy jets keep what their docstrings promise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.spatial import cKDTree

from hitgraph.datasets import (
    JET_CLASSES,
    JET_FEATURES,
    JET_PADDING,
    SHAPE_CLASSES,
    Jets,
    Shapes,
    jets,
    shapes,
)


@pytest.mark.parametrize("make", [shapes, jets])
class TestBoth:
    def test_the_seed_decides(self, make: Callable[..., Shapes | Jets]) -> None:
        first, again, other = make(5, rng=3), make(5, rng=3), make(5, rng=4)
        for a, b in zip(first, again, strict=True):
            np.testing.assert_array_equal(a, b)
        assert not np.array_equal(first[0], other[0])

    def test_a_generator_is_advanced(self, make: Callable[..., Shapes | Jets]) -> None:
        random = np.random.default_rng(3)
        np.testing.assert_array_equal(make(5, rng=random)[0], make(5, rng=3)[0])
        assert not np.array_equal(make(5, rng=random)[0], make(5, rng=3)[0])

    def test_none(self, make: Callable[..., Shapes | Jets]) -> None:
        assert all(len(part) == 0 for part in make(0, rng=1))

    def test_every_class_is_drawn(self, make: Callable[..., Shapes | Jets]) -> None:
        classes = len(SHAPE_CLASSES if make is shapes else JET_CLASSES)
        label = make(300, rng=1).label
        assert label.dtype == np.int64
        assert (np.bincount(label, minlength=classes) > 150 / classes).all()
        assert label.max() == classes - 1


def ball_heights() -> dict[str, tuple[np.ndarray, float]]:
    """Of balls without noise: all displacements, and how alike those of neighbours are."""
    made = shapes(400, rng=2, noise=0.0, stretch=0.0)
    found: dict[str, tuple[list[np.ndarray], list[float]]] = {}
    for points, label in zip(made.points, made.label, strict=True):
        body, surface = SHAPE_CLASSES[label].split(", ")
        if body != "ball":
            continue
        radius = np.linalg.norm(points, axis=1)
        nearest = cKDTree(points / radius[:, None]).query(points / radius[:, None], 2)[1][:, 1]
        heights, alike = found.setdefault(surface, ([], []))
        heights.append(radius - 1)
        alike.append(np.corrcoef(radius, radius[nearest])[0, 1])
    return {name: (np.concatenate(h), float(np.mean(a))) for name, (h, a) in found.items()}


def test_only_neighbours_tell_the_relief() -> None:
    found = ball_heights()
    assert set(found) == {"rough", "ripples", "waves"}
    for heights, _ in found.values():
        assert heights.std() == pytest.approx(0.06, rel=0.1)
        assert np.quantile(np.abs(heights), 0.95) == pytest.approx(0.115, rel=0.1)
    alike = {name: correlation for name, (_, correlation) in found.items()}
    assert abs(alike["rough"]) < 0.05 < 0.5 < alike["ripples"] < 0.85 < alike["waves"]


def test_bodies() -> None:
    made = shapes(60, rng=5, relief=0.0, noise=0.0, stretch=0.0)
    assert made.points.shape == (60, 1024, 3) and made.points.dtype == np.float32
    for points, label in zip(made.points.astype(np.float64), made.label, strict=True):
        across = np.hypot(points[:, 0], points[:, 1])
        body = SHAPE_CLASSES[label].split(", ")[0]
        if body == "ball":
            np.testing.assert_allclose(np.hypot(across, points[:, 2]), 1.0, atol=1e-5)
        else:
            at_end = np.abs(np.abs(points[:, 2]) - 0.9) < 1e-5
            assert 0.2 < at_end.mean() < 0.5 and np.abs(points[:, 2]).max() < 0.9001
            if body == "cylinder":
                np.testing.assert_allclose(across[~at_end], 1.0, atol=1e-5)
            else:
                assert across.max() == pytest.approx(0.9 * np.sqrt(2), rel=0.05)


def test_shapes_are_turned_around_one_axis() -> None:
    made = shapes(200, rng=6, relief=0.0, noise=0.0, stretch=0.0)
    boxes = [p for p, k in zip(made.points, made.label, strict=True) if k >= 6]
    angles = []
    for points in boxes:
        corner = points[np.hypot(points[:, 0], points[:, 1]).argmax()]
        angles.append(np.arctan2(corner[1], corner[0]) % (np.pi / 2))
    assert np.ptp(angles) > 0.9 * np.pi / 2 and np.histogram(angles, 4)[0].min() > 3


def test_jets_are_padded() -> None:
    made = jets(200, rng=1, particles=40)
    assert made.coordinates.shape == (200, 40, 2) and made.features.shape == (200, 40, 7)
    assert len(JET_FEATURES) == 7 and made.mask.dtype == np.bool_
    count = made.mask.sum(1)
    np.testing.assert_array_equal(made.mask, np.arange(40) < count[:, None])
    assert count.min() >= 10 and count.max() == 40
    assert (made.coordinates[~made.mask] == JET_PADDING).all()
    assert (made.features[~made.mask] == 0).all()
    assert np.isfinite(made.features).all()
    for array in (made.coordinates, made.features):
        assert array.dtype == np.float32


def test_features_of_jets() -> None:
    made = jets(200, rng=2, particles=400)  # nobody is left out
    for place, features, mask in zip(*made[:3], strict=True):
        eta, phi, pt, energy, pt_share, energy_share, distance = features[mask].T.astype(float)
        np.testing.assert_array_equal(np.stack([eta, phi], 1), place[mask])
        assert (np.diff(pt) <= 0).all() and (energy >= pt - 1e-5).all()
        for share, whole in ((pt_share, pt), (energy_share, energy)):
            assert np.exp(share).sum() == pytest.approx(1, abs=1e-3)
            np.testing.assert_allclose(share - whole, (share - whole)[0], atol=1e-3)
        np.testing.assert_allclose(distance, np.hypot(eta, phi), atol=1e-5)
        assert 499.9 < np.exp(pt).sum() < 1000.1


def test_only_neighbours_tell_the_prongs() -> None:
    made = jets(1500, rng=3, particles=100)
    count, pt, distance = [], [], []
    nearest = []
    for kind in range(len(JET_CLASSES)):
        chosen = made.label == kind
        mask = made.mask[chosen]
        count.append(mask.sum(1).mean())
        pt.append(np.median(made.features[chosen][mask][:, 2]))
        distance.append(np.sqrt((made.features[chosen][mask][:, 6] ** 2).mean()))
        seventh = [
            np.median(cKDTree(place[there]).query(place[there], 8)[0][:, 7])
            for place, there in zip(made.coordinates[chosen], mask, strict=True)
        ]
        nearest.append(np.mean(seventh))
    for same, tolerance in ((count, 0.05), (pt, 0.05), (distance[1:], 0.15)):
        assert np.ptp(same) < tolerance * abs(np.mean(same))
    assert (np.diff(nearest) > 0).all() and nearest[-1] > 2 * nearest[0]


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda: shapes(-1, rng=1), ValueError, "shapes: expected n to be at least 0, got -1"),
        (lambda: shapes(1, rng=1, points=0), ValueError, "points to be at least 1, got 0"),
        (lambda: shapes(1, rng=1, relief=-0.1), ValueError, "relief to be between 0 and 1"),
        (lambda: shapes(1, rng=1, noise=2.0), ValueError, "noise to be between 0 and 1, got 2"),
        (lambda: shapes(1, rng=1, stretch=2.0), ValueError, "stretch to be between 0 and 1"),
        (lambda: shapes(1, rng=None), TypeError, "shapes: expected rng to be a seed"),
        (lambda: jets(2.0, rng=1), TypeError, "jets: expected n to be an integer, got float"),
        (lambda: jets(1, rng=1, particles=0), ValueError, "particles to be at least 1"),
        (
            lambda: jets(1, rng=1, transverse_momentum=(0.0, 5.0)),
            ValueError,
            "lower end of transverse_momentum to be finite and above 0",
        ),
        (
            lambda: jets(1, rng=1, transverse_momentum=(9.0, 5.0)),
            ValueError,
            "two finite numbers in ascending order",
        ),
    ],
)
def test_errors_are_sentences(
    call: Callable[[], object], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence) as raised:
        call()
    assert str(raised.value).startswith("hitgraph.datasets.")
