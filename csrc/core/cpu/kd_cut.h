// One cut of a k-d partition, a table entry for every instruction set.
#pragma once

#include <cstdint>

#include "core/simd_level.h"

namespace hitgraph {

// Ascending rows of points, and the kd_bits of the coordinate of each on the axis of the cut, in
// whose place a cut leaves their kd_ordered. `spare` has as much room.
struct KdPart {
  int32_t* rows;
  int32_t* values;
  int32_t* spare;
  int64_t size;
};

// Moves the rows of the `left` smallest values to the front, 0 < left < size; of equal values the
// first ones. Rows of both sides ascend.
using KdCut = void (*)(const KdPart& part, int64_t left);

KdCut kd_cut_portable();
KdCut kd_cut_avx2();
KdCut kd_cut_avx512();

inline KdCut kd_cut_at(SimdLevel level) { return HITGRAPH_AT_SIMD_LEVEL(level, kd_cut, ()); }

}  // namespace hitgraph
