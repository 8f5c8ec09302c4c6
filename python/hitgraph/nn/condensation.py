"""The object condensation loss: the hits of an object gather around one that speaks for it."""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from hitgraph._arguments import check_choice, check_float, check_given, check_int, check_tensors
from hitgraph._search import event_splits

from .condensation_presets import CONDENSATION_PRESETS
from .labelled_hits import LabelledHits, not_zero

_WHERE = "hitgraph.nn.ObjectCondensationLoss"
ATTRACTIONS = ("quadratic", "logarithmic")
REPULSIONS = ("hinge", "exponential")
NORMALISATIONS = ("hits", "objects")
SCALES = (None, "mean", "point")
BETA_TERMS = ("point", "soft")
NOISE_DIVISORS = ("noise", "hits")
PAYLOADS = ("artanh2", "beta2")
SOFT_TEMPERATURE = 1e-3  # of the soft maximum of β


class CondensationLoss(NamedTuple):
    """The parts of an object condensation loss.

    Attributes:
        attraction: (), what pulls hits to the centre of their object.
        repulsion: (), what pushes hits from the centres of other objects.
        beta: (), small where every object has a hit with β near 1.
        noise: (), the β of the noise, times noise_weight.
        payload_weight: (N,) what a hit's own loss (of its energy, say) counts: 0 for noise; the sum
            over the hits of an event is 1 / the number of events that have hits. Differentiable;
            detach() it if β is not to learn from the payload.
        condensation_point: (N,) int64, the row of the condensation point of every hit's object; -1
            for noise.
    """

    attraction: Tensor
    repulsion: Tensor
    beta: Tensor
    noise: Tensor
    payload_weight: Tensor
    condensation_point: Tensor

    @property
    def total(self) -> Tensor:
        """The sum of the four parts."""
        return self.attraction + self.repulsion + self.beta + self.noise


class ObjectCondensationLoss(nn.Module):
    """The object condensation loss of arXiv:2002.03605 and of those that came after it.

    Every hit has a β in [0, 1], coordinates x in a learned space and an object that it belongs to;
    α_k is the hit of object k with the largest β, its condensation point::

        q_i = artanh(β_i / beta_guard)² + charge_minimum
        u_ik = |x_i − c_k|² / scale of object k                      c_k: its centre, x_α at first
        attraction = Σ_k q_α w_k Σ_{i in k} q_i a(u_ik)              a: u or ln(e u + 1)
        repulsion  = Σ_k q_α w_k Σ_{i not in k} q_i r(u_ik)          r: max(0, 1 − √u) or exp(−u)

    with sums and objects normalised as below. Presets are made by `ObjectCondensationLoss.preset`,
    see `hitgraph.nn.CONDENSATION_PRESETS`; the default arguments are the paper's.

    Memory is that of hits and objects, never hits times objects, forward and backward. The result
    is the mean over the events that have hits; it does not depend on threads. An event without
    objects has the noise term alone. There are no derivatives of second order.

    Args:
        charge_minimum: q_min, not below 0.
        beta_guard: β is divided by it, so that artanh is finite at β = 1; above 1.
        attraction: "quadratic" (u) or "logarithmic" (ln(e u + 1)).
        repulsion: "hinge" (max(0, 1 − √(u + hinge_epsilon))) or "exponential" (exp(−u)).
        hinge_epsilon: from 0, below 1. At 0 the gradient at u = 0 is 0.
        normalisation: "hits": the sums over all hits and objects of an event, divided by its hits;
            "objects": an object's mean over its hits and its mean over the other hits, then the
            mean over the objects of an event.
        count_epsilon: added to the numbers of hits that means of "objects" divide by.
        mean_centre: c_k = mean_centre · (mean of x over the object, weighted by q) + (1 −
            mean_centre) · x_α.
        scale: None: u = |x − c|²; "point" or "mean": u = |x − c|² / (2 φ^scale_power +
            scale_epsilon) with the φ of the condensation point, or the mean of φ over the object,
            weighted by β.
        scale_power: 1 or 2.
        scale_epsilon: not below 0.
        beta_term: "point": mean over objects of 1 − β_α; "soft": of 1 − ε ln Σ exp(β_i / ε), ε =
            0.001, plus 1 − min(1, Σ β_i), sums over the hits of an object.
        weight_beta_term: whether object weights count in it.
        noise_divisor: the β of an event's noise hits, divided by the number of "noise" hits or of
            all "hits".
        noise_weight: s_B.
        noise_label: hits with this label or a smaller one are noise.
        payload: payload weights are proportional to "artanh2" (artanh(β / beta_guard)²) or "beta2"
            (β²).
    """

    def __init__(
        self,
        *,
        charge_minimum: float = 0.5,
        beta_guard: float = 1.001,
        attraction: str = "quadratic",
        repulsion: str = "hinge",
        hinge_epsilon: float = 0.0,
        normalisation: str = "hits",
        count_epsilon: float = 0.0,
        mean_centre: float = 0.0,
        scale: str | None = None,
        scale_power: int = 2,
        scale_epsilon: float = 0.0,
        beta_term: str = "point",
        weight_beta_term: bool = False,
        noise_divisor: str = "noise",
        noise_weight: float = 1.0,
        noise_label: int = -1,
        payload: str = "artanh2",
    ) -> None:
        super().__init__()
        for name, choice, known in (
            ("attraction", attraction, ATTRACTIONS),
            ("repulsion", repulsion, REPULSIONS),
            ("normalisation", normalisation, NORMALISATIONS),
            ("scale", scale, SCALES),
            ("scale_power", scale_power, (1, 2)),
            ("beta_term", beta_term, BETA_TERMS),
            ("noise_divisor", noise_divisor, NOISE_DIVISORS),
            ("payload", payload, PAYLOADS),
        ):
            check_choice(_WHERE, name, choice, known)
        for name, value, least, most in (
            ("charge_minimum", charge_minimum, 0.0, float("inf")),
            ("hinge_epsilon", hinge_epsilon, 0.0, 0.5),
            ("count_epsilon", count_epsilon, 0.0, float("inf")),
            ("mean_centre", mean_centre, 0.0, 1.0),
            ("scale_epsilon", scale_epsilon, 0.0, float("inf")),
            ("noise_weight", noise_weight, 0.0, float("inf")),
        ):
            check_float(_WHERE, name, value)
            if not least <= value <= most:
                raise ValueError(
                    f"{_WHERE}: expected {name} to be a number from {least:g} to {most:g}, "
                    f"got {value}"
                )
        check_float(_WHERE, "beta_guard", beta_guard)
        if not beta_guard > 1:
            raise ValueError(f"{_WHERE}: expected beta_guard to be above 1, got {beta_guard}")
        check_int(_WHERE, "noise_label", noise_label)
        self.charge_minimum, self.beta_guard = charge_minimum, beta_guard
        self.attraction, self.repulsion, self.hinge_epsilon = attraction, repulsion, hinge_epsilon
        self.normalisation, self.count_epsilon = normalisation, count_epsilon
        self.mean_centre = mean_centre
        self.scale, self.scale_power, self.scale_epsilon = scale, scale_power, scale_epsilon
        self.beta_term, self.weight_beta_term = beta_term, weight_beta_term
        self.noise_divisor, self.noise_weight = noise_divisor, noise_weight
        self.noise_label, self.payload = noise_label, payload

    @classmethod
    def preset(cls, name: str, **changes: Any) -> ObjectCondensationLoss:
        """The loss as a source defines it.

        Args:
            name: a key of `hitgraph.nn.CONDENSATION_PRESETS`: "paper" (arXiv:2002.03605), "talk"
                (Faster dynamic GNNs with GPUs, 2024), "hgcalml", "fastgraphcompute" or
                "gnn_tracking".
            changes: arguments of ObjectCondensationLoss that replace the preset's.
        """
        check_choice(_WHERE, "the preset", name, CONDENSATION_PRESETS)
        return cls(**{**CONDENSATION_PRESETS[name], **changes})

    def forward(
        self,
        beta: Tensor,
        coordinates: Tensor,
        labels: Tensor,
        row_splits: Tensor | None = None,
        *,
        batch: Tensor | None = None,
        batch_size: int | None = None,
        scale: Tensor | None = None,
        object_weight: Tensor | None = None,
    ) -> CondensationLoss:
        """The loss of one or several events.

        Args:
            beta: (N,) or (N, 1) floating point, from 0 to 1, of a sigmoid for instance.
            coordinates: (N, c) floating point, finite.
            labels: (N,) int64 or int32: hits of one event with the same label are an object; up to
                noise_label: noise. Any numbers above that.
            row_splits: (B+1,) int64 from 0 to N; event b has the rows row_splits[b] to
                row_splits[b+1] - 1. Without it (and batch) all hits are of one event.
            batch: (N,) int64, ascending event numbers: another way to say row_splits.
            batch_size: the number of events, with batch.
            scale: (N,) or (N, 1) floating point, φ, not negative: where the loss has a scale.
            object_weight: (N,) or (N, 1) floating point: w_k is that of the condensation point; 1
                without it.

        Returns:
            CondensationLoss(attraction, repulsion, beta, noise, payload_weight,
            condensation_point): float32, or float64 if beta or coordinates are.

        Half-precision input is computed in float32, and so it is under autocast. On CUDA the call
        waits for the device, which alone knows how many objects there are.

        Raises:
            TypeError: an argument of the wrong type or dtype, as floating point labels.
            ValueError: a wrong shape; on the CPU also β outside [0, 1] and coordinates that are not
                finite, which on other devices are only checked if `hitgraph.debug.checks` is on.
            RuntimeError: tensors on different devices.
        """
        check_tensors(_WHERE, scale=scale, object_weight=object_weight)
        _check_hits(beta, coordinates, labels)
        if (scale is None) != (self.scale is None):
            given = "none" if scale is None else "one"
            needed = "no scale" if self.scale is None else "a scale for every hit"
            raise ValueError(f"{_WHERE}: expected {needed}, got {given}")
        splits = event_splits(_WHERE, coordinates, row_splits, batch, batch_size)
        with torch.autocast(device_type=coordinates.device.type, enabled=False):
            wide = torch.float64 in (beta.dtype, coordinates.dtype)
            dtype = torch.float64 if wide else torch.float32
            hits = LabelledHits(
                _column("beta", beta, coordinates).to(dtype),
                coordinates.to(dtype),
                labels,
                splits,
                self.noise_label,
            )
            return self._parts(
                hits,
                _optional_column("scale", scale, coordinates, dtype),
                _optional_column("object_weight", object_weight, coordinates, dtype),
            )

    def _parts(
        self, hits: LabelledHits, scale: Tensor | None, object_weight: Tensor | None
    ) -> CondensationLoss:
        # artanh(β / guard), written so that 1 - β, which is exact near 1, is not rounded again.
        below_one = (self.beta_guard - 1) + (1 - hits.beta)
        artanh2 = (torch.log1p(2 * hits.beta / below_one) / 2).square()
        charge = artanh2 + self.charge_minimum
        weight = None if object_weight is None else hits.at_points(object_weight)
        attraction, repulsion = torch.ops.hitgraph.condensation_potential(
            hits.coordinates,
            charge,
            self._centres(hits, charge),
            self._factors(hits, scale),
            hits.object,
            hits.order,
            hits.offsets,
            hits.row_splits,
            hits.object_splits,
            self.attraction,
            self.repulsion,
            self.hinge_epsilon,
        )
        strength = hits.at_points(charge)
        if weight is not None:
            strength = strength * weight
        if self.normalisation == "hits":
            share = 1 / hits.hits_of_events.clamp(min=1)
            own = others = strength * share[hits.event_of_object]
        else:
            strength = strength * hits.object_shares
            own = strength / self._count(hits.sizes)
            others = strength / self._count(hits.hits_of_events[hits.event_of_object] - hits.sizes)
        events = hits.full_events
        return CondensationLoss(
            (own * attraction).sum() / events,
            (others * repulsion).sum() / events,
            self._beta(hits, weight) / events,
            self.noise_weight * self._noise(hits) / events,
            hits.normalised(artanh2 if self.payload == "artanh2" else hits.beta.square()) / events,
            hits.condensation_point(),
        )

    def _count(self, hits: Tensor) -> Tensor:
        return hits + self.count_epsilon if self.count_epsilon > 0 else hits.clamp(min=1)

    def _centres(self, hits: LabelledHits, charge: Tensor) -> Tensor:
        points = hits.at_points(hits.coordinates)
        if self.mean_centre == 0:
            return points
        # Of the differences to the condensation point: far from the origin nothing is lost.
        origin = points.detach()
        difference = hits.coordinates - hits.to_hits(origin)
        weighted = hits.sums(torch.cat([difference * charge[:, None], charge[:, None]], dim=1))
        mean = origin + weighted[:, :-1] / not_zero(weighted[:, -1:])
        return (1 - self.mean_centre) * points + self.mean_centre * mean

    def _factors(self, hits: LabelledHits, scale: Tensor | None) -> Tensor:
        if scale is None:
            return hits.beta.new_ones(hits.points.shape[0])
        if self.scale == "point":
            scale = hits.at_points(scale)
        else:
            weighted = hits.sums(torch.stack([scale * hits.beta, hits.beta], dim=1))
            # With β = 0 throughout there is nothing to weight by.
            scale = weighted[:, 0] / not_zero(weighted[:, 1])
        return 1 / (2 * scale**self.scale_power + self.scale_epsilon)

    def _beta(self, hits: LabelledHits, weight: Tensor | None) -> Tensor:
        """Σ over events of the mean over objects."""
        beta = hits.at_points(hits.beta)
        term = 1 - beta
        if self.beta_term == "soft":
            largest = beta.detach()
            above = (hits.beta - hits.to_hits(largest)).masked_fill(hits.is_noise, 0)
            above = above / SOFT_TEMPERATURE
            sums = hits.sums(torch.stack([above.exp(), hits.beta], dim=1))
            soft = largest + SOFT_TEMPERATURE * sums[:, 0].log()
            term = (1 - soft) + (1 - sums[:, 1].clamp(0, 1))
        if weight is not None and self.weight_beta_term:
            term = term * weight
        total: Tensor = (term * hits.object_shares).sum()
        return total

    def _noise(self, hits: LabelledHits) -> Tensor:
        """Σ over events of the mean β of the noise."""
        number = hits.noise_of_events if self.noise_divisor == "noise" else hits.hits_of_events
        sums = hits.event_sums(hits.beta * hits.is_noise)
        return (sums / number.clamp(min=1)).sum()

    def extra_repr(self) -> str:
        """The settings that differ from the paper's."""
        defaults = inspect.signature(ObjectCondensationLoss.__init__).parameters
        return ", ".join(
            f"{name}={value!r}"
            for name, value in vars(self).items()
            if name in defaults and value != defaults[name].default
        )


def _check_hits(beta: Tensor, coordinates: Tensor, labels: Tensor) -> None:
    check_given(_WHERE, beta=beta, coordinates=coordinates, labels=labels)
    if coordinates.dim() != 2 or coordinates.shape[1] < 1:
        raise ValueError(
            f"{_WHERE}: expected coordinates to be 2-D (n, c) with c of at least 1, "
            f"got {tuple(coordinates.shape)}"
        )
    for name, value in (("beta", beta), ("coordinates", coordinates)):
        if not value.is_floating_point():
            raise TypeError(f"{_WHERE}: expected {name} to be floating point, got {value.dtype}")


def _column(name: str, values: Tensor, coordinates: Tensor) -> Tensor:
    """(N,) of (N,) or (N, 1)."""
    size = coordinates.shape[0]
    if tuple(values.shape) not in ((size,), (size, 1)):
        raise ValueError(
            f"{_WHERE}: expected {name} of shape ({size},), one for each row of coordinates, "
            f"got {tuple(values.shape)}"
        )
    if values.device != coordinates.device:
        raise RuntimeError(
            f"{_WHERE}: expected {name} on {coordinates.device} like coordinates, "
            f"got {values.device}"
        )
    return values.reshape(size)


def _optional_column(
    name: str, values: Tensor | None, coordinates: Tensor, dtype: torch.dtype
) -> Tensor | None:
    if values is None:
        return None
    if not values.is_floating_point():
        raise TypeError(f"{_WHERE}: expected {name} to be floating point, got {values.dtype}")
    return _column(name, values, coordinates).to(dtype)
