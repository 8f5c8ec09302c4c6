"""Layers that live on neighbour graphs, and their aggregations as functions."""

from . import functional
from .edge_conv import DynamicEdgeConv, EdgeConv
from .edge_presets import EDGE_PRESETS
from .graph import GravNetGraph
from .gravnet import GravNet
from .presets import PRESETS

__all__ = [
    "EDGE_PRESETS",
    "PRESETS",
    "DynamicEdgeConv",
    "EdgeConv",
    "GravNet",
    "GravNetGraph",
    "functional",
]
