"""Hits, and what is asked of them, for the tests of object condensation."""

import torch

from hitgraph.nn import CONDENSATION_PRESETS

PRESETS = tuple(CONDENSATION_PRESETS)
SIZES = {
    "one event": [160],
    "several": [60, 0, 1, 90, 5],
    "no hits": [0],
    "no events": [],
    "empty events": [0, 0],
}
LABELS = ("several", "noise alone", "one object", "one hit each", "far apart")


def data(sizes, labels="several", dtype=torch.float32, seed=3, coordinates=2):
    generator = torch.Generator().manual_seed(seed)
    n = sum(sizes)
    beta = torch.rand(n, generator=generator, dtype=torch.float64) * 0.97 + 0.01
    x = torch.randn((n, coordinates), generator=generator, dtype=torch.float64) * 0.8
    numbers = torch.randint(-1, 5, (n,), generator=generator)
    if labels == "noise alone":
        numbers = torch.full_like(numbers, -1)
    if labels == "one object":
        numbers = torch.full_like(numbers, 4)
    if labels == "one hit each":
        numbers = torch.arange(1, n + 1)
    if labels == "far apart":
        numbers = torch.where(numbers > 0, numbers * 4_000_000_000_000_000, -7)
    phi = torch.rand(n, generator=generator, dtype=torch.float64) + 0.2
    weight = torch.rand(n, generator=generator, dtype=torch.float64) + 0.5
    splits = torch.tensor([0, *torch.tensor(sizes).cumsum(0).tolist()])
    return (*(a.to(dtype) for a in (beta, x)), numbers, splits, phi.to(dtype), weight.to(dtype))
