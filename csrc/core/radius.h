// All neighbours of every query within a radius, nearest first, as rows of a compressed list (CSR).
#pragma once

#include <cstdint>
#include <functional>
#include <limits>

#include "core/executor.h"
#include "core/search_problem.h"
#include "core/simd_level.h"

namespace hitgraph {

template <typename T>
struct RadiusProblem : SearchProblem<T> {
  // At most this many of each query's neighbours, the first ones of its row.
  int64_t max_neighbors = std::numeric_limits<int64_t>::max();
};

// The edges of query q are row_splits[q] .. row_splits[q + 1] - 1.
template <typename T, typename Index>
struct RadiusResult {
  Index* index = nullptr;
  T* distance2 = nullptr;
};

// Called once, with the number of edges, before any is written; the arrays may be null if it is 0.
template <typename T, typename Index>
using AllocateEdges = std::function<RadiusResult<T, Index>(int64_t edges)>;

// `row_splits` (queries.size + 1) is written, then `allocate` is called, then the edges are
// written. Instantiated for T = float, double and Index = int32_t, int64_t.
template <typename T, typename Index>
void radius_cpu(const RadiusProblem<T>& problem, int64_t* row_splits,
                const AllocateEdges<T, Index>& allocate, const Executor& executor,
                SimdLevel level = best_simd_level());

// The oracle: every distance of every pair, one full sort a row. Quadratic; for tests.
template <typename T, typename Index>
void radius_brute_force(const RadiusProblem<T>& problem, int64_t* row_splits,
                        const AllocateEdges<T, Index>& allocate, const Executor& executor);

}  // namespace hitgraph
