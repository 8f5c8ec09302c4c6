// How far a condensation point reaches, and which of several a hit belongs to, once for every
// device.
#pragma once

#include "core/distance.h"

namespace hitgraph {

// The square of a condensation point's radius; hits at that distance2 are within. A distance that
// overflows is not, however large the radius.
template <typename T>
HITGRAPH_HOST_DEVICE T condensate_limit(T distance_threshold, T factor) {
  const T radius = distance_threshold * factor;
  return smaller(radius * radius, largest_finite<T>());
}

// Whether a hit leaves the point that it belongs to for another one that is within reach too and
// was found later: only if it is to belong to the nearest. Equally near ones: the smaller row.
template <typename T, typename Row>
HITGRAPH_HOST_DEVICE bool goes_over(bool nearest, T distance2, Row row, T own_distance2,
                                    Row own_row) {
  return nearest && not_after(distance2, row, own_distance2, own_row);
}

}  // namespace hitgraph
