"""What a peer is: a search behind one class.

A new one is a file with such a class, and its name in `peers/__init__.py`. It says how it is
imported and installed, and how it searches; the rows that it found are compared by the oracle.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from ..problem import Problem, Row


class Peer:
    """A library that searches.

    Attributes:
        name: in tables.
        modules: by what is imported it is known to be there; the first gives the version.
        install: a command that installs it.
        devices: where it searches.
        tasks: of "knn", "radius".
        events: whether it takes a batch of events; without it a problem of one event only.
        queries: whether it takes queries other than the points.
        every_pair: whether it compares everybody with everybody; such a peer is left out where
            that would take minutes.
        index: whether `build` makes an index that `knn` and `radius` use.
    """

    name: ClassVar[str]
    modules: ClassVar[tuple[str, ...]]
    install: ClassVar[str]
    devices: ClassVar[tuple[str, ...]] = ("cpu",)
    tasks: ClassVar[tuple[str, ...]] = ("knn",)
    events: ClassVar[bool] = False
    queries: ClassVar[bool] = True
    every_pair: ClassVar[bool] = False
    index: ClassVar[bool] = False

    def version(self) -> str | None:
        """Of what is installed; None if it cannot be imported."""
        try:
            for module in self.modules:
                importlib.import_module(module)
        except Exception:  # an extension built for another torch raises whatever its loader does
            return None
        return version_of(self.modules[0])

    def refuses(self, problem: Problem) -> str | None:
        """Why a problem of a kind that it takes is beyond it; None if it is not."""
        return None

    def build(self, problem: Problem) -> Any:
        return None

    def knn(self, problem: Problem, index: Any) -> Any:
        raise NotImplementedError

    def knn_rows(self, problem: Problem, found: Any, queries: Sequence[int]) -> list[Row]:
        raise NotImplementedError

    def radius(self, problem: Problem, index: Any) -> Any:
        raise NotImplementedError

    def radius_rows(self, problem: Problem, found: Any, queries: Sequence[int]) -> list[Row]:
        raise NotImplementedError

    def reason(self, task: str, problem: Problem, device: str, pairs: float) -> str | None:
        """Why it is not measured here; None if it is.

        Args:
            task: "knn" or "radius".
            problem: what is asked.
            device: "cpu" or "cuda".
            pairs: how many pairs of points may be compared.
        """
        if device not in self.devices:
            return f"not on {device}"
        if task not in self.tasks:
            return f"no {task}"
        if problem.events > 1 and not self.events:
            return "one event a call"
        if problem.queries is not None and not self.queries:
            return "no other queries"
        if self.every_pair and problem.pairs > pairs:
            return f"more than {pairs:.0e} pairs"
        return self.refuses(problem)

    def call(self, task: str, problem: Problem) -> Callable[[], Any]:
        """Index and search together."""
        search = getattr(self, task)
        return lambda: search(problem, self.build(problem))


def version_of(module: str) -> str:
    found = getattr(importlib.import_module(module), "__version__", None)
    if found is None:
        top = module.split(".")[0]
        names = importlib.metadata.packages_distributions().get(top, [])
        found = importlib.metadata.version(names[0]) if names else "unknown"
    return str(found)


def array(values: Any) -> NDArray[Any]:
    """Whatever a library returns, in the memory of the host."""
    if isinstance(values, torch.Tensor):
        return values.detach().cpu().numpy()
    if hasattr(values, "__cuda_array_interface__"):
        return torch.as_tensor(values, device="cuda").cpu().numpy()
    return np.asarray(values)


def rows_of_matrix(
    problem: Problem, queries: Sequence[int], index: Any, distance2: Any = None
) -> list[Row]:
    """Of (m, columns) results; the query itself is taken out, or the last column where it is not
    there. Missing neighbours (-1) are left out.
    """
    chosen = torch.as_tensor(np.asarray(queries))
    index, distance2 = (
        None if x is None else array(x[chosen.to(x.device)] if torch.is_tensor(x) else x[queries])
        for x in (index, distance2)
    )
    assert index is not None
    rows = []
    for place, query in enumerate(queries):
        keep = index[place] >= 0
        if problem.queries is None:
            keep &= index[place] != query
        keep &= np.cumsum(keep) <= problem.k
        squares = None if distance2 is None else distance2[place][keep].astype(np.float64)
        rows.append(Row(index[place][keep].astype(np.int64), squares))
    return rows


def rows_of_lists(problem: Problem, queries: Sequence[int], lists: Any) -> list[Row]:
    """Of a list of rows for every query, in any order; the query itself is taken out."""
    rows = [np.asarray(lists[query], np.int64) for query in queries]
    if problem.queries is None:
        rows = [row[row != query] for row, query in zip(rows, queries, strict=True)]
    return [Row(row) for row in rows]


def rows_of_edges(
    problem: Problem, queries: Sequence[int], asks: Any, found: Any, k: int | None = None
) -> list[Row]:
    """Of edges from `asks` to `found` in any order, without those from a point to itself; the
    first k of a query.
    """
    asks, found = array(asks), array(found)
    rows = []
    for query in queries:
        index = found[asks == query].astype(np.int64)
        if problem.queries is None:
            index = index[index != query]
        rows.append(Row(index[:k]))
    return rows
