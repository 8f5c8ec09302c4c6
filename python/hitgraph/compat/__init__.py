"""hitgraph in the place of torch-cluster and, for PyTorch Geometric, of pyg-lib's searches.

One program, by its import::

    import hitgraph.compat.torch_cluster as torch_cluster

Everything in the process, PyTorch Geometric of any release included::

    hitgraph.compat.install()       # undone by hitgraph.compat.uninstall()

    with hitgraph.compat.install():
        ...

`hitgraph.compat.fastgraphcompute` has FastGraphCompute's search and layer.
"""

from __future__ import annotations

from types import TracebackType

from . import _pyg, _torch_cluster, fastgraphcompute, torch_cluster

__all__ = ["Installation", "fastgraphcompute", "install", "torch_cluster", "uninstall"]

_installed = 0  # the number of the installation; 0: none
_last = 0


class Installation:
    """What `install` returns: as a context manager it takes back what that call has done, and does
    it again if it has been taken back before.
    """

    def __init__(self, number: int) -> None:
        self._number = number

    def __enter__(self) -> Installation:
        if not _installed:
            self._number = install()._number
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._number == _installed:
            uninstall()


def install() -> Installation:
    """Everything that imports torch_cluster, or has imported it, searches with hitgraph, and so
    does PyTorch Geometric.

    `import torch_cluster` gives hitgraph's functions; modules that hold torch-cluster's, the
    layers of PyTorch Geometric up to 2.7 among them, hold hitgraph's instead; the operators
    pyg::knn, pyg::radius and pyg::nearest, which PyTorch Geometric calls from 2.8 on, are
    hitgraph's, with pyg-lib or without it. PyTorch Geometric from 2.8 on is imported for that.

    References that are not attributes of a module (a method, an entry of a dictionary, a scripted
    program) stay as they are. A second call changes nothing.

    Returns:
        A context manager that uninstalls at its end, unless an earlier call had installed.
    """
    global _installed, _last
    if _installed:
        return Installation(-1)
    try:
        _pyg.install()
        _torch_cluster.install()
    except BaseException:
        uninstall()
        raise
    _last += 1
    _installed = _last
    return Installation(_installed)


def uninstall() -> None:
    """Takes back `install`: every module and operator is what it was, or would have been without
    it. Nothing happens if nothing is installed.
    """
    global _installed
    _torch_cluster.uninstall()
    _pyg.uninstall()
    _installed = 0
