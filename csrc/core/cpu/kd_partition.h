// Orders points so that consecutive ones are near each other: recursive cuts at the median of the
// widest axis. Cuts fall on multiples of the bucket size (and of 16, 256, ... buckets while there
// are that many), so that buckets are full and the nodes of the hierarchy are whole subtrees.
#pragma once

#include <cstdint>

#include "core/executor.h"
#include "core/simd_level.h"

namespace hitgraph {

// Permutes order[0, size), ascending rows of `points` (row-major, dim columns). Nothing of `part`
// positions or fewer is cut, part >= kBucketSize. Equal coordinates are cut by row number, so
// duplicates split too; rows of what is not cut ascend. The same for all executors and levels.
template <typename T>
void kd_partition(const T* points, int64_t dim, int32_t* order, int64_t size, int64_t part,
                  const Executor& executor, SimdLevel level = best_simd_level());

}  // namespace hitgraph
