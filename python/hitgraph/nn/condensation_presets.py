"""The published forms of the object condensation loss as arguments of
`hitgraph.nn.ObjectCondensationLoss`.

A preset is what its source computes, one event at a time; a batch is the mean over its events. What
sources do beside the loss (spectators, cuts on particles, sampling) is not part of it. Where a
source guards artanh(β) at β = 1 by clipping or not at all, the guard is 1.001.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

CONDENSATION_PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        # arXiv:2002.03605, equations 1 to 8: |x − x_α|² and max(0, 1 − |x − x_α|), summed over hits
        # and objects, divided by the hits; 1 − β_α and the mean β of the noise.
        "paper": MappingProxyType(
            {
                "charge_minimum": 0.5,
                "beta_guard": 1.001,
                "attraction": "quadratic",
                "repulsion": "hinge",
                "normalisation": "hits",
                "beta_term": "point",
                "noise_divisor": "noise",
                "payload": "artanh2",
            }
        ),
        # "Faster dynamic GNNs with GPUs" (2024): ln(e u + 1) and exp(−u), u = |x − x̄|² / (2 φ̄² +
        # ε), means over the hits of an object and over the others, then over objects. φ̄ is the mean
        # of φ weighted by β, as in its authors' implementation. The slide does not say how x̄ is
        # averaged; it is by charge. Numbers that it leaves out (q_min, ε) are those of HGCalML.
        "talk": MappingProxyType(
            {
                "charge_minimum": 0.5,
                "beta_guard": 1.002,
                "attraction": "logarithmic",
                "repulsion": "exponential",
                "normalisation": "objects",
                "mean_centre": 1.0,
                "scale": "mean",
                "scale_power": 2,
                "scale_epsilon": 1e-6,
                "beta_term": "point",
                "noise_divisor": "noise",
                "payload": "artanh2",
            }
        ),
        # HGCalML (CMS), its basic loss: u = |x − x_k|² / (2 (d_α + 1e-4)) with the distance scale
        # that the condensation point predicts, not squared; x_k lies between the mean by charge and
        # the condensation point; means over n + 1e-3 hits; the largest β of an object by a soft
        # maximum of temperature 1e-3, and the sum of its β up to 1; all weighted by object.
        "hgcalml": MappingProxyType(
            {
                "charge_minimum": 0.8,
                "beta_guard": 1.01,
                "attraction": "logarithmic",
                "repulsion": "exponential",
                "normalisation": "objects",
                "count_epsilon": 1e-3,
                "mean_centre": 0.5,
                "scale": "point",
                "scale_power": 1,
                "scale_epsilon": 2e-4,
                "beta_term": "soft",
                "weight_beta_term": True,
                "noise_divisor": "noise",
                "payload": "beta2",
            }
        ),
        # fastgraphcompute: |x − x_α|² and max(0, 1 − √(|x − x_α|² + 1e-6)), means over the hits of
        # an object and over the others, then over objects; HGCalML's β term; the β of the noise is
        # divided by all hits. Its padded entries, which enter the soft maximum there with β = 0, do
        # not exist here.
        "fastgraphcompute": MappingProxyType(
            {
                "charge_minimum": 0.1,
                "beta_guard": 1.001,
                "attraction": "quadratic",
                "repulsion": "hinge",
                "hinge_epsilon": 1e-6,
                "normalisation": "objects",
                "beta_term": "soft",
                "noise_divisor": "hits",
                "payload": "artanh2",
            }
        ),
        # gnn_tracking and the package object_condensation: as the paper, but means over the hits of
        # an object and over the others, then over objects. Label 0 is noise.
        "gnn_tracking": MappingProxyType(
            {
                "charge_minimum": 0.01,
                "beta_guard": 1.001,
                "attraction": "quadratic",
                "repulsion": "hinge",
                "normalisation": "objects",
                "beta_term": "point",
                "noise_divisor": "noise",
                "noise_label": 0,
                "payload": "artanh2",
            }
        ),
    }
)
