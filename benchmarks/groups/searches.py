"""What the groups of searches have in common: a problem, and everybody's answer to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from .. import inputs
from ..cells import Cell, Contender, Contenders, Profile
from ..method.oracle import Verdict, check_nearest, check_within, sampled
from ..peers import own, present
from ..peers.base import Peer
from ..problem import Problem


def problem_of(cell: Cell) -> Problem:
    """The points of a cell, and what is asked of them."""
    sizes = cell.sizes
    cloud = inputs.make(cell.case, cell.n, sizes["d"], cell.device)
    queries = None
    if "queries" in sizes:
        queries = cloud.points.flip(0)[: sizes["queries"]].contiguous() + 1e-3
    r = radius_of(cloud.points, cloud.row_splits, sizes["mean"]) if "mean" in sizes else 0.0
    return Problem(cloud.points, cloud.row_splits, sizes.get("k", 0), r, queries)


def radius_of(points: torch.Tensor, row_splits: torch.Tensor, neighbours: int) -> float:
    """Within which points have so many others in the mean; a few more where some have eight times
    as many.
    """
    import hitgraph

    distance2 = hitgraph.knn(points, 8 * neighbours, row_splits).distance2
    near = distance2[distance2.isfinite()]
    return float(near.kthvalue(min(neighbours * len(points), near.numel())).values.sqrt())


def judge(peer: Peer, task: str, problem: Problem) -> Callable[[Any], Verdict]:
    """Compares a sample of what a peer found with the oracle."""
    check = check_nearest if task == "knn" else check_within

    def verdict(found: Any) -> Verdict:
        queries = sampled(problem).tolist()
        return check(problem, queries, getattr(peer, f"{task}_rows")(problem, found, queries))

    return verdict


def contenders_of(task: str, cell: Cell, problem: Problem, profile: Profile) -> Contenders:
    """Everybody who is there; or why one does not take part."""
    found: Contenders = {}
    for peer in present():
        why = peer.reason(task, problem, cell.device, profile.pairs[cell.device])
        found[peer.name] = why or contender(peer, task, cell, problem)
    return found


def contender(peer: Peer, task: str, cell: Cell, problem: Problem) -> Contender:
    parts = parts_of(peer, task, problem) if "parts" in cell.extras else {}
    if "backward" in cell.extras and peer.name == "hitgraph":
        parts["forward and backward"] = lambda: own.gradient(problem)
    return Contender(
        peer.call(task, problem),
        judge(peer, task, problem),
        parts,
        threads=peer.name == "hitgraph",
        recipe=None if peer.name == "hitgraph, edge list" else recipe(peer, task, cell),
    )


def parts_of(peer: Peer, task: str, problem: Problem) -> dict[str, Callable[[], Any]]:
    """Index and search apart. hitgraph's search alone is what the whole takes beyond the index."""
    if peer.name == "hitgraph":
        return {"build": own.build_alone(problem)}
    if not peer.index:
        return {}
    index = peer.build(problem)
    search = getattr(peer, task)
    return {"build": lambda: peer.build(problem), "search": lambda: search(problem, index)}


def recipe(peer: Peer, task: str, cell: Cell) -> tuple[str, str]:
    """For a process of its own: the same cell, after a small call that loads and starts all."""
    name = f"{peer.name!r}"
    small = f"Cell('', 'cpu', 'uniform', 500, {dict(cell.sizes)!r})"
    large = f"Cell('', 'cpu', {cell.case!r}, {cell.n}, {dict(cell.sizes)!r})"
    prepare = (
        "from benchmarks.cells import Cell\n"
        "from benchmarks.peers import PEERS\n"
        "from benchmarks.groups.searches import problem_of\n"
        f"peer = next(p for p in PEERS if p.name == {name})\n"
        f"peer.call({task!r}, problem_of({small}))()\n"
        f"call = peer.call({task!r}, problem_of({large}))"
    )
    return prepare, "kept = call()"
