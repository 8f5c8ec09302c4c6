// What a k-d cut compares. The cut may be inexact, since boxes are tight and every bound is
// computed from them; it may not be undecided: equal coordinates are cut by row, so duplicates
// split too.
#pragma once

#include "core/host_device.h"

namespace hitgraph {

constexpr int kBucketSize = 32;

// A coordinate as the bits of a float. It is taken relative to `origin`, a value of the same axis:
// that keeps close coordinates apart in 32 bits even far from zero, and makes one type serve float
// and double.
template <typename T>
HITGRAPH_HOST_DEVICE int kd_bits(T coordinate, T origin) {
  return static_cast<int>(bits_of(static_cast<float>(coordinate - origin)));
}

// Bits of floats as integers of the same order; twice gives the bits again.
HITGRAPH_HOST_DEVICE int kd_ordered(int bits) { return bits ^ (bits >> 31 & 0x7fffffff); }

// The same without a sign, as keys have it.
template <typename T>
HITGRAPH_HOST_DEVICE unsigned kd_coordinate(T coordinate, T origin) {
  return static_cast<unsigned>(kd_ordered(kd_bits(coordinate, origin))) ^ 0x80000000u;
}

HITGRAPH_HOST_DEVICE unsigned long long kd_key(unsigned coordinate, int row) {
  return static_cast<unsigned long long>(coordinate) << 32 | static_cast<unsigned>(row);
}

}  // namespace hitgraph
