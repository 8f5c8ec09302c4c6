"""python -m benchmarks: statistics, a run that is cut off, the whole program."""

from __future__ import annotations

import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from benchmarks import __main__ as program
from benchmarks import session
from benchmarks.cells import Cell, Contender, Contenders, Prepared
from benchmarks.groups import GROUPS
from benchmarks.measure import measure
from benchmarks.method import memory
from benchmarks.method import statistics as stats
from benchmarks.method.clock import Effort, in_turns
from benchmarks.method.oracle import Verdict
from benchmarks.profiles import PROFILES

ROOT = Path(__file__).resolve().parents[2]
SMOKE = PROFILES["smoke"]


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


def right(_: object) -> Verdict:
    return Verdict(1.0, 0.0, True)


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
        return Prepared({"hitgraph": Contender(lambda: None, right)})


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


def test_what_is_done_once_comes_before_every_timed_call() -> None:
    order: list[str] = []
    compiled = Contender(lambda: order.append("call"), right, once=lambda: order.append("once"))
    broken = Contender(lambda: None, right, once=lambda: 1 // 0)
    both = Prepared({"compiled": compiled, "broken": broken})
    entries = measure(Cell("fake", "cpu", "both", 1), both, SMOKE)["entries"]
    assert order == ["once", "call"]  # the call that is compared is the one that is timed, here
    assert len(entries["compiled"]["seconds"]) == 1
    assert entries["broken"]["status"] == "failed"


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's")
def test_what_does_not_fit_is_a_failure_of_one_library() -> None:
    """Nothing is touched, so that nobody but the bound refuses it."""
    available = memory.available()
    assert available is not None

    def large() -> list[torch.Tensor]:
        return [torch.empty(2**30, dtype=torch.uint8) for _ in range(available // 2**30 + 8)]

    both: Contenders = {"large": Contender(large, right), "small": Contender(list, right)}
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with memory.at_most(available):
        entries = measure(Cell("fake", "cpu", "both", 1), Prepared(both), SMOKE)["entries"]
    assert entries["large"]["status"] == "failed"
    assert "memory" in entries["large"]["reason"]
    assert entries["small"]["status"] == "right"
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_a_time_limit_leaves_cells(tmp_path: Path) -> None:
    cells = [Cell("fake", "cpu", "one", 10), Cell("fake", "cpu", "two", 10)]
    limited = replace(SMOKE, limit=-1.0)
    results = session.fresh(limited, [], cells)
    assert not session.run(results, cells, {"fake": FakeGroup()}, limited, tmp_path / "run.json")
    assert len(results["left"]) == 2


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
