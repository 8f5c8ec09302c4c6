"""How well clusters of hits are the true objects: the figures that reconstruction is judged by.

Arguments are tensors or arrays of N hits; several events are said by row_splits (B+1). Labels are
integers; below 0 a hit is noise (truth) or belongs to no cluster (prediction). Needs SciPy for the
matching and scikit-learn for `clustering_scores`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

_WHERE = "hitgraph.metrics"
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Matching(NamedTuple):
    """Objects and the clusters that they are matched with, of all events, K objects and P clusters.

    A cluster's weight includes its noise hits. What belongs to no match is NaN.

    Attributes:
        event: (K,) the event of every true object.
        label: (K,) its label.
        weight: (K,) its weight, the sum over its hits.
        matched: (K,) whether it has a cluster.
        purity: (K,) overlap / the cluster's weight.
        containment: (K,) overlap / the object's weight.
        response: (K,) the cluster's weight / the object's weight.
        clusters: P.
    """

    event: Integers
    label: Integers
    weight: Floats
    matched: NDArray[np.bool_]
    purity: Floats
    containment: Floats
    response: Floats
    clusters: int


class ObjectScores(NamedTuple):
    """Of the objects and clusters of all events; NaN where there is nothing to divide by.

    Attributes:
        efficiency: matched objects / objects.
        fake_rate: 1 − matched objects / clusters.
        purity: mean over matched objects of overlap / weight of the cluster.
        containment: mean over matched objects of overlap / weight of the object.
        response: mean over matched objects of weight of the cluster / weight of the object.
        resolution: standard deviation of that / its mean.
    """

    efficiency: float
    fake_rate: float
    purity: float
    containment: float
    response: float
    resolution: float


class ClusteringScores(NamedTuple):
    """Means over the events that have true objects, of hits of true objects alone; a hit without a
    cluster is a cluster of its own, since one cluster of all of them would be rewarded.

    Attributes:
        v_measure: harmonic mean of homogeneity and completeness (Rosenberg and Hirschberg 2007).
        rand_index: the adjusted Rand index (Hubert and Arabie 1985).
    """

    v_measure: float
    rand_index: float


class EdgeScores(NamedTuple):
    """Of a graph's edges.

    Attributes:
        efficiency: edges between hits of one object / pairs of hits that should be joined.
        purity: edges between hits of one object / edges.
        mean_degree: edges / hits.
    """

    efficiency: float
    purity: float
    mean_degree: float


def match(
    truth: ArrayLike,
    prediction: ArrayLike,
    weight: ArrayLike | None = None,
    row_splits: ArrayLike | None = None,
    *,
    overlap: float = 0.1,
    fewest_hits: int = 1,
) -> Matching:
    """Matches true objects with clusters, one to one, so that the sum of overlaps is the largest.

    Args:
        truth: (N,) the object of every hit, below 0: noise.
        prediction: (N,) the cluster of every hit, below 0: none.
        weight: (N,) of every hit, its energy for instance; 1 without it.
        row_splits: (B+1,) from 0 to N; one event without it.
        overlap: an object is matched if intersection / union of the weights is more than this.
        fewest_hits: a cluster with fewer is none.
    """
    hits = _Hits(truth, prediction, weight, row_splits)
    optimize = _module("scipy.optimize", "SciPy", "the matching")
    found: list[tuple[Any, ...]] = []
    clusters = 0
    for event, (true, predicted, weights) in enumerate(hits.events()):
        objects, of_object = np.unique(true, return_inverse=True)
        labels, of_label, sizes = np.unique(predicted, return_inverse=True, return_counts=True)
        kept = (labels >= 0) & (sizes >= fewest_hits)
        shared = np.zeros((len(objects), len(labels)))
        np.add.at(shared, (of_object.ravel(), of_label.ravel()), weights)
        of_objects, of_clusters = shared.sum(1)[objects >= 0], shared.sum(0)[kept]
        shared = shared[objects >= 0][:, kept]
        union = of_objects[:, None] + of_clusters[None, :] - shared
        ratio = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
        rows, columns = optimize.linear_sum_assignment(ratio, maximize=True)
        good = ratio[rows, columns] > overlap
        rows, columns = rows[good], columns[good]
        matched = np.zeros(len(of_objects), bool)
        matched[rows] = True
        values = np.full((3, len(of_objects)), np.nan)
        common = shared[rows, columns]
        values[0, rows] = common / of_clusters[columns]
        values[1, rows] = common / of_objects[rows]
        values[2, rows] = of_clusters[columns] / of_objects[rows]
        names = objects[objects >= 0]
        found.append((np.full(len(names), event), names, of_objects, matched, *values))
        clusters += len(of_clusters)
    if not found:
        empty = np.zeros(0)
        found = [(empty.astype(int), empty.astype(int), empty, empty.astype(bool)) + (empty,) * 3]
    joined: list[Any] = [np.concatenate(column) for column in zip(*found, strict=True)]
    return Matching._make([*joined, clusters])


def object_scores(matching: Matching) -> ObjectScores:
    """Efficiency, fake rate, and the means over matched objects."""
    matched = matching.matched
    number = int(matched.sum())
    response = matching.response[matched]
    mean = _mean(response)
    return ObjectScores(
        efficiency=_ratio(number, len(matched)),
        fake_rate=1 - _ratio(number, matching.clusters),
        purity=_mean(matching.purity[matched]),
        containment=_mean(matching.containment[matched]),
        response=mean,
        resolution=_ratio(float(response.std()) if number else 0.0, mean),
    )


def clustering_scores(
    truth: ArrayLike, prediction: ArrayLike, row_splits: ArrayLike | None = None
) -> ClusteringScores:
    """V-measure and adjusted Rand index; arguments as of `match`."""
    hits = _Hits(truth, prediction, None, row_splits)
    sklearn = _module("sklearn.metrics", "scikit-learn", "the V-measure")
    scores = []
    for true, predicted, _ in hits.events():
        kept = true >= 0
        if not kept.any():
            continue
        alone = predicted.max(initial=0) + 1 + np.arange(len(predicted))
        clusters = np.where(predicted >= 0, predicted, alone)[kept]
        scores.append(
            (
                sklearn.v_measure_score(true[kept], clusters),
                sklearn.adjusted_rand_score(true[kept], clusters),
            )
        )
    v, rand = np.mean(scores, axis=0) if scores else (np.nan, np.nan)
    return ClusteringScores(float(v), float(rand))


def edge_scores(edges: ArrayLike, truth: ArrayLike, pairs: ArrayLike) -> EdgeScores:
    """How many of the pairs that should be joined a graph joins, and how pure it is.

    Args:
        edges: (2, E) rows of hits, in one direction or both; each pair of hits counts once.
        truth: (N,) the object of every hit, below 0: noise.
        pairs: (2, T) rows of hits that should be joined, each pair once: those of neighbouring
            layers along a track, for instance. Of them efficiency speaks; purity counts an edge as
            good if both hits belong to one object.
    """
    true = _array("truth", truth).astype(np.int64)
    joined, wanted = _pairs("edges", edges, len(true)), _pairs("pairs", pairs, len(true))
    first, second = joined // max(len(true), 1), joined % max(len(true), 1)
    good = (true[first] >= 0) & (true[first] == true[second])
    return EdgeScores(
        efficiency=_ratio(int(np.isin(wanted, joined).sum()), len(wanted)),
        purity=_ratio(int(good.sum()), len(joined)),
        mean_degree=_ratio(2 * len(joined), len(true)),
    )


class _Hits:
    def __init__(
        self,
        truth: ArrayLike,
        prediction: ArrayLike,
        weight: ArrayLike | None,
        row_splits: ArrayLike | None,
    ) -> None:
        self.truth, self.prediction = _labels("truth", truth), _labels("prediction", prediction)
        size = len(self.truth)
        self.weight = np.ones(size) if weight is None else _array("weight", weight).astype(float)
        for name, values in (("prediction", self.prediction), ("weight", self.weight)):
            if len(values) != size:
                raise ValueError(
                    f"{_WHERE}: expected {name} to have {size} elements like truth, "
                    f"got {len(values)}"
                )
        if not (self.weight >= 0).all():
            raise ValueError(f"{_WHERE}: expected weight to be numbers not below 0, got others")
        splits = [0, size] if row_splits is None else _labels("row_splits", row_splits).tolist()
        good = splits and splits[0] == 0 and splits[-1] == size and splits == sorted(splits)
        if not good:
            raise ValueError(f"{_WHERE}: expected row_splits to ascend from 0 to {size}")
        self.splits = splits

    def events(self) -> Iterator[tuple[Integers, Integers, Floats]]:
        for begin, end in pairwise(self.splits):
            yield self.truth[begin:end], self.prediction[begin:end], self.weight[begin:end]


def _array(name: str, values: ArrayLike) -> NDArray[Any]:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{_WHERE}: expected {name} to be 1-D (N), got {array.ndim}-D")
    return array


def _labels(name: str, values: ArrayLike) -> Integers:
    array = _array(name, values)
    if len(array) and not np.issubdtype(array.dtype, np.integer):
        raise TypeError(f"{_WHERE}: expected {name} to be integers, got {array.dtype}")
    return array.astype(np.int64)


def _pairs(name: str, values: ArrayLike, size: int) -> Integers:
    """Each pair of rows once, as one number."""
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    array = np.asarray(values)
    if array.ndim != 2 or array.shape[0] != 2:
        raise ValueError(f"{_WHERE}: expected {name} to be (2, E), got {array.shape}")
    low, high = array.min(0, initial=size), array.max(0, initial=-1)
    if len(low) and (low.min() < 0 or high.max() >= size):
        raise ValueError(f"{_WHERE}: expected {name} to be rows from 0 to {size - 1}, got others")
    return np.unique(low.astype(np.int64) * size + high)


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def _module(name: str, package: str, use: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"{_WHERE}: expected {package}, which {use} needs, found none: "
            f"pip install {package.lower()}"
        ) from error
