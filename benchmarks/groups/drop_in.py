"""torch-cluster's calls, answered by torch-cluster and by hitgraph in its place: edge lists."""

from __future__ import annotations

from ..cells import Cell, Contender, Contenders, Prepared, Profile
from ..inputs import events
from ..peers.torch_cluster import InItsPlace, TorchCluster
from .searches import judge, problem_of


def cells(profile: Profile, device: str) -> list[Cell]:
    def cell(case: str, n: int, **sizes: int) -> Cell:
        seconds = 3 + 1e-9 * n * n  # every pair, a few rounds
        return Cell("drop_in", device, case, n, {"d": 3, **sizes}, frozenset(), seconds)

    if profile.name == "smoke":
        return [cell("uniform", 300, k=5), cell("uniform", 300, mean=5)]
    if profile.name == "quick":  # the group knn has both, too
        return [cell("uniform", 4_000, k=16), cell("uniform", 4_000, mean=30)]
    n = 200_000
    clouds = ("uniform", "clustered")
    found = [cell(name, n, d=d, k=k) for name in clouds for d in (3, 4) for k in (16, 40)]
    found += [cell(name, n, mean=30) for name in clouds]
    found += [cell("jets", 50_000, k=16), cell("jets", 50_000, mean=8)]
    found += [cell("uniform", 100, k=4), cell("uniform", 100, k=16), cell("uniform", 100, mean=5)]
    if events().is_dir():
        found += [cell("event", 0, k=16), cell("event", 0, k=40), cell("event", 0, mean=30)]
    return found


def prepare(cell: Cell, profile: Profile) -> Prepared:
    problem = problem_of(cell)
    task = "radius" if "mean" in cell.sizes else "knn"
    found: Contenders = {}
    for name, peer in {"hitgraph": InItsPlace(), "torch-cluster": TorchCluster()}.items():
        if peer.version() is None:
            continue
        why = peer.reason(task, problem, cell.device, profile.pairs[cell.device])
        found[name] = why or Contender(peer.call(task, problem), judge(peer, task, problem))
    return Prepared(found, len(problem.points))
