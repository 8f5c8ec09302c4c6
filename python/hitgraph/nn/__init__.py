"""Layers that live on neighbour graphs, and their aggregations as functions."""

from . import functional
from .gravnet import PRESETS, GravNet, GravNetGraph

__all__ = ["PRESETS", "GravNet", "GravNetGraph", "functional"]
