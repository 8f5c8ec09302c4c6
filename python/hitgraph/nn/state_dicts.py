"""State dicts of other libraries' GravNet layers, read by `hitgraph.nn.GravNet`.

A layer that was trained there is loaded as one that was trained here::

    layer = GravNet.preset("pyg", 64, 96, space_dimensions=4, propagate_features=22, k=40)
    layer.load_state_dict(gravnet_conv.state_dict())

Keys understood, the layer's own beside them:

=============  ==========================  ===============================  =======================
hitgraph       torch_geometric             fastgraphcompute                 pytorch_cmspepr
=============  ==========================  ===============================  =======================
space          lin_s                       space_transformations            lin_s
propagate      lin_h                       propagate_transformations        lin_h
output.weight  lin_out1, lin_out2.weight   output_transformations.0.weight  lin.weight
output.bias    lin_out2.bias               output_transformations.0.bias    lin.bias
=============  ==========================  ===============================  =======================

The columns of the output weight are put into the order of the layer that reads them. Only weights
come from a state dict: that both compute the same is a matter of the layer's arguments, see
`hitgraph.nn.PRESETS`.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn

# Other names of whole parameters.
_RENAMED = {
    "lin_s.weight": "space.weight",
    "lin_s.bias": "space.bias",
    "lin_h.weight": "propagate.weight",
    "lin_h.bias": "propagate.bias",
    "lin_out2.bias": "output.bias",
    "lin.bias": "output.bias",
    "space_transformations.weight": "space.weight",
    "space_transformations.bias": "space.bias",
    "propagate_transformations.weight": "propagate.weight",
    "propagate_transformations.bias": "propagate.bias",
    "output_transformations.0.bias": "output.bias",
}


class GravNetColumns(Protocol):
    """What of a GravNet layer the columns of its output weight depend on."""

    in_features: int
    propagate: nn.Linear
    reduce: tuple[str, ...]
    concatenate: Callable[[Tensor, list[Tensor]], Tensor]


def translate(
    layer: GravNetColumns, state_dict: MutableMapping[str, Any], prefix: str, *_: object
) -> None:
    """Gives the entries of other libraries the names and the shapes of the layer's own, in place.

    A hook for `torch.nn.Module.register_load_state_dict_pre_hook`: the rest of its arguments, about
    errors, is not used. An entry whose counterpart is missing, or whose place is taken, keeps its
    name, and torch reports it.

    Args:
        layer: the layer that is loaded.
        state_dict: what it is loaded from.
        prefix: the layer's name in it, with a dot at the end, or "".
    """
    for theirs, ours in _RENAMED.items():
        if prefix + theirs in state_dict and prefix + ours not in state_dict:
            state_dict[prefix + ours] = state_dict.pop(prefix + theirs)

    weight = prefix + "output.weight"
    if sorted(layer.reduce) != ["max", "mean"]:
        return  # no other system has such columns: torch reports the names
    by_input, by_aggregates = prefix + "lin_out1.weight", prefix + "lin_out2.weight"
    if weight in state_dict:
        return
    both: list[Any] = [state_dict.get(by_input), state_dict.get(by_aggregates)]
    if all(map(_is_matrix, both)) and both[0].shape[0] == both[1].shape[0]:
        del state_dict[by_input], state_dict[by_aggregates]
        state_dict[weight] = _input_mean_max(layer, torch.cat(both, dim=1))
    elif _is_matrix(state_dict.get(theirs := prefix + "output_transformations.0.weight")):
        state_dict[weight] = _input_mean_max(layer, state_dict.pop(theirs))
    elif _is_matrix(state_dict.get(theirs := prefix + "lin.weight")):
        # Mean and maximum first: the same columns, turned round.
        turned = state_dict.pop(theirs).roll(layer.in_features, dims=1)
        state_dict[weight] = _input_mean_max(layer, turned)


def _is_matrix(weight: Tensor | None) -> bool:
    return weight is not None and weight.dim() == 2


def _input_mean_max(layer: GravNetColumns, weight: Tensor) -> Tensor:
    """A weight whose columns are those of X, mean and maximum, in the layer's own order."""
    widths = [layer.in_features] + 2 * [layer.propagate.out_features]
    if weight.shape[1] != sum(widths):
        return weight  # does not fit: torch names the shape that came and the one expected
    x, mean, maximum = weight.split(widths, dim=1)
    aggregates = {"mean": mean, "max": maximum}
    return layer.concatenate(x, [aggregates[name] for name in layer.reduce])
