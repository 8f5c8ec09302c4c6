"""The published object condensation losses, written out for one event with hits x objects matrices.

Each function: β (N,), x (N, c), labels (N,), φ (N,), object weights (N,) -> the four parts and the
payload weights. A batch is the mean over its events that have hits.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

Parts = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


class Event:
    def __init__(self, beta, x, labels, noise_label):
        names = sorted({int(label) for label in labels if label > noise_label})
        self.k = len(names)
        self.n = len(beta)
        member = [labels == name for name in names]
        self.m = torch.stack(member, dim=1).to(beta.dtype) if names else beta.new_zeros((self.n, 0))
        self.noise = (labels <= noise_label).to(beta.dtype)
        points = []
        for column in member:
            rows = column.nonzero()[:, 0]
            points.append(int(rows[beta[rows].argmax()]))
        self.alpha = torch.tensor(points, dtype=torch.int64)

    def mean_over_objects(self, values):
        return values.sum() / self.k if self.k else values.sum()

    def noise_mean(self, beta, hits=None):
        return (beta * self.noise).sum() / max(float(self.noise.sum()) if hits is None else hits, 1)

    def payload(self, weights):
        weights = weights * (1 - self.noise)
        total = weights.sum()
        return weights / total if total > 0 else weights


def distance2(x: Tensor, centres: Tensor) -> Tensor:
    return (x[:, None, :] - centres[None, :, :]).square().sum(-1)


def root(squares: Tensor) -> Tensor:
    """With the derivative 0 at 0."""
    return torch.where(squares > 0, squares.where(squares > 0, torch.ones_like(squares)).sqrt(), 0)


def paper(beta, x, labels, phi, w) -> Parts:
    e = Event(beta, x, labels, -1)
    artanh2 = torch.atanh(beta / 1.001) ** 2
    q = artanh2 + 0.5
    d2 = distance2(x, x[e.alpha])
    strength = q[:, None] * (q * w)[e.alpha][None, :]
    attraction = (strength * e.m * d2).sum() / e.n
    repulsion = (strength * (1 - e.m) * (1 - root(d2)).clamp(min=0)).sum() / e.n
    beta_term = e.mean_over_objects(1 - beta[e.alpha])
    return attraction, repulsion, beta_term, e.noise_mean(beta), e.payload(artanh2)


def talk(beta, x, labels, phi, w) -> Parts:
    e = Event(beta, x, labels, -1)
    artanh2 = torch.atanh(beta / 1.002) ** 2
    q = artanh2 + 0.5
    centre = (e.m * q[:, None]).T @ x / (e.m * q[:, None]).sum(0)[:, None]
    scale = (e.m * (beta * phi)[:, None]).sum(0) / (e.m * beta[:, None]).sum(0)
    u = distance2(x, centre) / (2 * scale**2 + 1e-6)
    strength = q[:, None] * (q * w)[e.alpha][None, :]
    own = (strength * e.m * torch.log(torch.e * u + 1)).sum(0) / e.m.sum(0)
    others = (strength * (1 - e.m) * torch.exp(-u)).sum(0) / (1 - e.m).sum(0).clamp(min=1)
    beta_term = e.mean_over_objects(1 - beta[e.alpha])
    return (
        e.mean_over_objects(own),
        e.mean_over_objects(others),
        beta_term,
        e.noise_mean(beta),
        e.payload(artanh2),
    )


def soft_beta(e: Event, beta: Tensor) -> Tensor:
    inside = torch.where(e.m > 0, beta[:, None] / 1e-3, -torch.inf)
    return (1 - 1e-3 * torch.logsumexp(inside, 0)) + (1 - (e.m * beta[:, None]).sum(0).clamp(max=1))


def hgcalml(beta, x, labels, phi, w) -> Parts:
    e = Event(beta, x, labels, -1)
    q = torch.atanh(beta / 1.01) ** 2 + 0.8
    mean = (e.m * q[:, None]).T @ x / (e.m * q[:, None]).sum(0)[:, None]
    centre = 0.5 * mean + 0.5 * x[e.alpha]
    v = distance2(x, centre) / (phi[e.alpha] + 1e-4)
    strength = q[:, None] * (q * w)[e.alpha][None, :]
    own = (strength * e.m * torch.log(torch.e * v / 2 + 1)).sum(0) / (e.m.sum(0) + 1e-3)
    others = (strength * (1 - e.m) * torch.exp(-v / 2)).sum(0) / ((1 - e.m).sum(0) + 1e-3)
    return (
        e.mean_over_objects(own),
        e.mean_over_objects(others),
        e.mean_over_objects(soft_beta(e, beta) * w[e.alpha]),
        e.noise_mean(beta),
        e.payload(beta**2),
    )


def fastgraphcompute(beta, x, labels, phi, w) -> Parts:
    e = Event(beta, x, labels, -1)
    artanh2 = torch.atanh(beta / 1.001) ** 2
    q = artanh2 + 0.1
    d2 = distance2(x, x[e.alpha])
    strength = q[:, None] * (q * w)[e.alpha][None, :]
    own = (strength * e.m * d2).sum(0) / e.m.sum(0)
    hinge = (1 - torch.sqrt(d2 + 1e-6)).clamp(min=0)
    others = (strength * (1 - e.m) * hinge).sum(0) / (1 - e.m).sum(0).clamp(min=1)
    return (
        e.mean_over_objects(own),
        e.mean_over_objects(others),
        e.mean_over_objects(soft_beta(e, beta)),
        e.noise_mean(beta, e.n),
        e.payload(artanh2),
    )


def gnn_tracking(beta, x, labels, phi, w) -> Parts:
    e = Event(beta, x, labels, 0)
    artanh2 = torch.atanh(beta / 1.001) ** 2
    q = artanh2 + 0.01
    d2 = distance2(x, x[e.alpha])
    strength = q[:, None] * (q * w)[e.alpha][None, :]
    own = (strength * e.m * d2).sum(0) / e.m.sum(0)
    hinge = (1 - root(d2)).clamp(min=0)
    others = (strength * (1 - e.m) * hinge).sum(0) / (1 - e.m).sum(0).clamp(min=1)
    return (
        e.mean_over_objects(own),
        e.mean_over_objects(others),
        e.mean_over_objects(1 - beta[e.alpha]),
        e.noise_mean(beta),
        e.payload(artanh2),
    )


FORMULAS: dict[str, Callable[..., Parts]] = {
    "paper": paper,
    "talk": talk,
    "hgcalml": hgcalml,
    "fastgraphcompute": fastgraphcompute,
    "gnn_tracking": gnn_tracking,
}


def of_batch(name: str, row_splits: list[int], *arrays: Tensor) -> Parts:
    events = [
        FORMULAS[name](*(a[begin:end] for a in arrays))
        for begin, end in pairwise(row_splits)
        if end > begin
    ]
    if not events:
        zero = arrays[0].sum()
        return zero, zero, zero, zero, arrays[0]
    parts = [torch.stack([event[i] for event in events]).mean() for i in range(4)]
    return (*parts, torch.cat([event[4] for event in events]) / len(events))
