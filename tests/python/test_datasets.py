"""Point sets keep what their docstrings promise: shapes, degeneracies, seeds, errors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from point_statistics import fraction_duplicated, fraction_tied
from scipy.spatial import cKDTree

from hitgraph import datasets

N = 12_000  # enough for the thousands of tiny events


@pytest.mark.parametrize("name", datasets.names())
class TestEverySet:
    def test_shape_and_dtype(self, name: str) -> None:
        batch = datasets.batch(name, N, 3, 1)
        assert batch.points.shape == (N, 3) and batch.points.dtype == np.float32
        assert batch.row_splits.dtype == np.int64
        assert batch.row_splits[0] == 0 and batch.row_splits[-1] == N
        assert (np.diff(batch.row_splits) >= 0).all()

    def test_same_seed_same_points(self, name: str) -> None:
        first, second = datasets.batch(name, N, 3, 7), datasets.batch(name, N, 3, 7)
        np.testing.assert_array_equal(first.points, second.points)
        np.testing.assert_array_equal(first.row_splits, second.row_splits)

    def test_other_seed_other_points(self, name: str) -> None:
        first, second = datasets.batch(name, N, 3, 7), datasets.batch(name, N, 3, 8)
        assert not np.array_equal(first.points, second.points)

    def test_seed_is_a_fresh_generator(self, name: str) -> None:
        random = np.random.default_rng(7)
        first = datasets.batch(name, N, 3, random)
        np.testing.assert_array_equal(first.points, datasets.batch(name, N, 3, 7).points)
        assert not np.array_equal(first.points, datasets.batch(name, N, 3, random).points)

    def test_global_state_is_neither_used_nor_changed(self, name: str) -> None:
        before = np.random.get_state()[1].copy()
        datasets.batch(name, N, 3, 7)
        np.testing.assert_array_equal(before, np.random.get_state()[1])

    def test_no_points(self, name: str) -> None:
        if name == "one_huge_many_tiny":
            pytest.skip("this set has at least the points of its tiny events")
        assert datasets.batch(name, 0, 3, 1).points.shape == (0, 3)
        assert datasets.batch(name, 1, 3, 1).points.shape == (1, 3)

    def test_only_non_finite_is_not_finite(self, name: str) -> None:
        finite = np.isfinite(datasets.batch(name, N, 3, 1).points).all()
        assert finite == (name != "non_finite")


@pytest.mark.parametrize("d", [1, 2, 8, 64])
def test_any_dimension(d: int) -> None:
    names = datasets.names(d=d)
    assert len(names) == len(datasets.names()) - 4  # calo, tracker, energy_eta, detector_lattice
    for name in names:
        assert datasets.batch(name, N, d, 1).points.shape == (N, d)


def test_names_select() -> None:
    assert set(datasets.names(batched=True)) == {
        "empty_events",
        "one_huge_many_tiny",
        "uneven_events",
    }
    assert "uniform" in datasets.names(adversarial=False)
    assert "identical" in datasets.names(adversarial=True, batched=False)
    both = datasets.names(adversarial=True) + datasets.names(adversarial=False)
    assert sorted(both) == sorted(datasets.names())


class TestSpaces:
    def test_uniform_and_gauss(self) -> None:
        uniform, gauss = datasets.uniform(N, 3, rng=1), datasets.gauss(N, 3, rng=1)
        assert uniform.min() >= 0 and uniform.max() < 1.0 + 1e-7
        np.testing.assert_allclose(uniform.mean(axis=0), 0.5, atol=0.02)
        np.testing.assert_allclose(gauss.mean(axis=0), 0.0, atol=0.05)
        np.testing.assert_allclose(gauss.std(axis=0), 1.0, atol=0.05)

    def test_clustered_is_clustered(self) -> None:
        def reach(points: np.ndarray) -> np.ndarray:
            return cKDTree(points).query(points, 9)[0][:, 8]

        clustered = reach(datasets.clustered(N, 3, rng=1))
        uniform = reach(datasets.uniform(N, 3, rng=1))
        assert np.median(clustered) < np.median(uniform) / 4
        spread = np.quantile(clustered, 0.95) / np.quantile(clustered, 0.05)
        assert spread > 10 * np.quantile(uniform, 0.95) / np.quantile(uniform, 0.05)

    def test_learned_space_labels(self) -> None:
        points, truth = datasets.learned_space(N, 4, rng=1, n_objects=50, noise=0.2)
        assert points.shape == (N, 4) and (truth == -1).sum() == round(0.2 * N)
        biggest = points[truth == np.bincount(truth[truth >= 0]).argmax()]
        assert biggest.std(axis=0).max() < points.std(axis=0).min() / 2

    def test_energy_eta(self) -> None:
        energy, eta, zero = datasets.energy_eta(N, rng=1).T
        assert energy.min() > 0.009 and energy.max() > 100 * np.median(energy)
        assert (np.abs(eta) >= 1.5).all() and (np.abs(eta) <= 3.0).all() and (zero == 0).all()
        assert len(np.unique(eta)) < 0.9 * N  # several hits a cell

    def test_detector_lattice(self) -> None:
        points = datasets.detector_lattice(N, rng=1).astype(np.float64)
        assert len(np.unique(points[:, 2])) <= 50 and (np.abs(points[:, :2]) <= 250.0).all()
        inside = (np.abs(points[:, :2]) < 250.0).all(axis=1)
        steps = points[inside, :2] / 0.6
        assert np.abs(steps - np.round(steps)).max() < 1e-3
        assert fraction_duplicated(points) > 0.01 and fraction_tied(points, 16) > 0.2


class TestAdversarial:
    def test_identical(self) -> None:
        assert len(np.unique(datasets.identical(100, 5, rng=1), axis=0)) == 1

    def test_half_identical(self) -> None:
        _, counts = np.unique(datasets.half_identical(1000, 3, rng=1), axis=0, return_counts=True)
        assert counts.max() == 500 and len(counts) == 501

    def test_duplicates(self) -> None:
        assert fraction_duplicated(datasets.duplicates(10_000, 4, rng=1)) == pytest.approx(0.1)

    def test_collapsed_with_outliers(self) -> None:
        norm = np.linalg.norm(datasets.collapsed_with_outliers(1000, 3, rng=1), axis=1)
        assert (norm > 999).sum() == 10 and (norm < 0.01).sum() == 990

    @pytest.mark.parametrize("name", ["line", "line_with_outlier"])
    def test_lines_have_one_dimension(self, name: str) -> None:
        points = datasets.points(name, 1000, 4, 1).astype(np.float64)
        far = np.linalg.norm(points, axis=1) > 100
        assert far.sum() == (name == "line_with_outlier")
        on_line = points[~far]
        spread = np.linalg.svd(on_line - on_line.mean(axis=0), compute_uv=False)
        assert spread[1] < 1e-5 * spread[0]
        assert (np.ptp(on_line, axis=0) > 0.4).all()  # parallel to no axis

    @pytest.mark.parametrize("d", [1, 3, 64])
    def test_integer_lattice(self, d: int) -> None:
        points = datasets.integer_lattice(1000, d, rng=1)
        np.testing.assert_array_equal(points, np.round(points))
        assert fraction_duplicated(points) == 0.0
        if d == 3:
            assert points.min() == 0 and points.max() == 9 and fraction_tied(points, 7) > 0.5

    def test_far_from_origin_defeats_the_expanded_form(self) -> None:
        x = datasets.far_from_origin(300, 3, rng=1)
        norm = (x * x).sum(axis=1)
        expanded = norm[:, None] + norm[None] - np.float32(2.0) * (x @ x.T)
        direct = ((x[:, None].astype(np.float64) - x[None]) ** 2).sum(axis=2)
        assert np.abs(expanded - direct).max() > 10 * direct.mean()

    def test_jet_padding(self) -> None:
        points = datasets.jet_padding(1000, 3, rng=1)
        far = points[:, 0] > 1e8
        assert far.sum() == 300 and (points[far] >= 1e9).all() and np.abs(points[~far]).max() < 10
        assert len(np.unique(points[far], axis=0)) > 250

    def test_non_finite(self) -> None:
        points = datasets.non_finite(1000, 3, rng=1)
        bad = ~np.isfinite(points)
        assert bad.any(axis=1).sum() == 50 and bad.sum() == 50
        for value in (np.isnan(points), points == np.inf, points == -np.inf):
            assert value.any()

    def test_overflowing_and_underflowing(self) -> None:
        over = datasets.overflowing(400, 3, rng=1)
        under = datasets.underflowing(400, 3, rng=1)
        with np.errstate(over="ignore", under="ignore"):
            far = ((over[:, None] - over[None]) ** 2).sum(axis=2)
            near = ((under[:, None] - under[None]) ** 2).sum(axis=2)
        assert 0.2 < np.isinf(far).mean() < 0.95
        assert fraction_duplicated(under) == 0.0 and near.max() < np.finfo(np.float32).tiny


class TestBatches:
    def test_empty_events(self) -> None:
        sizes = np.diff(datasets.empty_events(1000, 3, rng=1).row_splits)
        empty = sizes == 0
        assert empty[0] and empty[-1] and (empty[1:-2] & empty[2:-1]).any()
        assert (~empty).sum() == 4

    def test_one_huge_many_tiny(self) -> None:
        sizes = np.sort(np.diff(datasets.one_huge_many_tiny(N, 3, rng=1).row_splits))
        assert len(sizes) == 3001 and sizes[-2] <= 5 and sizes[-1] > N / 4
        assert sizes[0] == 0

    def test_given_sizes(self) -> None:
        batch = datasets.batch_of_sizes([3, 0, 2], 2, rng=1)
        np.testing.assert_array_equal(batch.row_splits, [0, 3, 3, 5])


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (
            lambda: datasets.points("nosuch", 5, 3, 1),
            ValueError,
            "expected one of uniform, .*nosuch",
        ),
        (lambda: datasets.points("calo", 5, 4, 1), ValueError, "expected d = 3 for the set 'calo'"),
        (lambda: datasets.points("empty_events", 5, 4, 1), ValueError, "which is a batch"),
        (
            lambda: datasets.uniform(-1, 3, rng=1),
            ValueError,
            "uniform: expected n to be at least 0",
        ),
        (lambda: datasets.uniform(5, 0, rng=1), ValueError, "expected d to be at least 1, got 0"),
        (
            lambda: datasets.uniform(2.5, 3, rng=1),
            TypeError,
            "expected n to be an integer, got float",
        ),
        (lambda: datasets.gauss(5, 3, rng=None), TypeError, "expected rng to be a seed or a numpy"),
        (
            lambda: datasets.gauss(5, 3, rng=-1),
            ValueError,
            "expected rng to be a seed of at least 0",
        ),
        (lambda: datasets.gauss(5, 3, rng=True), TypeError, "got bool"),
        (lambda: datasets.calo_event(rng=1, noise=2.0), ValueError, "noise to be between 0 and 1"),
        (lambda: datasets.calo_event(rng=1, eta=(3.0, 2.0)), ValueError, "eta to be two finite"),
        (lambda: datasets.calo_event(rng=1, energy=(0.0, 2.0)), ValueError, "lower end of energy"),
        (
            lambda: datasets.tracker_event(5, rng=1, magnetic_field=0.0),
            ValueError,
            "above 0, got 0",
        ),
        (lambda: datasets.duplicates(5, 3, rng=1, fraction=1.0), ValueError, "leave an original"),
        (lambda: datasets.one_huge_many_tiny(5, 3, rng=1), ValueError, "expected n to be at least"),
        (lambda: datasets.batch_of_sizes([2, -1], 3, rng=1), ValueError, "a size to be at least 0"),
    ],
)
def test_errors_are_sentences(
    call: Callable[[], object], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence) as raised:
        call()
    assert str(raised.value).startswith("hitgraph.datasets.")
