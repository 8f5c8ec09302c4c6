// What a k-d cut compares. The cut may be inexact, since boxes are tight and every bound is
// computed from them; it may not be undecided: equal coordinates are cut by row, so duplicates
// split too.
#pragma once

#include "core/host_device.h"

namespace hitgraph {

constexpr int kBucketSize = 32;

// A coordinate as an integer of the same order. It is taken relative to `origin`, a value of the
// same axis: that keeps close coordinates apart in 32 bits even far from zero, and makes one type
// serve float and double.
template <typename T>
HITGRAPH_HOST_DEVICE unsigned kd_coordinate(T coordinate, T origin) {
  const unsigned bits = bits_of(static_cast<float>(coordinate - origin));
  return bits ^ (static_cast<unsigned>(-static_cast<int>(bits >> 31)) | 0x80000000u);
}

HITGRAPH_HOST_DEVICE unsigned long long kd_key(unsigned coordinate, int row) {
  return static_cast<unsigned long long>(coordinate) << 32 | static_cast<unsigned>(row);
}

}  // namespace hitgraph
