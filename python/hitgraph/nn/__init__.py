"""Layers that live on neighbour graphs, and their aggregations as functions."""

from . import functional
from .graph import GravNetGraph
from .gravnet import GravNet
from .presets import PRESETS

__all__ = ["PRESETS", "GravNet", "GravNetGraph", "functional"]
