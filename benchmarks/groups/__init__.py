"""What is measured, by name."""

from __future__ import annotations

from typing import cast

from ..cells import Group
from . import aggregate, build, dgcnn, drop_in, gravnet, knn, radius

GROUPS: dict[str, Group] = {
    name: cast(Group, module)
    for name, module in {
        "knn": knn,
        "radius": radius,
        "aggregate": aggregate,
        "gravnet": gravnet,
        "dgcnn": dgcnn,
        "build": build,
        "drop_in": drop_in,
    }.items()
}
