"""python -m benchmarks: its oracle, the adapters of peers, the inputs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from benchmarks import inputs
from benchmarks.cells import Cell
from benchmarks.groups import GROUPS
from benchmarks.measure import measure
from benchmarks.method.oracle import check_nearest, check_tensors, check_within
from benchmarks.peers import OWN, PEERS, present
from benchmarks.peers.base import Peer, rows_of_matrix
from benchmarks.problem import Problem, Row
from benchmarks.profiles import PROFILES

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
