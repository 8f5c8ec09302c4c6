"""Layers that live on neighbour graphs, and their aggregations as functions."""

from . import functional
from .condensation import CondensationLoss, ObjectCondensationLoss
from .condensation_presets import CONDENSATION_PRESETS
from .edge_conv import DynamicEdgeConv, EdgeConv
from .edge_presets import EDGE_PRESETS
from .graph import GravNetGraph
from .gravnet import GravNet
from .presets import PRESETS

__all__ = [
    "CONDENSATION_PRESETS",
    "EDGE_PRESETS",
    "PRESETS",
    "CondensationLoss",
    "DynamicEdgeConv",
    "EdgeConv",
    "GravNet",
    "GravNetGraph",
    "ObjectCondensationLoss",
    "functional",
]
