"""The work of a search, counted: no clock, the same on every machine.

The bounds are those of the design, times 1.1: a change that makes the search look at more points
than that has broken its pruning, even though every result is still exact.
"""

import numpy as np
import pytest
import torch
from knn_reference import assert_same_bits, cloud, lattice, mask, offsets
from recorded_events import recorded_event

import hitgraph
from hitgraph import datasets, debug

LEVELS = hitgraph._C.build_info()["simd_available"]
N, K, SLACK = 200_000, 40, 1.1


def candidates_per_query(points, k=K, **options):
    counters = debug.knn_stats(points, k, **options).counters
    return counters.candidates / counters.queries


@pytest.mark.parametrize(
    ("name", "d", "candidates"),
    [
        ("uniform", 2, 178),
        ("uniform", 3, 360),
        ("uniform", 4, 700),
        ("uniform", 6, 2300),
        ("uniform", 8, 6400),
        ("clustered", 2, 174),
        ("clustered", 3, 315),
        ("clustered", 4, 543),
        ("clustered", 6, 1200),
        ("clustered", 8, 2200),
    ],
)
def test_candidates_per_query(name, d, candidates):
    points = torch.from_numpy(datasets.points(name, N, d, 1))
    got = candidates_per_query(points)
    print(f"{name} d = {d}: {got:.0f} candidates a query, {got / candidates:.2f} of the design's")
    assert got <= SLACK * candidates


@pytest.mark.parametrize("number", range(5))
def test_candidates_per_query_on_recorded_events(number):
    path = recorded_event(number)
    position = torch.from_numpy(datasets.read_event(path).position)
    # Real hits are not harder than uniform ones in as many dimensions.
    assert candidates_per_query(position) <= SLACK * 360


@pytest.mark.parametrize("name", datasets.names(d=3, batched=False))
def test_no_set_of_points_turns_the_search_into_brute_force(name):
    points = torch.from_numpy(datasets.points(name, 20_000, 3, 2))
    assert candidates_per_query(points) < 20_000 / 10


def test_work_hardly_grows_with_the_number_of_points():
    few, many = (candidates_per_query(cloud(n, 3, seed=1)) for n in (10_000, 80_000))
    assert many < 1.25 * few


def test_a_radius_and_small_segments_save_work():
    points = cloud(20_000, 3, seed=2)
    whole = candidates_per_query(points)
    assert candidates_per_query(points, max_radius=0.01) < 0.5 * whole
    # Nothing to prune in a segment of 20, and nobody looks into another one.
    assert candidates_per_query(points, row_splits=offsets(*[20] * 1000)) <= 20


def test_no_more_than_every_pair_and_no_less_than_the_result():
    for n, d, k in ((500, 3, 7), (500, 16, 40), (3, 2, 5), (2000, 64, 16)):
        counters = debug.knn_stats(cloud(n, d, seed=n), k).counters
        assert counters.queries == n
        assert min(k, n - 1) * n <= counters.candidates <= n * (n + counters.restarts)
        assert counters.buckets > 0 and counters.accepted <= counters.candidates


def test_who_does_not_ask_costs_nothing():
    points = cloud(1000, 3, seed=3)
    points[:100] = torch.nan
    asks = mask(1000, seed=4, share=0.3)
    counters = debug.knn_stats(points, 5, query_mask=asks).counters
    assert counters.queries == int(asks[100:].sum())
    nobody = debug.knn_stats(points, 5, query_mask=torch.zeros_like(asks)).counters
    assert nobody.queries == nobody.candidates == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_counters_do_not_depend_on_simd_level_or_threads(dtype):
    problems = [
        (cloud(5000, 3, seed=5, dtype=dtype), {"row_splits": offsets(0, 3000, 1, 1999)}),
        (lattice(3000, 2, seed=6, side=15, dtype=dtype), {"max_radius": 1.5}),
        (cloud(1000, 8, seed=7, dtype=dtype), {"queries": cloud(400, 8, seed=8, dtype=dtype)}),
    ]
    threads = torch.get_num_threads()
    try:
        for points, options in problems:
            for k in (3, 40):
                runs = []
                for count in (1, 2, 5):
                    torch.set_num_threads(count)
                    runs += [debug.knn_stats(points, k, simd=s, **options) for s in LEVELS]
                for run in runs[1:]:
                    assert run.counters == runs[0].counters
                    assert_same_bits(run[:2], runs[0][:2])
    finally:
        torch.set_num_threads(threads)


def test_the_counting_build_returns_what_the_other_one_returns():
    points = torch.from_numpy(datasets.points("clustered", 20_000, 4, 3))
    assert_same_bits(debug.knn_stats(points, K)[:2], hitgraph.knn(points, K))


@pytest.mark.parametrize("number", range(2))
@pytest.mark.parametrize("columns", [("x", "y", "z"), ("energy", "eta", "is_track")])
def test_rows_of_recorded_events_are_exact(number, columns):
    path = recorded_event(number)
    table = datasets.read_event_table(path)
    chosen = [datasets.EVENT_COLUMNS.index(name) for name in columns]
    points = torch.from_numpy(np.ascontiguousarray(table[:, chosen]))
    asks = torch.zeros(len(points), dtype=torch.bool)
    asks[::150] = True
    expected = debug.knn_brute_force(points, K, query_mask=asks)
    index, distance2 = hitgraph.knn(points, K)
    assert_same_bits((index[asks], distance2[asks]), tuple(t[asks] for t in expected))
    for level in LEVELS:
        assert_same_bits(debug.knn_stats(points, K, simd=level, query_mask=asks)[:2], expected)
