"""Whole networks: layers on neighbour graphs with what stands before and after them."""

from .gravnet_model import GravNetBlock, GravNetModel

__all__ = ["GravNetBlock", "GravNetModel"]
