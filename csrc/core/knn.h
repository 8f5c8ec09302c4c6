// The k nearest neighbours of every query, on plain pointers: no framework below this line.
//
// Contract (the same on every device): that of search_problem.h, and a missing neighbour is (-1,
// +inf) at the end of its row.
#pragma once

#include <cstdint>

#include "core/executor.h"
#include "core/search_problem.h"
#include "core/simd_level.h"

namespace hitgraph {

template <typename T>
struct KnnProblem : SearchProblem<T> {
  int64_t k = 0;
};

// Row-major (queries.size, k); every element is written. `distance2` may be null: not wanted.
template <typename T, typename Index>
struct KnnResult {
  Index* index = nullptr;
  T* distance2 = nullptr;
  // If the points ask: all of them, segment by segment, in the order of the search's buckets, in
  // which neighbours come one after another; those that take no part last. Null: not wanted.
  int32_t* order = nullptr;
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
