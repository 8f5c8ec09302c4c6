"""Arguments that are checked in Python: types, which the dispatcher would report as RuntimeErrors
of a page each, and what layers and models have in common.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


def _refuse(op: str, name: str, expected: str, value: object) -> None:
    raise TypeError(f"{op}: expected {name} to be {expected}, got {type(value).__name__}")


def check_tensor(op: str, name: str, value: object) -> None:
    if not isinstance(value, Tensor):
        _refuse(op, name, "a Tensor", value)


def check_tensors(op: str, **tensors: object) -> None:
    """Each is a Tensor or None."""
    for name, value in tensors.items():
        if value is not None:
            check_tensor(op, name, value)


def check_given(op: str, **tensors: object) -> None:
    """Each is a Tensor."""
    for name, value in tensors.items():
        check_tensor(op, name, value)


def check_choice(where: str, name: str, value: object, known: Iterable[object]) -> None:
    """One of those that are known."""
    known = tuple(known)
    if value not in known:
        options = ", ".join(repr(option) for option in known)
        raise ValueError(f"{where}: expected {name} to be one of {options}, got {value!r}")


def check_int(op: str, name: str, value: object) -> None:
    """An int, or what Python takes for one (an integer of NumPy, a tensor of one)."""
    if not isinstance(value, (int, torch.SymInt)) and not hasattr(value, "__index__"):
        _refuse(op, name, "an int", value)


def check_bool(op: str, name: str, value: object) -> None:
    if not isinstance(value, bool):
        _refuse(op, name, "a bool", value)


def check_float(op: str, name: str, value: object) -> None:
    """A float, or what Python takes for one."""
    several = isinstance(value, Tensor) and value.numel() != 1
    number = isinstance(value, (float, torch.SymFloat)) or hasattr(value, "__float__")
    if several or not number:
        _refuse(op, name, "a float", value)


def check_search(op: str, points: object, include_self: object, index_dtype: object) -> None:
    """The arguments of every search that are no optional tensors."""
    check_tensor(op, "points", points)
    check_bool(op, "include_self", include_self)
    if index_dtype is not None and not isinstance(index_dtype, torch.dtype):
        _refuse(op, "index_dtype", "torch.int64 or torch.int32", index_dtype)


def operator_dtype(index_dtype: torch.dtype) -> torch.dtype | None:
    """As the operators take it, which return int64 unless told otherwise: a dtype on its way to
    them takes as long as making a tensor.
    """
    return None if index_dtype is torch.int64 else index_dtype


def check_knn(op: str, k: object, max_radius: object) -> None:
    """The arguments that hitgraph.knn and its kin have beside those of every search."""
    check_int(op, "k", k)
    if max_radius is not None:
        check_float(op, "max_radius", max_radius)


def check_sizes(where: str, **sizes: int) -> None:
    """The sizes of a layer or a model: each at least 1."""
    for name, value in sizes.items():
        check_int(where, name, value)
        if value < 1:
            raise ValueError(f"{where}: expected {name} to be at least 1, got {value}")


def check_features(where: str, x: object, columns: int, dtype: torch.dtype) -> None:
    """The input of a layer or a model: (n, columns), of its parameters' dtype or under autocast."""
    if not isinstance(x, Tensor):
        _refuse(where, "x", "a Tensor", x)
    elif x.dim() != 2 or x.shape[1] != columns:
        raise ValueError(f"{where}: expected x to be 2-D (n, {columns}), got {tuple(x.shape)}")
    elif not x.is_floating_point():
        raise TypeError(f"{where}: expected x to be floating point, got {x.dtype}")
    elif x.dtype != dtype and not torch.is_autocast_enabled(x.device.type):
        raise TypeError(f"{where}: expected x to be {dtype} as the parameters, got {x.dtype}")
