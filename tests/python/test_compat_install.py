"""hitgraph.compat.install() reaches everything, and uninstall() gives everything back."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest
from test_compat_pyg import RELEASE_28

# What every program begins with: a module of the user's, and what all modules hold.
BEGIN = """
import importlib, importlib.util, sys, types
import torch
from hitgraph import compat
import hitgraph.compat.torch_cluster as own

FUNCTIONS = ("knn", "knn_graph", "nearest", "radius", "radius_graph")
WATCHED = ("torch_cluster", "torch_geometric", "user")
x = torch.rand(30, 3)

def user():
    module = sys.modules["user"] = types.ModuleType("user")
    exec("import torch_cluster; from torch_cluster import knn, radius as near, fps", vars(module))
    return module

def state():
    names = [name for name in sys.modules if name.split(".")[0] in WATCHED]
    return {name: dict(vars(sys.modules[name])) for name in names}

def changed(before):
    return [
        (name, key)
        for name, attributes in before.items()
        for key, value in attributes.items()
        if key != "__warningregistry__"
        and (name not in sys.modules or vars(sys.modules[name]).get(key) is not value)
    ]

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "torch_cluster":
            raise ModuleNotFoundError(name)
"""


def run(program: str, release: str = "2.7", needs: str = "") -> None:
    if needs:
        pytest.importorskip(needs, reason=f"{needs} is not installed")
    environment = dict(os.environ)
    if release == "2.8":
        if not RELEASE_28.is_dir():
            pytest.skip(f"no torch_geometric 2.8 in {RELEASE_28} (make installs it there)")
        environment["PYTHONPATH"] = f"{RELEASE_28}{os.pathsep}{environment.get('PYTHONPATH', '')}"
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", BEGIN + textwrap.dedent(program)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-3000:]


def test_a_module_that_has_imported_torch_cluster_is_switched_and_gets_it_back() -> None:
    run(
        """
        user = user()
        before = state()
        theirs = [user.knn]  # not as an attribute of this module, which is switched, too
        with compat.install():
            import torch_cluster
            assert torch_cluster.knn.__module__ == "torch_cluster" and user.knn is not theirs[0]
            assert user.torch_cluster is torch_cluster and user.knn is torch_cluster.knn
            assert user.near is torch_cluster.radius
            assert user.fps is torch_cluster.fps is before["torch_cluster"]["fps"]
            assert torch.equal(user.knn(x, x, 3), own.knn(x, x, 3))
            assert importlib.util.find_spec("torch_cluster") is not None
            assert "batch_size" in torch_cluster.knn.__doc__
            from torch_cluster.testing import devices
            from torch_cluster.typing import WITH_PTR_LIST
        del torch_cluster
        assert not changed(before) and user.knn is theirs[0]
        assert own.knn is sys.modules["hitgraph.compat.torch_cluster"].knn
        """,
        needs="torch_cluster",
    )


def test_a_module_imported_meanwhile_gets_torch_cluster_afterwards() -> None:
    run(
        """
        compat.install()
        module = user()
        assert module.knn.__module__ == "torch_cluster"
        compat.uninstall()
        assert "torch_cluster" not in sys.modules
        assert module.torch_cluster.knn is module.knn
        assert module.knn.__module__ == "torch_cluster.knn"
        """,
        needs="torch_cluster",
    )


def test_twice_is_once_and_only_the_first_takes_back() -> None:
    run(
        """
        first = compat.install()
        import torch_cluster
        with compat.install():
            assert sys.modules["torch_cluster"] is torch_cluster
        compat.install()
        assert sys.modules["torch_cluster"] is torch_cluster
        assert torch.ops.pyg.knn(x, x, None, None, 3).shape == (2, 90)
        with first:
            pass
        assert "torch_cluster" not in sys.modules
        compat.uninstall()
        compat.uninstall()
        assert not hasattr(torch.ops.pyg, "knn")
        try:
            with compat.install():
                raise KeyError
        except KeyError:
            assert "torch_cluster" not in sys.modules
        """
    )


def test_a_program_that_means_hitgraph_keeps_it() -> None:
    run(
        """
        mine = own.knn
        with compat.install():
            assert own.knn is mine
        assert own.knn is mine and own is sys.modules["hitgraph.compat.torch_cluster"]
        """
    )


@pytest.mark.parametrize("imported", ["before", "meanwhile"])
def test_pyg_27_without_torch_cluster(imported: str) -> None:
    run(
        f"""
        sys.meta_path.insert(0, Blocked())
        imported = {imported!r}
        if imported == "before":
            import torch_geometric.nn
            before = state()
        installation = compat.install()
        from torch_geometric import nn, typing
        import torch_cluster
        nn.GravNetConv(3, 4, 2, 2, k=3)(x).sum().backward()
        nn.DynamicEdgeConv(torch.nn.Linear(6, 2), k=3)(x)
        nn.XConv(3, 4, 3, 4, hidden_channels=2)(x, x)
        assert nn.knn_graph(x, 3).shape == nn.knn(x, x, 3).shape == (2, 90)
        try:
            nn.fps(x)
        except ImportError as error:
            assert "pip install torch-cluster" in str(error), error
        else:
            raise AssertionError
        installation.__exit__(None, None, None)
        assert not typing.WITH_TORCH_CLUSTER and not typing.WITH_TORCH_CLUSTER_BATCH_SIZE
        for call in (lambda: nn.GravNetConv(3, 4, 2, 2, k=3), lambda: nn.knn(x, x, 3)):
            try:
                call()
            except ImportError as error:
                assert "requires" in str(error) and "torch-cluster" in str(error), error
            else:
                raise AssertionError
        if imported == "before":
            assert not changed(before), changed(before)
        """,
        needs="torch_geometric",
    )


@pytest.mark.parametrize("release", ["2.7", "2.8"])
def test_pyg_is_given_back(release: str) -> None:
    run(
        """
        import torch_geometric.nn
        before = state()
        for _ in range(2):
            with compat.install():
                assert changed(before)
                assert torch_geometric.nn.knn_graph(x, 3).shape == (2, 90)
                torch.jit.script(torch_geometric.nn.knn_graph)
            assert not changed(before), changed(before)
        """,
        release,
        needs="torch_geometric",
    )


def test_pyg_28_counts_edges_right_where_points_coincide() -> None:
    run(
        """
        compat.install()
        from torch_geometric import nn
        same = torch.zeros(40, 3)
        edges = nn.knn_graph(same, 3)
        assert torch.bincount(edges[1]).tolist() == [3] * 40 and (edges[0] != edges[1]).all()
        assert nn.knn_graph(same[:2], 3, torch.tensor([0, 2])).shape == (2, 0)
        # What the operators alone leave unanswered: slices, 1-D, nothing, graphs of one side.
        wide = torch.rand(30, 6)
        part = wide[:, :3]
        assert torch.equal(nn.knn(part, part, 3), own.knn(part, part, 3))
        assert torch.equal(nn.knn(x[:, 0], x[:, 0], 3), own.knn(x[:, :1], x[:, :1], 3))
        assert nn.radius(x[:0], x, 1.0).shape == nn.knn(x[:0], x, 1).shape == (2, 0)
        one = torch.zeros(30, dtype=torch.int64)
        two = one.clone()
        two[20:] = 1
        assert nn.knn(x, x, 2, two, one).shape == nn.knn(x, x, 2, one, one).shape == (2, 60)
        assert nn.radius_graph(x, 0.5, two, max_num_neighbors=2).shape[1] <= 60
        assert torch.equal(nn.nearest(x, x[:5]), own.nearest(x, x[:5]))
        """,
        "2.8",
    )


def test_kernels_of_pyg_lib_are_set_aside_and_come_back() -> None:
    run(
        """
        library = torch.library.Library("pyg", "FRAGMENT")
        library.define(
            "knn(Tensor x, Tensor y, Tensor? ptr_x=None, Tensor? ptr_y=None, int k=1, "
            "bool cosine=False, int num_workers=1) -> Tensor"
        )
        library.impl("knn", lambda x, y, *rest: torch.full((2, 1), 7), "CPU")
        stub = torch.ops.pyg.knn(x, x).tolist()
        for _ in range(2):
            with compat.install():
                assert torch.equal(torch.ops.pyg.knn(x, x, None, None, 3), own.knn(x, x, 3))
                assert torch.equal(torch.ops.pyg.nearest(x, x[:4]), own.nearest(x, x[:4]))
            assert torch.ops.pyg.knn(x, x).tolist() == stub
            assert not hasattr(torch.ops.pyg, "nearest")
        """
    )


def test_operators_under_pyg_libs_name_in_torchscript_and_on_fake_tensors() -> None:
    run(
        """
        from torch._subclasses.fake_tensor import FakeTensorMode
        from torch.fx.experimental.symbolic_shapes import ShapeEnv
        compat.install()

        program = torch.jit.CompilationUnit(
            "def search(x, ptr):\\n"
            "    return torch.ops.pyg.radius(x, x, ptr, ptr, 0.5, 32, 1, True)\\n"
        )
        ptr = torch.tensor([0, 10, 30])
        batch = torch.arange(3).repeat_interleave(torch.tensor([10, 20, 0]))
        expected = own.radius_graph(x, 0.5, batch, flow="target_to_source")
        assert torch.equal(program.search(x, ptr), expected)
        with FakeTensorMode(shape_env=ShapeEnv()):
            fake = torch.empty(6, 3)
            assert torch.ops.pyg.knn(fake, fake).shape[0] == 2
            assert torch.ops.pyg.nearest(fake, fake).shape == (6,)
        for wrong in ([0, 10], [0, 20, 10, 30], [1, 30]):
            try:
                torch.ops.pyg.knn(x, x, torch.tensor(wrong), ptr, 3)
            except ValueError as error:
                assert "pyg::knn: expected ptr_x" in str(error), error
            else:
                raise AssertionError(wrong)
        """
    )


def test_submodules_and_pickles_of_them():
    pytest.importorskip("torch_cluster", reason="needs torch-cluster")
    run(
        """
        import functools, pickle, sys
        import torch, torch_cluster
        held = pickle.dumps(functools.partial(torch_cluster.knn, k=3))
        theirs = sys.modules["torch_cluster.knn"]
        from hitgraph import compat
        with compat.install():
            from torch_cluster.knn import knn_graph
            from torch_cluster.fps import fps
            import torch_cluster as installed
            assert knn_graph is installed.knn_graph and callable(installed.knn)
            assert pickle.loads(held).func is installed.knn
            assert fps(torch.rand(10, 3), ratio=0.5).numel() == 5
        assert sys.modules["torch_cluster.knn"] is theirs
        """
    )


def test_a_context_that_was_taken_back_installs_again():
    run(
        """
        import sys
        from hitgraph import compat
        def on():
            module = sys.modules.get("torch_cluster")
            return module is not None and "hitgraph" in (module.__file__ or "")
        context = compat.install()
        with context:
            assert on()
        assert not on()
        with context:
            assert on()
        assert not on()
        with compat.install():
            compat.uninstall()
            later = compat.install()
        assert on()
        compat.uninstall()
        """
    )
