// The derivative of an edge's distance2, once for every device.
#pragma once

#include "core/host_device.h"

namespace hitgraph {

// grad * d(distance2) / d(query) on one axis, where difference = query - point; by the point it is
// the opposite. Zero where both agree, whatever grad is: the gradient of a square root of distance2
// is infinite there.
template <typename T>
HITGRAPH_HOST_DEVICE double distance2_gradient(T grad, T difference) {
  return difference == 0 ? 0.0 : 2 * static_cast<double>(grad) * static_cast<double>(difference);
}

}  // namespace hitgraph
