// Looking numbers up among ascending ones, number(0) to number(count - 1).
#pragma once

#include "core/host_device.h"

namespace hitgraph {

// The last that is not beyond `value`; number(0) must not be.
template <typename Count, typename Number>
HITGRAPH_HOST_DEVICE Count last_not_beyond(Count count, Count value, Number number) {
  Count low = 0, high = count;
  while (high - low > 1) {
    const Count middle = low + (high - low) / 2;
    if (number(middle) <= value) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

// The first that is not below `value`, or `count`.
template <typename Count, typename Value, typename Number>
HITGRAPH_HOST_DEVICE Count first_not_below(Count count, Value value, Number number) {
  Count low = 0, high = count;
  while (low < high) {
    const Count middle = low + (high - low) / 2;
    if (number(middle) < value) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace hitgraph
