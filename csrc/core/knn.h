// The k nearest neighbours of every query, on plain pointers: no framework below this line.
//
// Contract (the same on every device): rows ascend by (distance2, index); a missing neighbour is
// (-1, +inf) at the end of its row; a point or query with a non-finite coordinate has no neighbours
// and is nobody's; distance2 is one fused multiply-add per axis, axes in order (see distance.h).
#pragma once

#include <cstdint>
#include <limits>

#include "core/executor.h"
#include "core/simd_level.h"

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
struct KnnProblem {
  int64_t dim = 0;
  int64_t k = 0;
  int64_t segments = 0;
  PointSet<T> points;         // who may be found
  PointSet<T> queries;        // who asks: the same coordinates as `points` when self_queries
  bool self_queries = false;  // query i is point i (the masks may still differ)
  bool include_self = false;  // read only when self_queries
  // Inclusive bound on distance2. The largest finite value means "no bound": a distance that
  // overflows counts as missing.
  T max_distance2 = std::numeric_limits<T>::max();
};

// Row-major (queries.size, k); every element is written.
template <typename T, typename Index>
struct KnnResult {
  Index* index = nullptr;
  T* distance2 = nullptr;
};

// Work done, independent of machine, thread count and SIMD level.
struct KnnCounters {
  int64_t queries = 0;     // queries that searched
  int64_t candidates = 0;  // real points whose distance to a query was computed
  int64_t buckets = 0;     // buckets scanned
  int64_t nodes = 0;       // nodes whose children's bounds were computed
  int64_t accepted = 0;    // candidates that passed the limit of their moment
  int64_t selections = 0;  // times a pool of candidates was cut back to k
  int64_t restarts = 0;    // searches repeated because the starting limit held fewer than k points
};

// Points and queries are indexed by 32 bits inside the search.
constexpr int64_t kMaxPoints = std::numeric_limits<int32_t>::max();
// On CUDA sums of positions must not overflow either.
constexpr int64_t kMaxCudaPoints = int64_t{1} << 29;
constexpr int64_t kMaxCudaSegments = int64_t{1} << 26;

// Instantiated for T = float, double and Index = int32_t, int64_t.
// `counters` selects the counting build of the search; it is null in production.
template <typename T, typename Index>
void knn_cpu(const KnnProblem<T>& problem, const KnnResult<T, Index>& result,
             const Executor& executor, SimdLevel level = best_simd_level(),
             KnnCounters* counters = nullptr);

// The oracle: every distance of every pair, one full sort a row. Quadratic; for tests and demos.
template <typename T, typename Index>
void knn_brute_force(const KnnProblem<T>& problem, const KnnResult<T, Index>& result,
                     const Executor& executor);

}  // namespace hitgraph
