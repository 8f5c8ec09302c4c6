"""The functions in torch-cluster's place inside programs: TorchScript, torch.compile, opcheck."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from cluster_cases import numbers
from torch import Tensor, nn
from torch.library import opcheck

import hitgraph.compat.torch_cluster as torch_cluster
from hitgraph.compat.torch_cluster import knn, knn_graph, nearest, radius, radius_graph

X, Y = torch.rand(30, 3), torch.rand(10, 3)
B30, B10 = numbers(10, 20), numbers(4, 6)
CALLS = {
    knn: [(X, Y, 3), (X, Y, 3, B30, B10), (X, Y, 3, B30, B10, True, 1, 4), (X, X, 3, B30, B30)],
    knn_graph: [(X, 3), (X, 3, B30), (X, 3, B30, True, "target_to_source", True, 1, 2)],
    radius: [(X, Y, 0.4), (X, Y, 1), (X, Y, 0.4, B30, B10, 2, 1, 4, True)],
    radius_graph: [(X, 0.4), (X, 0.4, B30), (X, 0.4, B30, True, 2, "target_to_source", 1, 2)],
    nearest: [(X, Y), (X, Y, B30, B10)],
}


@pytest.mark.parametrize("function", CALLS, ids=lambda function: function.__name__)
def test_torchscript_compiles_the_functions(function):
    scripted = torch.jit.script(function)
    for arguments in CALLS[function]:
        assert torch.equal(scripted(*arguments), function(*arguments))


class Layers(nn.Module):
    """Calls as torch_geometric's modules make them."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 4)

    def forward(self, x: Tensor, y: Tensor, batch: Tensor | None = None) -> Tensor:
        edges = knn_graph(x, 4, batch, loop=False, flow="source_to_target")
        total = self.linear(x[edges[0]] - x[edges[1]]).sum(0)
        edges = radius_graph(x, 0.5, batch, max_num_neighbors=7)
        total = total + self.linear(x[edges[0]] - x[edges[1]]).sum(0)
        edges = knn(x, x, 4, batch, batch).flip([0])
        total = total + self.linear(x[edges[0]] - x[edges[1]]).sum(0)
        edges = knn(x, y, 2)
        total = total + self.linear(y[edges[0]] - x[edges[1]]).sum(0)
        edges = radius(x, y, 0.5)
        total = total + self.linear(y[edges[0]] - x[edges[1]]).sum(0)
        return total + self.linear(y[nearest(x, y)]).sum(0)


def test_a_model_is_scripted_saved_and_loaded(tmp_path: Path):
    model = Layers()
    expected = model(X, Y, B30)
    path = str(tmp_path / "model.pt")
    torch.jit.script(model).save(path)
    assert torch.equal(torch.jit.load(path)(X, Y, B30), expected)
    torch.save((X, Y, B30, expected), tmp_path / "tensors.pt")
    # Where the model goes, its operators are enough.
    code = (
        "import torch, hitgraph\n"
        f"model = torch.jit.load({path!r})\n"
        f"*inputs, expected = torch.load({str(tmp_path / 'tensors.pt')!r})\n"
        "result = model(*inputs)\n"
        "result.sum().backward()\n"
        "assert torch.equal(result, expected)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_errors_in_torchscript():
    scripted = torch.jit.script(knn)
    with pytest.raises(torch.jit.Error, match="batch_x to have 30 elements"):
        scripted(X, Y, 3, B30[:4], B10)
    with pytest.raises(Exception, match="batch_x to be sorted"):
        scripted(X, Y, 3, B30.flip(0), B10)


OPERATORS = {
    "knn_edges": [
        ((X, Y, 3, B30, B10), {}),
        ((X, None, 3), {"loop": False, "source_first": True}),
        ((X, X, 3), {"cosine": True}),
        ((X[:0], Y, 3), {}),
        ((X.clone().requires_grad_(), Y, 3), {}),
    ],
    "radius_edges": [
        ((X, Y, 0.4, B30, B10), {"batch_size": 3}),
        ((X, None, 0.4), {"loop": False, "max_num_neighbors": 2}),
        ((X.clone().requires_grad_(), Y, 0.4), {}),
    ],
    "nearest_rows": [((X, Y, B30, B10), {}), ((X.clone().requires_grad_(), Y), {})],
}


@pytest.mark.parametrize("operator", OPERATORS)
def test_opcheck(operator):
    op = getattr(torch.ops.hitgraph, operator).default
    checks = ["test_schema", "test_autograd_registration", "test_faketensor"]
    for arguments, options in OPERATORS[operator]:
        opcheck(op, arguments, options, test_utils=checks)


@pytest.mark.parametrize("function", CALLS, ids=lambda function: function.__name__)
def test_compile(function):
    torch._dynamo.reset()
    with torch._dynamo.config.patch(capture_dynamic_output_shape_ops=True):
        compiled = torch.compile(
            lambda *given: function(*given) * 2, backend="aot_eager", fullgraph=True
        )
        for arguments in CALLS[function][:2]:
            assert torch.equal(compiled(*arguments), function(*arguments) * 2)


def test_no_graph_break_where_the_shape_is_known():
    torch._dynamo.reset()
    compiled = torch.compile(lambda x, y: y[nearest(x, y)], backend="aot_eager", fullgraph=True)
    assert torch.equal(compiled(X, Y), Y[nearest(X, Y)])


def test_functions_of_torch_cluster_are_passed_on():
    original = pytest.importorskip("torch_cluster", reason="torch-cluster is not installed")
    for name in ("fps", "grid_cluster", "graclus_cluster", "random_walk", "neighbor_sampler"):
        assert getattr(torch_cluster, name) is getattr(original, name)
    assert len(torch_cluster.fps(X, ratio=0.5)) == 15


def test_without_torch_cluster_they_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch_cluster", None)
    assert knn(X, Y, 1).shape == (2, 10)
    fps = torch_cluster.fps
    with pytest.raises(ImportError, match=r"torch_cluster\.fps: .* pip install torch-cluster"):
        fps(X)


def test_other_names_are_not_there():
    with pytest.raises(AttributeError, match="no attribute 'knn_grap'"):
        torch_cluster.knn_grap  # noqa: B018
