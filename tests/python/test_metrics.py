"""hitgraph.metrics on events small enough to know the answers."""

import sys

import numpy as np
import pytest
import torch

from hitgraph import metrics

# Object 0 is found but for a hit, object 7 is split, object 9 is missed; cluster 3 is of noise.
TRUTH = np.array([0, 0, 0, 0, 7, 7, 7, 7, 9, -1, -1])
FOUND = np.array([5, 5, 5, -1, 1, 1, 2, 2, -1, 3, 5])
WEIGHT = np.array([2.0, 1, 1, 4, 3, 3, 1, 1, 5, 1, 4])


def test_match():
    found = metrics.match(TRUTH, FOUND, WEIGHT)
    assert found.label.tolist() == [0, 7, 9]
    assert found.weight.tolist() == [8, 8, 5]
    assert found.matched.tolist() == [True, True, False]
    # Object 0: shares 4 with cluster 5 of weight 8; object 7: 6 with cluster 1 of weight 6.
    assert found.purity[:2].tolist() == [4 / 8, 1]
    assert found.containment[:2].tolist() == [4 / 8, 6 / 8]
    assert found.response[:2].tolist() == [1, 6 / 8]
    assert np.isnan(found.purity[2])
    assert found.clusters == 4


def test_object_scores():
    scores = metrics.object_scores(metrics.match(TRUTH, FOUND, WEIGHT))
    assert scores.efficiency == 2 / 3
    assert scores.fake_rate == 1 - 2 / 4
    assert scores.purity == 0.75
    assert scores.containment == 0.625
    assert scores.response == 0.875
    assert scores.resolution == pytest.approx(0.125 / 0.875)


def test_an_overlap_at_the_cut_is_no_match():
    truth, found = [0] * 10, [0] + [-1] * 9
    assert not metrics.match(truth, found, overlap=0.1).matched.any()
    assert metrics.match(truth, found, overlap=0.0999).matched.all()


def test_small_clusters_are_none():
    found = metrics.match(TRUTH, FOUND, WEIGHT, fewest_hits=3)
    assert found.clusters == 1 and found.matched.tolist() == [True, False, False]


def test_matching_is_the_best_of_all_not_the_first():
    # Cluster 0 overlaps most with object 0, which alone has another.
    truth = [0] * 6 + [1] * 3
    found = [0, 0, 0, 0, 1, 1, 0, 0, 0]
    assert metrics.match(truth, found, overlap=0.0).matched.all()


def test_events_do_not_mix():
    twice = np.concatenate([TRUTH, TRUTH]), np.concatenate([FOUND, FOUND])
    found = metrics.match(*twice, np.concatenate([WEIGHT, WEIGHT]), [0, 11, 11, 22])
    one = metrics.object_scores(metrics.match(TRUTH, FOUND, WEIGHT))
    assert found.event.tolist() == [0, 0, 0, 2, 2, 2]
    assert metrics.object_scores(found) == pytest.approx(one)
    a = metrics.clustering_scores(*twice, torch.tensor([0, 11, 11, 22]))
    assert a == pytest.approx(metrics.clustering_scores(TRUTH, FOUND))


def test_clustering_scores():
    pytest.importorskip("sklearn")
    assert metrics.clustering_scores([0, 0, 4, -1], [3, 3, 1, 3]) == (1, 1)
    # Hits without a cluster are alone: pure, not complete.
    alone = metrics.clustering_scores([0, 0, 1, 1], [-1, -1, -1, -1])
    assert alone.v_measure == pytest.approx(2 / 3) and alone.rand_index == 0
    assert np.isnan(metrics.clustering_scores([-1, -1], [0, 1]).v_measure)


def test_perfect_and_empty():
    scores = metrics.object_scores(metrics.match(TRUTH, TRUTH))
    assert scores == (1, 0, 1, 1, 1, 0)
    for splits in (None, [0], [0, 0]):
        scores = metrics.object_scores(metrics.match([], [], row_splits=splits))
        assert np.isnan(scores).all()


def test_edge_scores():
    truth = [0, 0, 0, 1, 1, -1]
    edges = torch.tensor([[0, 1, 1, 3, 5], [1, 0, 3, 4, 0]])  # 0-1 twice
    found = metrics.edge_scores(edges, truth, [[0, 1, 3], [1, 2, 4]])
    assert found == (2 / 3, 2 / 4, 2 * 4 / 6)
    nothing = metrics.edge_scores(np.zeros((2, 0), int), [], np.zeros((2, 0), int))
    assert np.isnan(nothing).all()


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    (
        (lambda: metrics.match([0.5], [1]), TypeError, "expected truth to be integers"),
        (lambda: metrics.match([0], [1, 2]), ValueError, "prediction to have 1 elements like"),
        (lambda: metrics.match([[0]], [1]), ValueError, "expected truth to be 1-D"),
        (lambda: metrics.match([0], [1], [-1.0]), ValueError, "expected weight to be numbers"),
        (lambda: metrics.match([0], [1], None, [0, 2]), ValueError, "expected row_splits"),
        (lambda: metrics.edge_scores([[0]], [0], [[0], [0]]), ValueError, "edges to be"),
        (lambda: metrics.edge_scores([[0], [4]], [0], [[0], [0]]), ValueError, "edges to be rows"),
    ),
)
def test_bad_input_gets_a_sentence(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()


@pytest.mark.parametrize(
    ("name", "package", "call"),
    (
        ("scipy.optimize", "SciPy", lambda: metrics.match([0], [0])),
        ("sklearn.metrics", "scikit-learn", lambda: metrics.clustering_scores([0], [0])),
    ),
)
def test_a_missing_package_is_named(monkeypatch, name, package, call):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=f"expected {package}, which .* pip install"):
        call()
