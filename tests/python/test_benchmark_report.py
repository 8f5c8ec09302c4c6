"""python -m benchmarks: the comparison of runs, tables, figures, pages."""

from __future__ import annotations

import copy
import itertools
import json
from pathlib import Path

import pytest
from benchmarks import __main__ as program
from benchmarks import compare, session
from benchmarks.report import pages, published, readings, style, tables
from matplotlib.text import Text

ROOT = Path(__file__).resolve().parents[2]
RUN = json.loads(Path(__file__).with_name("benchmark_run.json").read_text())


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

    def test_labels_lie_on_no_marker(self, tmp_path: Path) -> None:
        """A line that ends early, and beside its end the points of another."""
        with style.figure(tmp_path / "f.png", "light", 8.6, 4.6) as (_, (axes,)):
            axes.plot([1, 2, 3, 4, 8], [5, 5.1, 5.05, 5, 5], marker="o")
            axes.plot([1, 2], [4, 5], marker="s")
            axes.set(xlim=(0, 12), ylim=(0, 10))
            style.label_ends(axes, [(8, 5, "long", "k"), (2, 5, "short and wide", "k")])
            boxes = [Text.get_window_extent(text) for text in axes.texts]
            markers = [
                xy for line in axes.lines for xy in axes.transData.transform(line.get_xydata())
            ]
        assert len(boxes) == 2 and not boxes[0].overlaps(boxes[1])
        assert not any(box.padded(5).contains(*xy) for box in boxes for xy in markers)

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
