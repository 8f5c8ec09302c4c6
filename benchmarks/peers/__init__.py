"""The libraries that hitgraph is measured beside."""

from __future__ import annotations

from functools import cache

from .base import Peer
from .every_pair import Cdist, CdistByProduct, CuVs, Faiss, FaissGpu, KeOps, PyTorch3d
from .fastgraphcompute import FastGraphCompute
from .own import Hitgraph
from .torch_cluster import InItsPlace, PygLib, TorchCluster
from .trees import PyKdTree, ScikitLearn, SciPy

OWN = Hitgraph()
PEERS: tuple[Peer, ...] = (
    OWN,
    InItsPlace(),
    PyKdTree(),
    SciPy(),
    ScikitLearn(),
    TorchCluster(),
    PygLib(),
    FastGraphCompute(),
    Faiss(),
    FaissGpu(),
    Cdist(),
    CdistByProduct(),
    CuVs(),
    KeOps(),
    PyTorch3d(),
)


@cache
def present() -> list[Peer]:
    """hitgraph, and the peers that can be imported."""
    return [peer for peer in PEERS if peer.version() is not None]
