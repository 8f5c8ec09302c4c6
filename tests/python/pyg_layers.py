"""PyTorch Geometric's users of neighbour searches, in an interpreter of their own.

    python pyg_layers.py ROUTE RESULTS.pt LAYER...

ROUTE is how the search gets there: "original" (what is installed), "before" and "after"
(hitgraph.compat.install() before and after torch_geometric is imported), "stub" (after a library
that has registered pyg-lib's operators). Every layer's result is compared with a plain formula on
the dense matrix of distances; results and gradients are written to RESULTS.pt.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

TOLERANCE = 1e-5
N, M = 90, 40
BATCH = torch.repeat_interleave(torch.arange(3), torch.tensor([30, 20, 40]))
COARSE = torch.repeat_interleave(torch.arange(3), torch.tensor([10, 20, 10]))


def data(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def distances(x: Tensor, y: Tensor, batch_x: Tensor, batch_y: Tensor) -> Tensor:
    """(m, n) float64, infinite between graphs."""
    exact = torch.cdist(
        y.detach().double(), x.detach().double(), compute_mode="donot_use_mm_for_euclid_dist"
    )
    return exact.masked_fill(batch_y[:, None] != batch_x[None], torch.inf)


def closest(k: int, *sets: Tensor) -> Tensor:
    """(m, k): for every y the k nearest of x."""
    return distances(*sets).argsort(dim=1, stable=True)[:, :k]


def edges_within(r: float, pos: Tensor) -> set[tuple[int, int]]:
    near = distances(pos, pos, BATCH, BATCH) < r
    near.fill_diagonal_(False)
    return set(map(tuple, near.nonzero().tolist()))


# Each returns what the layer gives, what it should give, and the tensors that get gradients.
Outcome = tuple[Tensor, Tensor, list[Tensor]]


def dynamic_edge_conv(nn) -> Outcome:
    x = data(N, 3).requires_grad_()
    layer = nn.DynamicEdgeConv(torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.Tanh()), k=5)
    neighbour = x[closest(5, x, x, BATCH, BATCH)]
    centre = x[:, None].expand_as(neighbour)
    plain = layer.nn(torch.cat([centre, neighbour - centre], dim=2)).max(dim=1).values
    return layer(x, BATCH), plain, [x, *layer.parameters()]


def gravnet_conv(nn) -> Outcome:
    x = data(N, 6).requires_grad_()
    layer = nn.GravNetConv(6, 4, space_dimensions=3, propagate_dimensions=5, k=7)
    s, h = layer.lin_s(x), layer.lin_h(x)
    index = closest(7, s, s, BATCH, BATCH)
    weight = torch.exp(-10 * (s[index] - s[:, None]).square().sum(2, keepdim=True))
    messages = weight * h[index]
    aggregates = torch.cat([messages.mean(1), messages.max(1).values], dim=1)
    plain = layer.lin_out1(x) + layer.lin_out2(aggregates)
    return layer(x, BATCH), plain, [x, *layer.parameters()]


def gravnet_conv_bipartite(nn) -> Outcome:
    source, target = data(N, 6).requires_grad_(), data(M, 6)
    layer = nn.GravNetConv(6, 4, space_dimensions=3, propagate_dimensions=5, k=4)
    s, q, h = layer.lin_s(source), layer.lin_s(target), layer.lin_h(source)
    index = closest(4, s, q, BATCH, COARSE)
    weight = torch.exp(-10 * (s[index] - q[:, None]).square().sum(2, keepdim=True))
    messages = weight * h[index]
    aggregates = torch.cat([messages.mean(1), messages.max(1).values], dim=1)
    plain = layer.lin_out1(target) + layer.lin_out2(aggregates)
    return layer((source, target), (BATCH, COARSE)), plain, [source, *layer.parameters()]


def x_conv(nn) -> Outcome:
    x, pos = data(N, 4).requires_grad_(), data(N, 3).requires_grad_()
    layer = nn.XConv(4, 6, dim=3, kernel_size=5, hidden_channels=3, dilation=2).eval()
    index = closest(10, pos, pos, BATCH, BATCH)[:, ::2]
    offset = pos[index] - pos[:, None]
    columns = torch.cat([layer.mlp1(offset.view(-1, 3)), x[index]], dim=2).transpose(1, 2)
    plain = layer.conv((columns @ layer.mlp2(offset.reshape(N, -1))).contiguous())
    return layer(x, pos, BATCH), plain, [x, pos, *layer.parameters()]


def point_transformer_conv(nn) -> Outcome:
    """As examples/point_transformer_classification.py calls it."""
    x, pos = data(N, 4).requires_grad_(), data(N, 3).requires_grad_()
    layer = nn.PointTransformerConv(4, 5)
    got = layer(x, pos, nn.knn_graph(pos, k=6, batch=BATCH))
    # Self loops are the layer's.
    others = closest(7, pos, pos, BATCH, BATCH)
    value, key, query = layer.lin(x), layer.lin_src(x), layer.lin_dst(x)
    delta = layer.pos_nn(pos[:, None] - pos[others])
    weight = (query[:, None] - key[others] + delta).softmax(dim=1)
    plain = (weight * (value[others] + delta)).sum(1)
    return got, plain, [x, pos, *layer.parameters()]


def knn_interpolate(nn) -> Outcome:
    x, pos, coarse = data(N, 4).requires_grad_(), data(N, 3), data(M, 3)
    got = nn.knn_interpolate(x, pos, coarse, BATCH, COARSE, k=3)
    index = closest(3, pos, coarse, BATCH, COARSE)
    weight = 1 / (pos[index] - coarse[:, None]).square().sum(2, keepdim=True)
    return got, (weight * x[index]).sum(1) / weight.sum(1), [x]


def pointnet_radius(nn) -> Outcome:
    """PointNet++'s set abstraction, its sampling aside."""
    x, pos = data(N, 4).requires_grad_(), data(N, 3).requires_grad_()
    chosen = torch.arange(0, N, 3)
    layer = nn.PointNetConv(torch.nn.Linear(7, 8), add_self_loops=False)
    row, col = nn.radius(pos, pos[chosen], 0.9, BATCH, BATCH[chosen], max_num_neighbors=64)
    got = layer((x, None), (pos, pos[chosen]), torch.stack([col, row]))
    near = distances(pos, pos[chosen], BATCH, BATCH[chosen]) < 0.9
    columns = torch.cat([x.expand(30, N, 4), pos - pos[chosen][:, None]], dim=2)
    messages = layer.local_nn(columns).masked_fill(~near[:, :, None], -torch.inf)
    return got, messages.max(1).values, [x, pos, *layer.parameters()]


def knn_graph_transform(nn) -> Outcome:
    from torch_geometric.data import Data
    from torch_geometric.transforms import KNNGraph

    pos = data(N, 3).requires_grad_()
    edges = KNNGraph(k=4)(Data(pos=pos, batch=BATCH)).edge_index
    index = closest(5, pos, pos, BATCH, BATCH)[:, 1:]
    expected = torch.stack([index.flatten(), torch.arange(N).repeat_interleave(4)])
    return length(pos, edges), length(pos, expected), [pos]


def radius_graph_transform(nn) -> Outcome:
    from torch_geometric.data import Data
    from torch_geometric.transforms import RadiusGraph

    pos = data(N, 3).requires_grad_()
    edges = RadiusGraph(r=1.0)(Data(pos=pos, batch=BATCH)).edge_index
    assert set(map(tuple, edges.flip(0).t().tolist())) == edges_within(1.0, pos)
    order = (edges[1] * N + edges[0]).argsort()
    expected = torch.tensor(sorted(edges_within(1.0, pos))).t().flip(0)
    return length(pos, edges[:, order]), length(pos, expected), [pos]


def nearest(nn) -> Outcome:
    pos, coarse = data(N, 3).requires_grad_(), data(M, 3)
    found = nn.nearest(pos, coarse, BATCH, COARSE)
    index = closest(1, coarse, pos, COARSE, BATCH).flatten()
    return pos - coarse[found], pos - coarse[index], [pos]


def length(pos: Tensor, edges: Tensor) -> Tensor:
    return (pos[edges[0]] - pos[edges[1]]).square().sum(1)


LAYERS: dict[str, Callable[..., Outcome]] = {
    layer.__name__: layer
    for layer in (
        dynamic_edge_conv,
        gravnet_conv,
        gravnet_conv_bipartite,
        x_conv,
        point_transformer_conv,
        knn_interpolate,
        pointnet_radius,
        knn_graph_transform,
        radius_graph_transform,
        nearest,
    )
}


def difference(a: Tensor, b: Tensor) -> float:
    """The largest, beside the largest value where that is above 1: some gradients are rounding
    errors of 0.
    """
    return float((a - b).abs().max() / b.abs().max().clamp_min(1))


def results_of(name: str) -> list[Tensor]:
    """What the layer gives and its gradients, after a comparison with the formula's."""
    from torch_geometric import nn

    torch.manual_seed(7)
    got, plain, inputs = LAYERS[name](nn)
    direction = torch.cos(torch.arange(got.numel()).view(got.shape))
    outcomes = []
    for result in (got, plain):
        gradients = torch.autograd.grad((result * direction).sum(), inputs, allow_unused=True)
        present = [g for g in gradients if g is not None]
        outcomes.append([result.detach(), *present])
    for mine, formula in zip(*outcomes, strict=True):
        assert difference(mine, formula) < TOLERANCE, f"{name}: {difference(mine, formula)}"
    return outcomes[0]


class Searches(TorchDispatchMode):
    """Whose operators are called, by namespace."""

    def __init__(self) -> None:
        super().__init__()
        self.namespaces: set[str] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.namespaces.add(func.namespace)
        return func(*args, **(kwargs or {}))


def stub_of_pyg_lib() -> torch.library.Library:
    """Registers the operators first, as pyg-lib does, with kernels that must not be called."""
    library = torch.library.Library("pyg", "FRAGMENT")
    library.define(
        "knn(Tensor x, Tensor y, Tensor? ptr_x=None, Tensor? ptr_y=None, int k=1, "
        "bool cosine=False, int num_workers=1) -> Tensor"
    )
    library.define(
        "radius(Tensor x, Tensor y, Tensor? ptr_x=None, Tensor? ptr_y=None, float r=1.0, "
        "int max_num_neighbors=32, int num_workers=1, bool ignore_same_index=False) -> Tensor"
    )
    library.define("nearest(Tensor x, Tensor y, Tensor? ptr_x=None, Tensor? ptr_y=None) -> Tensor")

    def kernel(*_: object) -> Tensor:
        raise NotImplementedError("the stub's")

    for operator in ("knn", "radius", "nearest"):
        library.impl(operator, kernel, "CPU")
    return library


def main(route: str, path: str, *names: str) -> None:
    if route in ("after", "original"):
        import torch_geometric.nn  # noqa: F401
    library = stub_of_pyg_lib() if route == "stub" else None
    installation = contextlib.nullcontext()
    if route != "original":
        from hitgraph import compat

        installation = compat.install()
    results = {}
    with installation:
        for name in names:
            with Searches() as searches:
                results[name] = results_of(name)
            # Operators of pyg-lib's name are hitgraph's: the stub's raise.
            own = bool(searches.namespaces & {"hitgraph", "pyg"})
            assert own == (route != "original"), f"{name}: {searches.namespaces}"
    torch.save(results, path)
    assert (library is not None) == hasattr(torch.ops.pyg, "knn")
    print(sys.modules["torch_geometric"].__version__, route, *names)


if __name__ == "__main__":
    main(*sys.argv[1:])
