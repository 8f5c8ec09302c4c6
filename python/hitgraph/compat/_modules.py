"""Attributes of loaded modules, replaced wherever they are."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any


def replace_everywhere(pairs: Iterable[tuple[Any, Any]], within: str = "") -> None:
    """Every attribute of a loaded module that is the first of a pair becomes the second.

    hitgraph's own modules are left alone, whoever imports them means them.

    Args:
        pairs: objects and what takes their places.
        within: only in this package.
    """
    replacements = {id(old): (old, new) for old, new in pairs}
    for module_name, module in list(sys.modules.items()):
        package = module_name.split(".", 1)[0]
        if package == "hitgraph" or (within and package != within):
            continue
        attributes = getattr(module, "__dict__", {})
        for name, value in list(attributes.items()):
            if id(value) in replacements:
                attributes[name] = replacements[id(value)][1]
