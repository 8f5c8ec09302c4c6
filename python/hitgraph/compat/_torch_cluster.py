"""torch-cluster's name taken by hitgraph's functions, and given back."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any

from . import _original
from ._modules import replace_everywhere

#: What hitgraph answers.
ANSWERED = ("knn", "knn_graph", "nearest", "radius", "radius_graph")

_SUBMODULES = {
    "knn": ("knn", "knn_graph"),
    "radius": ("radius", "radius_graph"),
    "nearest": ("nearest",),
    "fps": ("fps",),
    "graclus": ("graclus_cluster",),
    "grid": ("grid_cluster",),
    "rw": ("random_walk",),
    "sampler": ("neighbor_sampler",),
}

# What PyTorch Geometric up to 2.7 holds of torch-cluster, None where that was not installed.
_LAYERS = (
    ("torch_geometric.nn.conv.edge_conv", "knn"),
    ("torch_geometric.nn.conv.gravnet_conv", "knn"),
    ("torch_geometric.nn.conv.x_conv", "knn_graph"),
)
_FLAGS = ("WITH_TORCH_CLUSTER", "WITH_TORCH_CLUSTER_BATCH_SIZE")


class _Absent:
    """What PyTorch Geometric has in the place of a torch-cluster that is not installed."""

    def __getattr__(self, key: str) -> Any:
        raise ImportError(f"'{key}' requires 'torch-cluster'")


_replacement: ModuleType | None = None  # while installed
_displaced: dict[str, ModuleType] = {}
_absent: object = _Absent()


def install() -> None:
    """Loads hitgraph's functions a second time, under torch-cluster's name: what is bound from
    there can be told from what is imported from hitgraph on purpose.
    """
    global _replacement, _displaced
    original = _original.load()
    _displaced = _original.modules()
    for name in _displaced:
        del sys.modules[name]
    spec = importlib.util.spec_from_file_location(
        _original.NAME,
        _original.REPLACEMENT,
        submodule_search_locations=[str(_original.REPLACEMENT.parent)],
    )
    assert spec is not None and spec.loader is not None
    _replacement = importlib.util.module_from_spec(spec)
    sys.modules[_original.NAME] = _replacement
    spec.loader.exec_module(_replacement)
    _give_submodules(_replacement)
    if original is not None:
        replace_everywhere(_pairs(original, _replacement))
    else:
        _give_to_torch_geometric(_replacement)


def _give_submodules(replacement: ModuleType) -> None:
    """For `from torch_cluster.knn import knn_graph`, and for pickles, which name the file that a
    function was written in. As attributes of the package the names stay functions.
    """
    for name, functions in _SUBMODULES.items():
        module = ModuleType(f"{_original.NAME}.{name}")
        for function in functions:
            setattr(module, function, getattr(replacement, function))
        sys.modules[module.__name__] = module


def uninstall() -> None:
    """Gives the name and the attributes back, also those bound meanwhile."""
    global _replacement, _displaced
    if _replacement is None:
        return
    for name in _original.modules():
        del sys.modules[name]
    sys.modules.update(_displaced)
    original = _original.load()
    if original is not None:
        replace_everywhere(_pairs(_replacement, original))
    else:
        _take_from_torch_geometric(_replacement)
    _replacement, _displaced = None, {}


def _pairs(old: ModuleType, new: ModuleType) -> list[tuple[Any, Any]]:
    pairs: list[tuple[Any, Any]] = [(getattr(old, f), getattr(new, f)) for f in ANSWERED]
    return [(old, new), *pairs]


def _torch_geometric_typing() -> ModuleType | None:
    """Its settings, if a release that knows torch-cluster is loaded."""
    typing = sys.modules.get("torch_geometric.typing")
    return typing if typing is not None and hasattr(typing, _FLAGS[0]) else None


def _give_to_torch_geometric(replacement: ModuleType) -> None:
    """To one that was imported without torch-cluster."""
    global _absent
    typing = _torch_geometric_typing()
    if typing is None:
        return
    _absent = typing.torch_cluster
    replace_everywhere([(_absent, replacement)], within="torch_geometric")
    for flag in _FLAGS:
        setattr(typing, flag, True)
    for module_name, function in _LAYERS:
        layer = sys.modules.get(module_name)
        if layer is not None:
            setattr(layer, function, getattr(replacement, function))


def _take_from_torch_geometric(replacement: ModuleType) -> None:
    """Leaves it as it is where there is no torch-cluster."""
    typing = _torch_geometric_typing()
    if typing is None:
        return
    functions = [getattr(replacement, f) for f in (*ANSWERED, *_original.PASSED)]
    nothing: list[tuple[Any, Any]] = [(function, None) for function in functions]
    replace_everywhere([(replacement, _absent), *nothing], within="torch_geometric")
    for flag in _FLAGS:
        setattr(typing, flag, False)
