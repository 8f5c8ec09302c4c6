// What a search is asked: who may be found, who asks, how far. No framework below this line.
//
// Contract (the same in every search and on every device): the neighbours of a query ascend by
// (distance2, index) and are of its segment; a point or query with a non-finite coordinate has no
// neighbours and is nobody's; distance2 is one fused multiply-add per axis, axes in order (see
// distance.h).
#pragma once

#include <cstdint>
#include <limits>

namespace hitgraph {

// Coordinates of a batch of point clouds, row-major (size, dim). Segment s owns the rows
// row_splits[s] .. row_splits[s + 1] - 1. A row whose mask byte is 0 takes no part; mask may be
// null.
template <typename T>
struct PointSet {
  const T* coordinates = nullptr;
  int64_t size = 0;
  const int64_t* row_splits = nullptr;
  const bool* mask = nullptr;
};

template <typename T>
struct SearchProblem {
  int64_t dim = 0;
  int64_t segments = 0;
  PointSet<T> points;         // who may be found
  PointSet<T> queries;        // who asks: the same coordinates as `points` when self_queries
  bool self_queries = false;  // query i is point i (the masks may still differ)
  bool include_self = false;  // read only when self_queries
  // Inclusive bound on distance2; nothing is within a negative one. The largest finite value means
  // "no bound": a distance that overflows counts as missing.
  T max_distance2 = std::numeric_limits<T>::max();
};

// Points and queries are indexed by 32 bits inside the search.
constexpr int64_t kMaxPoints = std::numeric_limits<int32_t>::max();
// On CUDA sums of positions must not overflow either.
constexpr int64_t kMaxCudaPoints = int64_t{1} << 29;
constexpr int64_t kMaxCudaSegments = int64_t{1} << 26;

}  // namespace hitgraph
