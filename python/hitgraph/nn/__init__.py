"""Layers that live on neighbour graphs, and their aggregations as functions."""

from . import functional
from .gravnet import GravNet, GravNetGraph
from .presets import PRESETS

__all__ = ["PRESETS", "GravNet", "GravNetGraph", "functional"]
