"""The published forms of GravNet as arguments of `hitgraph.nn.GravNet`.

They differ in the reach of the weights, in whether a point is one of its own k neighbours, in what
a missing neighbour counts for, and in what surrounds the aggregation. A preset is what its source
computes, with the sizes that the source uses; where a source leaves a size to its user, it is the
paper's. Starting values are PyTorch's unless space_init says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch

PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        # arXiv:1902.07987: V(d) = exp(−d²), mean and maximum over k = 40 neighbours, 4 coordinates,
        # 22 features, tanh.
        "paper": MappingProxyType(
            {
                "space_dimensions": 4,
                "propagate_features": 22,
                "k": 40,
                "scale": 1.0,
                "own": "none",
                "activation": torch.tanh,
            }
        ),
        # "Faster dynamic GNNs with GPUs" (2024), backup slide: G = H_i − mean, I = H_i − max, k =
        # 64, 4 coordinates, 32 features. The slide gives no output activation; ReLU is what its
        # authors' implementation uses.
        "talk": MappingProxyType(
            {
                "space_dimensions": 4,
                "propagate_features": 32,
                "k": 64,
                "scale": 1.0,
                "own": "own_minus_aggregate",
                "activation": torch.relu,
            }
        ),
        # torch_geometric.nn.GravNetConv, release 2.7: the point itself is one of the k; the mean
        # divides by the neighbours found; no activation. Its two output layers, one of X without a
        # bias and one of the aggregates, are one layer of both side by side. Sizes: the paper's.
        "pyg": MappingProxyType(
            {
                "space_dimensions": 4,
                "propagate_features": 22,
                "k": 40,
                "scale": 10.0,
                "include_self": True,
                "divisor": "count",
                "missing": "skip",
                "activation": None,
            }
        ),
        # fastgraphcompute, GravNetOp: the point itself is one of the k; the mean divides by k; a
        # missing neighbour takes part in the maximum as 0. Sizes: those of the model that its
        # authors time, in the talk "Faster dynamic GNNs with GPUs" (2024).
        "fastgraphcompute": MappingProxyType(
            {
                "space_dimensions": 4,
                "propagate_features": 32,
                "k": 64,
                "scale": 10.0,
                "include_self": True,
                "divisor": "k",
                "missing": "zero",
                "activation": torch.relu,
            }
        ),
        # HGCalML (CMS), RaggedGravNet: k neighbours beside the point itself; the mean divides by k;
        # what is propagated is rectified; mean − H_i, max − H_i and X in this order; the space
        # begins as the first columns of X. Sizes: those of its trainings, of 3 to 6 coordinates.
        "hgcalml": MappingProxyType(
            {
                "space_dimensions": 6,
                "propagate_features": 64,
                "k": 64,
                "scale": 10.0,
                "divisor": "k",
                "missing": "skip",
                "own": "aggregate_minus_own",
                "concatenation": "aggregates_first",
                "propagate_activation": torch.relu,
                "space_bias": False,
                "space_init": "identity",
                "activation": torch.relu,
            }
        ),
        # pytorch_cmspepr, GravNetConv: k neighbours beside the point itself; the mean divides by
        # the neighbours found; mean, max and X in this order; no activation. Sizes: those of its
        # GravnetModel.
        "cmspepr": MappingProxyType(
            {
                "space_dimensions": 4,
                "propagate_features": 22,
                "k": 40,
                "scale": 10.0,
                "divisor": "count",
                "missing": "skip",
                "concatenation": "aggregates_first",
                "activation": None,
            }
        ),
    }
)
