"""GravNet: message passing on the neighbour graph of a space that the layer learns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from hitgraph._arguments import check_choice, check_features, check_sizes
from hitgraph.functional import Neighbors

from .functional import DIVISORS, MISSING, check_reduce, gravnet_aggregate
from .graph import GravNetGraph, adopt_graph, search_graph
from .presets import PRESETS
from .state_dicts import translate

_WHERE = "hitgraph.nn.GravNet"
OWN = ("none", "own_minus_aggregate", "aggregate_minus_own")
CONCATENATIONS = ("input_first", "aggregates_first")
SPACE_INITS = ("default", "identity")
INDEX_DTYPES = (torch.int64, torch.int32)
SPACE_NOISE = 0.01  # standard deviation around the identity


class GravNet(nn.Module):
    """GravNet layer of arXiv:1902.07987 on exact nearest neighbours.

    For every point, with X the input::

        S = space(X)        coordinates in a learned space
        H = propagate(X)    features to send
        j   the k nearest neighbours of i in S, i itself not among them
        w_ij = exp(−scale · |S_i − S_j|²)
        mean_i = Σ_j w_ij H_j / k        max_i = max_j w_ij H_j   (for each feature)
        Y_i = activation(output([X_i, mean_i, max_i]))

    space, propagate and output are linear layers with a bias, PyTorch's default initialisation.
    With ``own="own_minus_aggregate"`` (the talk's form) H_i − mean_i and H_i − max_i take the
    places of mean_i and max_i.

    The default arguments are the paper's. `GravNet.preset` makes a layer as a source defines it,
    see `hitgraph.nn.PRESETS`::

        GravNet.preset("talk", 64, 128)          # as published
        GravNet.preset("talk", 64, 128, k=16)    # with a change

    `load_state_dict` also takes the state dicts of torch_geometric's and pytorch_cmspepr's
    GravNetConv and of fastgraphcompute's GravNetOp, alone or within a model.

    A point with fewer than k neighbours in its event has missing ones: they add 0 to the mean,
    which still divides by k (``divisor="k"``), and do not take part in the maximum
    (``missing="skip"``). A point without any has mean 0 and maximum 0.

    The scale can be absorbed by the space layer (S times √scale): it sets the initial reach, not
    what can be learnt. At scale 1 a neighbour beyond distance 3.7 has a weight, and so a gradient,
    below 1e-6.

    Under autocast the space layer, the search and the weights stay in float32.

    Args:
        in_features: columns of x.
        out_features: columns of the result.
        space_dimensions: columns of S.
        propagate_features: columns of H.
        k: neighbours of a point.
        scale: factor of the squared distance in the exponent.
        include_self: whether a point is its own (nearest) neighbour; it is one of the k then.
        reduce: aggregates to use, in this order: "mean", "max", "sum".
        divisor: "k" or "count", see `hitgraph.nn.functional.gravnet_aggregate`.
        missing: "skip" or "zero", see there.
        own: "none", "own_minus_aggregate" (H_i − mean_i) or "aggregate_minus_own" (mean_i − H_i).
        concatenation: "input_first" ([X_i, mean_i, max_i]) or "aggregates_first" ([mean_i, max_i,
            X_i]): the columns that the output layer reads.
        max_radius: neighbours beyond this distance in S are missing; None for no limit.
        index_dtype: torch.int64, or torch.int32 for a graph of half the memory.
        propagate_activation: applied to H before it is sent; a function, a module or None.
        activation: applied to the result, a function or a module; None for a linear result.
        space_bias: whether the space layer has a bias. It moves all points of S alike, so it
            changes no result.
        space_init: "default", or "identity": at the start S is the first columns of X, up to noise
            of standard deviation 0.01 in the weights; a bias is 0.
        device, dtype: of the parameters.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        space_dimensions: int = 4,
        propagate_features: int = 22,
        k: int = 40,
        scale: float = 1.0,
        include_self: bool = False,
        reduce: Sequence[str] = ("mean", "max"),
        divisor: str = "k",
        missing: str = "skip",
        own: str = "none",
        concatenation: str = "input_first",
        max_radius: float | None = None,
        index_dtype: torch.dtype = torch.int64,
        propagate_activation: Callable[[Tensor], Tensor] | None = None,
        activation: Callable[[Tensor], Tensor] | None = torch.tanh,
        space_bias: bool = True,
        space_init: str = "default",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_sizes(
            _WHERE,
            in_features=in_features,
            out_features=out_features,
            space_dimensions=space_dimensions,
            propagate_features=propagate_features,
            k=k,
        )
        check_reduce(_WHERE, reduce)
        for name, choice, known in (
            ("divisor", divisor, DIVISORS),
            ("missing", missing, MISSING),
            ("own", own, OWN),
            ("concatenation", concatenation, CONCATENATIONS),
            ("space_init", space_init, SPACE_INITS),
            ("index_dtype", index_dtype, INDEX_DTYPES),
        ):
            check_choice(_WHERE, name, choice, known)
        self.in_features, self.out_features = in_features, out_features
        self.k, self.scale, self.include_self = k, scale, include_self
        self.reduce, self.divisor, self.missing = tuple(reduce), divisor, missing
        self.own, self.concatenation = own, concatenation
        self.max_radius, self.index_dtype = max_radius, index_dtype
        self.propagate_activation, self.activation = propagate_activation, activation

        where: dict[str, Any] = {"device": device, "dtype": dtype}
        aggregated = len(self.reduce) * propagate_features
        self.space = nn.Linear(in_features, space_dimensions, bias=space_bias, **where)
        self.propagate = nn.Linear(in_features, propagate_features, **where)
        self.output = nn.Linear(in_features + aggregated, out_features, **where)
        if space_init == "identity":
            _near_identity(self.space)
        self.register_load_state_dict_pre_hook(translate)

    @classmethod
    def preset(cls, name: str, in_features: int, out_features: int, **changes: Any) -> GravNet:
        """The layer as a source defines it.

        Args:
            name: a key of `hitgraph.nn.PRESETS`: "paper" (arXiv:1902.07987), "talk" (Faster dynamic
                GNNs with GPUs, 2024), "pyg" (torch_geometric), "fastgraphcompute", "hgcalml" or
                "cmspepr".
            in_features: columns of x.
            out_features: columns of the result.
            changes: arguments of GravNet that replace the preset's.
        """
        check_choice(_WHERE, "the preset", name, PRESETS)
        return cls(in_features, out_features, **{**PRESETS[name], **changes})

    def forward(
        self,
        x: Tensor,
        row_splits: Tensor | None = None,
        *,
        batch: Tensor | None = None,
        graph: GravNetGraph | Neighbors | None = None,
        return_graph: bool = False,
    ) -> Tensor | tuple[Tensor, GravNetGraph]:
        """Apply the layer to the points of one or several events.

        Args:
            x: (N, in_features) floating point, in the dtype of the parameters (any under autocast).
            row_splits: (B+1,) int64 from 0 to N; event b is x[row_splits[b] : row_splits[b+1]].
                Without it (and batch) all points are of one event.
            batch: (N,) int64, ascending event numbers: another way to say row_splits.
            graph: a graph to use instead of searching one: that of an earlier call, or the result
                of `hitgraph.knn`. Its distance2 gives the weights as it is, with its gradient, the
                space layer is not used, row_splits and batch are not read, and its number of
                neighbours replaces k.
            return_graph: also return the graph.

        Returns:
            (N, out_features), or that and the `GravNetGraph`.
        """
        check_features(_WHERE, x, self.in_features, self.space.weight.dtype)
        used = (
            self._search(x, row_splits, batch) if graph is None else adopt_graph(_WHERE, x, graph)
        )
        features = self.propagate(x)
        if self.propagate_activation is not None:
            features = self.propagate_activation(features)
        aggregates = gravnet_aggregate(
            features,
            used.index,
            used.distance2,
            self.scale,
            reduce=self.reduce,
            divisor=self.divisor,
            missing=self.missing,
            transposed=used.transposed,
        )
        if self.own == "own_minus_aggregate":
            aggregates = tuple(features - aggregate for aggregate in aggregates)
        elif self.own == "aggregate_minus_own":
            aggregates = tuple(aggregate - features for aggregate in aggregates)
        y = self.output(self.concatenate(x.to(features.dtype), aggregates))
        if self.activation is not None:
            y = self.activation(y)
        return (y, used) if return_graph else y

    def concatenate(self, x: Tensor, aggregates: Sequence[Tensor]) -> Tensor:
        """The columns of the input and of the aggregates in the order that output reads them."""
        input_first = self.concatenation == "input_first"
        return torch.cat([x, *aggregates] if input_first else [*aggregates, x], dim=1)

    def _search(self, x: Tensor, row_splits: Tensor | None, batch: Tensor | None) -> GravNetGraph:
        # Rounding coordinates to 8 or 11 bits would merge neighbours, so autocast stops here.
        with torch.autocast(device_type=x.device.type, enabled=False):
            return search_graph(
                self.space(x.to(self.space.weight.dtype)),
                self.k,
                row_splits,
                batch=batch,
                include_self=self.include_self,
                max_radius=self.max_radius,
                index_dtype=self.index_dtype,
            )

    def extra_repr(self) -> str:
        """The settings that the submodules do not show."""
        shown = ("k", "scale", "include_self", "reduce", "divisor", "missing", "own")
        parts = [f"{name}={getattr(self, name)!r}" for name in (*shown, "concatenation")]
        if self.max_radius is not None:
            parts.append(f"max_radius={self.max_radius:g}")
        if self.index_dtype != torch.int64:
            parts.append(f"index_dtype={self.index_dtype}")
        for name in ("propagate_activation", "activation"):
            activation = getattr(self, name)
            if not isinstance(activation, nn.Module):  # a module is listed by itself
                parts.append(f"{name}={getattr(activation, '__name__', activation)}")
        return ", ".join(parts)


@torch.no_grad()
def _near_identity(linear: nn.Linear) -> None:
    nn.init.eye_(linear.weight)
    linear.weight.add_(torch.randn_like(linear.weight), alpha=SPACE_NOISE)
    if linear.bias is not None:
        nn.init.zeros_(linear.bias)
