"""python -m benchmarks: its oracle, statistics, adapters, a run that is cut off, its pages."""

from __future__ import annotations

import copy
import itertools
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from benchmarks import __main__ as program
from benchmarks import compare, inputs, session
from benchmarks.cells import Cell, Contender, Prepared
from benchmarks.groups import GROUPS
from benchmarks.measure import measure
from benchmarks.method import statistics as stats
from benchmarks.method.clock import Effort, in_turns
from benchmarks.method.oracle import check_nearest, check_tensors, check_within
from benchmarks.peers import OWN, PEERS, present
from benchmarks.peers.base import Peer, rows_of_matrix
from benchmarks.problem import Problem, Row
from benchmarks.profiles import PROFILES
from benchmarks.report import pages, published, readings, style, tables

ROOT = Path(__file__).resolve().parents[2]
RUN = json.loads(Path(__file__).with_name("benchmark_run.json").read_text())
SMOKE = PROFILES["smoke"]
QUERIES = list(range(0, 200, 7))


def problem(name: str = "gauss", n: int = 200, k: int = 6, **options) -> Problem:
    cloud = inputs.make(name, n, 3)
    return Problem(cloud.points, cloud.row_splits, k, **options)


def brute_force(task: Problem) -> list[Row]:
    """By sorting all distances, in the plainest way."""
    rows = []
    for query in QUERIES:
        distance2 = ((task.points.double() - task.points[query].double()) ** 2).sum(1)
        distance2[query] = torch.inf
        nearest = distance2.argsort()[: task.k]
        rows.append(Row(nearest.numpy(), distance2[nearest].numpy()))
    return rows


class TestOracle:
    def test_right(self) -> None:
        task = problem()
        verdict = check_nearest(task, QUERIES, brute_force(task))
        assert verdict.right and verdict.recall == 1 and verdict.error < 1e-12

    @pytest.mark.parametrize("mistake", ["one farther", "one missing", "one twice", "itself"])
    def test_a_wrong_neighbour_in_one_row(self, mistake: str) -> None:
        task = problem()
        rows = brute_force(task)
        index = rows[3].index.copy()
        others = np.setdiff1d(np.arange(200), [*index, QUERIES[3]])
        wrong = {
            "one farther": np.r_[index[:-1], others[0]],
            "one missing": index[:-1],
            "one twice": np.r_[index[:-1], index[0]],
            "itself": np.r_[index[:-1], QUERIES[3]],
        }[mistake]
        rows[3] = Row(wrong)
        verdict = check_nearest(task, QUERIES, rows)
        assert not verdict.right
        assert verdict.recall == pytest.approx(1 - 1 / (task.k * len(QUERIES)))

    def test_a_wrong_distance(self) -> None:
        task = problem()
        rows = brute_force(task)
        rows[0] = rows[0]._replace(distance2=rows[0].distance2 * (1 + 3e-4))
        verdict = check_nearest(task, QUERIES, rows)
        assert not verdict.right and verdict.recall == 1
        assert verdict.error == pytest.approx(3e-4, rel=1e-3)

    def test_any_of_equal_distances_is_right(self) -> None:
        points = torch.tensor([[0.0], [1.0], [-1.0], [5.0]])
        task = Problem(points, torch.tensor([0, 4]), 1)
        assert check_nearest(task, [0], [Row(np.array([1]))]).right
        assert check_nearest(task, [0], [Row(np.array([2]))]).right
        assert not check_nearest(task, [0], [Row(np.array([3]))]).right

    def test_another_event_is_wrong(self) -> None:
        task = Problem(torch.tensor([[0.0], [3.0], [0.1]]), torch.tensor([0, 2, 3]), 1)
        assert check_nearest(task, [0], [Row(np.array([1]))]).right
        assert not check_nearest(task, [0], [Row(np.array([2]))]).right
        assert check_nearest(task, [2], [Row(np.array([], int))]).right  # alone in its event

    def test_within(self) -> None:
        points = torch.tensor([[0.0], [0.5], [1.0], [1.5]])
        task = Problem(points, torch.tensor([0, 4]), r=1.0)
        for index, right in (([1, 2], True), ([1], True), ([2], False), ([1, 2, 3], False)):
            assert check_within(task, [0], [Row(np.array(index))]).right == right  # 2: on the edge
        assert not check_within(task, [0], [Row(np.array([1, 1]))]).right

    def test_tensors(self) -> None:
        exact = torch.linspace(-1, 1, 5000, dtype=torch.float64)
        found = exact.float()
        assert check_tensors([found], [exact], 1e-4).right
        found[:5] += 1  # one in a thousand
        assert check_tensors([found], [exact], 1e-4).right
        found[:50] += 1
        assert not check_tensors([found], [exact], 1e-4).right
        assert not check_tensors([exact * torch.nan], [exact], 1e-4).right


class Wrong(Peer):
    """Finds the points that come next in number."""

    name, modules, install, events = "wrong", ("torch",), "", True

    def knn(self, task, index):
        rows = torch.arange(len(task.points))[:, None] + torch.arange(1, task.k + 1)
        return rows % len(task.points)

    def knn_rows(self, task, found, queries):
        return rows_of_matrix(task, queries, found)


class Failing(Wrong):
    name = "failing"

    def knn(self, task, index):
        raise MemoryError("7 GB\nare too many")


def test_a_wrong_peer_is_shown_and_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.groups import searches

    monkeypatch.setattr(searches, "present", lambda: [OWN, Wrong(), Failing()])
    cell = Cell("knn", "cpu", "gauss", 200, {"d": 3, "k": 5})
    entries = measure(cell, GROUPS["knn"].prepare(cell, SMOKE), SMOKE)["entries"]
    assert entries["hitgraph"]["status"] == "right" and entries["hitgraph"]["seconds"]
    assert entries["wrong"]["status"] == "wrong" and entries["wrong"]["recall"] < 0.5
    assert "seconds" not in entries["wrong"]
    assert entries["failing"] == {"status": "failed", "reason": "MemoryError: are too many"}


@pytest.mark.parametrize("peer", present(), ids=lambda peer: peer.name)
@pytest.mark.parametrize("kind", ["cloud", "events", "queries", "radius", "k = 1"])
def test_adapters(peer: Peer, kind: str) -> None:
    """Whatever a peer says it can do is right, and the oracle reads it."""
    task = "radius" if kind == "radius" else "knn"
    cloud = inputs.make("jets" if kind == "events" else "gauss", 200, 3)
    asked = Problem(cloud.points, cloud.row_splits, 6, 0.5)
    if kind == "queries":
        asked = replace(asked, queries=torch.randn(150, 3))
    if kind == "k = 1":
        asked = replace(asked, k=1)
    if peer.reason(task, asked, "cpu", 1e9):
        pytest.skip("does not take part")
    found = peer.call(task, asked)()
    queries = list(range(0, asked.n_queries, 7))
    check = check_within if task == "radius" else check_nearest
    verdict = check(asked, queries, getattr(peer, f"{task}_rows")(asked, found, queries))
    assert verdict.recall == 1, verdict
    if peer.name != "cdist (product) + topk":
        assert verdict.right, verdict


def test_who_does_not_take_part_says_why() -> None:
    reasons = {
        peer.name: peer.reason("radius", problem("jets", r=0.1), "cpu", 10) for peer in PEERS
    }
    assert reasons["hitgraph"] is None
    assert reasons["SciPy cKDTree"] == "one event a call"
    assert reasons["cuVS brute force"] == "not on cpu" and reasons["pykdtree"] == "no radius"
    cdist = next(peer for peer in PEERS if peer.name == "cdist + topk")
    assert cdist.reason("knn", problem(), "cpu", 1e3) == "more than 1e+03 pairs"
    assert all(peer.install and peer.modules for peer in PEERS)
    absent = next(peer for peer in PEERS if peer.name == "PyTorch3D")
    assert absent.version() is None or "PyTorch3D" in [peer.name for peer in present()]


@pytest.mark.parametrize("name", [name for name in inputs.INPUTS if name != "event"])
def test_inputs(name: str) -> None:
    n, d = 8200, 3
    points, splits = inputs.make(name, n, d)
    assert points.dtype == torch.float32 and points.shape[1] == d
    assert splits[0] == 0 and splits[-1] == len(points) and (splits.diff() >= 0).all()
    assert torch.equal(torch.nan_to_num(inputs.make(name, n, d).points), torch.nan_to_num(points))
    assert inputs.INPUTS[name].title


def test_an_unknown_input() -> None:
    with pytest.raises(ValueError, match=r"expected one of uniform, .*, got 'no'"):
        inputs.make("no", 10, 3)


class TestStatistics:
    def test_spread_is_numpys(self) -> None:
        samples = [0.3, 0.1, 0.25, 0.8, 0.2, 0.4]
        expected = np.quantile(samples, [0.5, 0.25, 0.75])
        np.testing.assert_allclose(stats.spread(samples)[:3], expected)
        assert stats.spread([2.0]) == (2.0, 2.0, 2.0, 1)
        with pytest.raises(ValueError, match="at least one"):
            stats.spread([])

    def test_exponent(self) -> None:
        assert stats.exponent({n: 3e-7 * n**1.4 for n in (10, 500, 9000)}) == pytest.approx(1.4)
        assert stats.exponent({10: 1.0}) is None

    @pytest.mark.parametrize(
        ("old", "new", "slower"),
        [
            ([1, 1.01, 1.02], [1.5, 1.51, 1.52], True),
            ([1, 1.01, 1.02], [1.05, 1.06, 1.07], False),  # apart, but by less than noise
            ([1, 1.5, 2], [1.3, 1.8, 2.3], False),  # the middle halves overlap
            ([1.0], [1.2], False),
            ([1.0], [1.4], True),
            ([2, 2, 2], [1, 1, 1], False),
        ],
    )
    def test_slowdown(self, old: list[float], new: list[float], slower: bool) -> None:
        assert (stats.slowdown(old, new) is not None) == slower

    def test_calls_take_turns(self) -> None:
        order = []

        def failing() -> None:
            order.append("c")
            raise MemoryError

        calls = {"a": lambda: order.append("a"), "b": lambda: order.append("b"), "c": failing}
        samples = in_turns(calls, Effort(rounds=2, burst=0, enough=1))
        blocks = [name for i, name in enumerate(order) if i == 0 or order[i - 1] != name]
        assert blocks == ["a", "b", "c", "a", "b"]
        assert len(samples["a"]) == 2 and isinstance(samples["c"], MemoryError)


class FakeGroup:
    """Cells that are measured at once; the one called "stop" is interrupted the first time."""

    def __init__(self) -> None:
        self.interrupted = False
        self.measured = []

    def prepare(self, cell: Cell, profile) -> Prepared:
        if cell.case == "stop" and not self.interrupted:
            self.interrupted = True
            raise KeyboardInterrupt
        if cell.case == "no inputs":
            raise MemoryError("none")
        self.measured.append(cell.case)
        right = SimpleNamespace(right=True, recall=1.0, error=0.0)
        entry = Contender(lambda: None, lambda _: check_tensors([], [], 1.0))
        assert right.right
        return Prepared({"hitgraph": entry})


def test_an_interrupted_run_is_kept_and_resumed(tmp_path: Path) -> None:
    file, group = tmp_path / "new" / "run.json", FakeGroup()
    cells = [Cell("fake", "cpu", case, 10) for case in ("one", "no inputs", "stop", "two")]
    results = session.fresh(SMOKE, [], cells)
    assert not session.run(results, cells, {"fake": group}, SMOKE, file)
    kept = session.read(file)
    assert [cell["case"] for cell in kept["cells"]] == ["one", "no inputs"]
    assert kept["left"] == [cells[2].key, cells[3].key] and kept["ended"] is None
    assert kept["cells"][1]["failed"] == "MemoryError: none"
    again = session.resumed(file, SMOKE)
    assert session.run(again, cells, {"fake": group}, SMOKE, file)
    assert group.measured == ["one", "stop", "two"]  # nothing twice
    assert session.read(file)["ended"] and not session.read(file)["left"]


def test_another_run_is_not_resumed(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    session.write(file, session.fresh(SMOKE, [], []))
    with pytest.raises(ValueError, match="is a run of --smoke"):
        session.resumed(file, PROFILES["quick"])
    other = session.read(file)
    other["environment"]["commit"] = "another"
    session.write(file, other)
    with pytest.raises(ValueError, match="has commit 'another', here it is"):
        session.resumed(file, SMOKE)
    file.write_text("{}")
    with pytest.raises(ValueError, match="of schema 'hitgraph benchmark 1'"):
        session.read(file)


def test_a_time_limit_leaves_cells(tmp_path: Path) -> None:
    cells = [Cell("fake", "cpu", "one", 10), Cell("fake", "cpu", "two", 10)]
    limited = replace(SMOKE, limit=-1.0)
    results = session.fresh(limited, [], cells)
    assert not session.run(results, cells, {"fake": FakeGroup()}, limited, tmp_path / "run.json")
    assert len(results["left"]) == 2


class TestCompare:
    def test_the_same_run(self) -> None:
        text, good = compare.text(RUN, copy.deepcopy(RUN))
        assert good and text == "Nothing is slower beyond noise."

    def test_slower_and_wrong(self) -> None:
        new = copy.deepcopy(RUN)
        new["cells"][1]["entries"]["hitgraph"]["seconds"] = [0.2, 0.24, 0.22]
        new["cells"][2]["entries"]["hitgraph"] = {"status": "wrong", "recall": 0.5, "error": 1.0}
        new["environment"]["cpu"] = "Another"
        text, good = compare.text(RUN, new)
        assert not good
        assert text.splitlines() == [
            "Not the same machine: cpu was 'A Processor', is 'Another'.",
            "not right any more: c",
            "2.00 times as long: b, hitgraph: 110 ms, now 220 ms",
        ]
        assert compare.text(new, RUN)[1]  # the other way round it is a gain

    @pytest.mark.parametrize("factor", [1.0, 2.0])
    def test_exit_status(self, factor: float, tmp_path: Path, capsys) -> None:
        old, new = tmp_path / "old.json", tmp_path / "new.json"
        session.write(old, RUN)
        changed = copy.deepcopy(RUN)
        own = changed["cells"][0]["entries"]["hitgraph"]
        own["seconds"] = [factor * s for s in own["seconds"]]
        session.write(new, changed)
        status = program.main(["--show", str(new), "--compare", str(old)])
        assert status == (0 if factor == 1 else 1)
        assert ("2.00 times as long: a" in capsys.readouterr().out) == (factor == 2)


class TestReport:
    def test_where_hitgraph_is_behind(self) -> None:
        (found,) = readings.behind(RUN)
        assert found.cell["key"] == "b" and found.peer == "SciPy cKDTree"
        assert found.ratio == pytest.approx(2)
        text = tables.behind(RUN)
        assert "behind a peer in 1 of the 3 cells" in text
        assert "| 110 ms | SciPy cKDTree | 55.0 ms | 2.00× |" in text

    def test_tables(self) -> None:
        text = pages.all_tables(RUN)
        assert "| uniform | n = 1 000, d = 3, k = 40 | 1.10 ms ± 5 % | 4.40 ms (4.00×) |" in text
        assert "wrong: recall 0.9999 |" in text  # not rounded up to 1
        assert "failed: MemoryError: 7 GB" in text and "`pip install pykeops`" in text
        assert "| 1.10 µs | 200 | 18 % | 0.5 % | 1 | 1e-07 |" in text  # of the multiply-adds
        assert "| 2.00 ms | 1.82× |" in text and "| pykdtree | 3 MB | 3.0× |" in text
        assert "clustered | n = 500, d = 3, 30 neighbours in the mean" in text

    def test_pages_and_figures(self, tmp_path: Path) -> None:
        pytest.importorskip("matplotlib")
        pages.write({"fixed": RUN}, tmp_path)
        first = (tmp_path / "README.md").read_text()
        assert first.index("Where hitgraph is behind") < first.index("## A Processor")
        assert "| NVIDIA L40S | not measured yet |" in first
        pictures = {name for name in first.replace('"', " ").split() if name.endswith(".png")}
        assert {"fixed-sizes-light.png", "published-dark.png"} <= pictures
        for name in pictures:
            assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")

    def test_published_points_are_apart(self) -> None:
        page = pages.first_page({"fixed": RUN}, {"fixed": []})
        measured, others = page.split("## Published by others")
        for point in published.load()["points"]:
            assert (
                f"{point['system']} [" in others and point["source"] in published.load()["sources"]
            )
        assert "jz-tree" not in measured and "CLOVER" not in measured

    def test_labels_keep_their_distance(self) -> None:
        places = style.apart([10, 11, 12, 50], 14)
        assert all(b - a >= 14 - 1e-9 for a, b in itertools.pairwise(places))
        assert places[3] == 50 and sum(places[:3]) == pytest.approx(33)

    @pytest.mark.parametrize(
        ("value", "text"),
        [(1.234, "1.23 s"), (0.1234, "123 ms"), (0.0123, "12.3 ms"), (4.56e-5, "45.6 µs")],
    )
    def test_seconds(self, value: float, text: str) -> None:
        assert readings.seconds(value) == text


def test_the_committed_pages_are_drawn_from_the_committed_runs(tmp_path: Path) -> None:
    from benchmarks.report.__main__ import found

    runs = {file.stem: session.read(file) for file in found()}
    assert runs
    pages.write(runs, tmp_path, draw=False)
    for stem in runs:
        assert (tmp_path / f"{stem}.md").read_text() == (
            ROOT / "docs" / "benchmarks" / f"{stem}.md"
        ).read_text()


def test_every_group(tmp_path: Path) -> None:
    """The whole program, as small as it gets."""
    file = tmp_path / "smoke.json"
    command = [sys.executable, "-m", "benchmarks", "--smoke", "--output", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    results = session.read(file)
    assert {cell["group"] for cell in results["cells"]} == set(GROUPS) and not results["left"]
    for cell in results["cells"]:
        assert cell["entries"]["hitgraph"]["status"] == "right", cell
    for word in ("hitgraph is behind", "| absent | install |", "k nearest neighbours"):
        assert word in done.stdout, done.stdout


@pytest.mark.parametrize(
    "arguments", [["--groups", "no"], ["--data", "/absent"], ["--quick", "--full"]]
)
def test_bad_options(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as error:
        program.main(arguments)
    assert error.value.code == 2


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", GROUPS)
def test_cells_have_names_of_their_own(name: str, profile: str) -> None:
    device = "cuda" if profile == "gpu" else "cpu"
    keys = [cell.key for cell in GROUPS[name].cells(PROFILES[profile], device)]
    assert keys and len(set(keys)) == len(keys)
