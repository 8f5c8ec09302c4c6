"""All faults by name, an operator a file."""

from . import condensate, condensation, edge_conv, gravnet, knn, radius, tile

FAULTS = {
    name: fault
    for part in (knn, gravnet, radius, tile, edge_conv, condensation, condensate)
    for name, fault in part.FAULTS.items()
}
