"""Whole networks: layers on neighbour graphs with what stands before and after them."""

from .dgcnn import DGCNN, SEGMENTATIONS, DGCNNSegmentation
from .gravnet_model import GravNetBlock, GravNetModel
from .particlenet import ParticleNet, ParticleNetBlock
from .spatial_transform import SpatialTransform

__all__ = [
    "DGCNN",
    "SEGMENTATIONS",
    "DGCNNSegmentation",
    "GravNetBlock",
    "GravNetModel",
    "ParticleNet",
    "ParticleNetBlock",
    "SpatialTransform",
]
