"""Whole networks: layers on neighbour graphs with what stands before and after them."""

from .dgcnn import DGCNN, DGCNNSegmentation
from .gravnet_model import GravNetBlock, GravNetModel
from .particlenet import ParticleNet, ParticleNetBlock

__all__ = [
    "DGCNN",
    "DGCNNSegmentation",
    "GravNetBlock",
    "GravNetModel",
    "ParticleNet",
    "ParticleNetBlock",
]
