"""The generators keep what their docstrings promise: shapes, units, sizes, degeneracies, seeds,
errors.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import cKDTree

from hitgraph import datasets

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "hgcal"
RECORDED = Path(os.environ.get("HITGRAPH_EVENTS", SHARED))
N = 12_000  # enough for the thousands of tiny events


def fraction_tied(points: np.ndarray, k: int) -> float:
    """Fraction of points whose neighbours k and k + 1 are equally far, to rounding of float64."""
    distance, _ = cKDTree(points.astype(np.float64)).query(points.astype(np.float64), k + 2)
    return float(np.isclose(distance[:, k], distance[:, k + 1], rtol=1e-9, atol=0.0).mean())


def fraction_duplicated(points: np.ndarray) -> float:
    """Fraction of points that repeat an earlier one."""
    return 1.0 - len(np.unique(points, axis=0)) / len(points)


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


class TestCalorimeter:
    event = datasets.calo_event(120, rng=1, hits_per_gev=40.0)

    @pytest.mark.parametrize("seed", [1, 2, 3, 4])
    def test_size_of_a_recorded_endcap(self, seed: int) -> None:
        hits = len(datasets.calo_event(120, rng=seed, hits_per_gev=40.0).energy)
        assert 50_000 < hits < 75_000

    def test_size_in_full_azimuth(self) -> None:
        event = datasets.calo_event(500, rng=1, phi=(-np.pi, np.pi))
        assert 170_000 < len(event.energy) < 240_000
        assert event.position[:, 0].min() < -50 < 50 < event.position[:, 0].max()

    def test_columns(self) -> None:
        position, energy, truth = self.event
        assert truth is not None
        assert position.shape == (len(energy), 3) and truth.shape == energy.shape
        assert (position.dtype, energy.dtype, truth.dtype) == (np.float32, np.float32, np.int64)
        assert (energy > 0).all() and (np.diff(energy) <= 0).all()
        assert set(np.unique(truth)) <= set(range(-1, 120))
        assert 0.08 < (truth == -1).mean() < 0.2  # 10 % of the depositions, which share fewer cells

    def test_hits_are_on_the_lattice(self) -> None:
        position = self.event.position.astype(np.float64)
        planes = np.unique(position[:, 2])
        assert len(planes) == 50 and planes[0] == 322.0
        fine = position[:, 2] < 413.0  # the first 36 planes have cells of 1 cm, the rest of 3 cm
        assert np.allclose(position[fine, :2] % 1.0, 0.5)
        assert np.allclose(position[~fine, :2] % 3.0, 1.5)
        assert fraction_duplicated(self.event.position) == 0.0

    def test_ties(self) -> None:
        assert 0.5 < fraction_tied(self.event.position, 40) < 0.65

    def test_showers_are_where_they_were_asked_for(self) -> None:
        event = datasets.calo_event(30, rng=1, eta=(2.0, 2.0), phi=(0.3, 0.3), noise=0.0)
        x, y, z = event.position.astype(np.float64).T
        centre = np.average(np.arctan2(y, x), weights=event.energy)
        eta = np.arcsinh(z / np.hypot(x, y))
        assert abs(centre - 0.3) < 0.05
        assert abs(np.average(eta, weights=event.energy) - 2.0) < 0.05

    def test_energy_is_conserved_within_leakage(self) -> None:
        event = datasets.calo_event(300, rng=1, energy=(10.0, 10.0), noise=0.0)
        assert event.energy.sum() == pytest.approx(300 * 10.0, rel=0.03)

    def test_truth_is_the_largest_depositor(self) -> None:
        # Two noise hits of 0.02 GeV are under a cell here, and must not own the hot ones.
        event = datasets.calo_event(
            4, rng=1, energy=(100.0, 100.0), eta=(1.98, 2.07), phi=(0.28, 0.36), noise=1.0
        )
        assert event.truth is not None
        assert (event.truth[event.energy > 1.0] >= 0).all() and (event.energy > 1.0).sum() > 20

    def test_no_showers(self) -> None:
        assert datasets.calo_event(0, rng=1).position.shape == (0, 3)


class TestTracker:
    event = datasets.tracker_event(12_000, rng=1)

    def test_sizes(self) -> None:
        assert 85_000 < len(self.event.position) < 99_000
        assert 3_300 < len(datasets.tracker_event(500, rng=1).position) < 4_300

    def test_columns(self) -> None:
        position, truth, layer, momentum = self.event
        assert position.dtype == np.float32 and momentum.dtype == np.float32
        assert position.shape == (len(truth), 3) and layer.shape == truth.shape
        assert len(momentum) == 12_000 and momentum.min() > 0.15
        assert truth.min() == -1 and truth.max() < 12_000
        assert set(np.unique(layer)) == set(range(10))

    def test_hits_are_on_the_layers(self) -> None:
        radius = np.hypot(*self.event.position[:, :2].T.astype(np.float64))
        layers = np.array([32, 72, 116, 172, 260, 360, 500, 660, 820, 1020.0])
        np.testing.assert_allclose(radius, layers[self.event.layer], rtol=1e-5)

    def test_a_particle_crosses_a_layer_once(self) -> None:
        signal = self.event.truth >= 0
        crossing = np.column_stack([self.event.truth, self.event.layer])[signal]
        assert len(np.unique(crossing, axis=0)) == len(crossing)

    def test_hits_of_a_particle_lie_on_its_helix(self) -> None:
        # A circle of radius ρ through the origin: r = 2 ρ sin(change of azimuth). From two layers
        # follows ρ, from ρ p_T.
        position, truth, layer, momentum = self.event
        inner = {t: p for t, p in zip(truth[layer == 5], position[layer == 5], strict=True)}
        for particle, outer in zip(truth[layer == 9], position[layer == 9], strict=True):
            if particle < 0 or particle not in inner or momentum[particle] > 1.5:
                continue
            phi = np.arctan2(outer[1], outer[0]) - np.arctan2(*inner[particle][1::-1])
            turned = abs((phi + np.pi) % (2 * np.pi) - np.pi)
            rho = 1000.0 * momentum[particle] / (0.3 * 2.0)
            assert turned == pytest.approx(
                np.arcsin(1020.0 / (2 * rho)) - np.arcsin(360.0 / (2 * rho)), abs=3e-3
            )


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


class TestRecordedEvents:
    def test_columns(self, tmp_path: Path) -> None:
        table = np.random.default_rng(1).random((5, 9)).astype(np.float32)
        np.save(tmp_path / "event.npy", table)
        event = datasets.read_event(tmp_path / "event.npy")
        np.testing.assert_array_equal(event.position, table[:, 5:8])
        np.testing.assert_array_equal(event.energy, table[:, 0])
        assert event.truth is None and len(datasets.EVENT_COLUMNS) == 9
        np.testing.assert_array_equal(datasets.read_event_table(tmp_path / "event.npy"), table)

    @pytest.mark.parametrize(
        ("content", "came"),
        [
            (np.zeros((4, 8), np.float32), r"got shape \(4, 8\)"),
            (np.zeros(9, np.float32), r"got shape \(9,\)"),
            (np.zeros((4, 9), np.float64), r"got dtype float64 and shape \(4, 9\)"),
            (np.zeros((4, 9), np.int32), "got dtype int32"),
            (np.array([{}]), "NumPy cannot read"),
        ],
    )
    def test_other_arrays(self, tmp_path: Path, content: np.ndarray, came: str) -> None:
        path = tmp_path / "event.npy"
        np.save(path, content, allow_pickle=True)
        with pytest.raises(ValueError, match=came) as raised:
            datasets.read_event(path)
        assert str(path) in str(raised.value) and "(N, 9)" in str(raised.value)
        assert "\n" not in str(raised.value)

    @pytest.mark.parametrize("content", [b"", b"x,y,z\n1,2,3\n", b"PK\x03\x04zip"])
    def test_other_formats(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "event.npy"
        path.write_bytes(content)
        with pytest.raises(ValueError, match="got a file of another format"):
            datasets.read_event(path)

    @pytest.mark.parametrize("kept", [7, 60, 200])
    def test_cut_short(self, tmp_path: Path, kept: int) -> None:
        path = tmp_path / "event.npy"
        np.save(path, np.zeros((100, 9), np.float32))
        path.write_bytes(path.read_bytes()[:kept])
        with pytest.raises(ValueError, match="NumPy cannot read"):
            datasets.read_event(path)

    def test_absent_file(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            datasets.read_event(tmp_path / "event.npy")

    @pytest.mark.parametrize("number", range(5))
    def test_real_events(self, number: int) -> None:
        path = RECORDED / f"event_{number}.npy"
        if not path.exists():
            pytest.skip(f"no recorded events in {RECORDED} (set HITGRAPH_EVENTS to their folder)")
        event, table = datasets.read_event(path), datasets.read_event_table(path)
        assert 40_000 < len(event.energy) < 60_000 and (event.energy > 0).all()
        column = dict(zip(datasets.EVENT_COLUMNS, table.T.astype(np.float64), strict=True))
        x, y, z = event.position.T.astype(np.float64)
        np.testing.assert_allclose(np.sqrt(x**2 + y**2 + z**2), column["distance"], rtol=1e-5)
        np.testing.assert_allclose(np.arctan2(np.hypot(x, y), z), column["theta"], atol=1e-4)
        np.testing.assert_allclose(np.arcsinh(z / np.hypot(x, y)), column["eta"], atol=1e-3)
        assert 0.08 < fraction_tied(event.position, 40) < 0.2


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
def test_errors_are_sentences(call, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence) as raised:
        call()
    assert str(raised.value).startswith("hitgraph.datasets.")
