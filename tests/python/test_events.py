"""Generated and recorded events: columns, sizes, physics, and files that are no events."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from point_statistics import fraction_duplicated, fraction_tied
from recorded_events import recorded_event

from hitgraph import datasets


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
        inner = dict(zip(truth[layer == 5], position[layer == 5], strict=True))
        for particle, outer in zip(truth[layer == 9], position[layer == 9], strict=True):
            if particle < 0 or particle not in inner or momentum[particle] > 1.5:
                continue
            phi = np.arctan2(outer[1], outer[0]) - np.arctan2(*inner[particle][1::-1])
            turned = abs((phi + np.pi) % (2 * np.pi) - np.pi)
            rho = 1000.0 * momentum[particle] / (0.3 * 2.0)
            assert turned == pytest.approx(
                np.arcsin(1020.0 / (2 * rho)) - np.arcsin(360.0 / (2 * rho)), abs=3e-3
            )


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
        path = recorded_event(number)
        event, table = datasets.read_event(path), datasets.read_event_table(path)
        assert 40_000 < len(event.energy) < 60_000 and (event.energy > 0).all()
        column = dict(zip(datasets.EVENT_COLUMNS, table.T.astype(np.float64), strict=True))
        x, y, z = event.position.T.astype(np.float64)
        np.testing.assert_allclose(np.sqrt(x**2 + y**2 + z**2), column["distance"], rtol=1e-5)
        np.testing.assert_allclose(np.arctan2(np.hypot(x, y), z), column["theta"], atol=1e-4)
        np.testing.assert_allclose(np.arcsinh(z / np.hypot(x, y)), column["eta"], atol=1e-3)
        assert 0.08 < fraction_tied(event.position, 40) < 0.2
