// A radius search on the data of a KnnCase, run by any implementation.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "core/radius.h"
#include "knn_case.h"
#include "simd_levels.h"

namespace hitgraph::testing {

template <typename T, typename Index = int64_t>
struct Within {
  std::vector<int64_t> row_splits;
  std::vector<Index> index;
  std::vector<T> distance2;
};

template <typename T>
RadiusProblem<T> radius_problem(const KnnCase<T>& search, int64_t max_neighbors) {
  RadiusProblem<T> problem;
  static_cast<SearchProblem<T>&>(problem) = search.problem(1);
  problem.max_neighbors = max_neighbors;
  return problem;
}

// What run(problem, row_splits, allocate) finds; garbage where it writes nothing.
template <typename Index, typename T, typename Run>
Within<T, Index> within(const KnnCase<T>& search, int64_t max_neighbors, const Run& run) {
  Within<T, Index> found;
  found.row_splits.assign(static_cast<std::size_t>(search.query_count()) + 1, -77);
  const AllocateEdges<T, Index> allocate = [&](int64_t edges) {
    found.index.assign(static_cast<std::size_t>(edges), Index{-77});
    found.distance2.assign(static_cast<std::size_t>(edges), T{-77});
    return RadiusResult<T, Index>{found.index.data(), found.distance2.data()};
  };
  run(radius_problem(search, max_neighbors), found.row_splits.data(), allocate);
  return found;
}

template <typename Index = int64_t, typename T>
Within<T, Index> find_within(const KnnCase<T>& search, SimdLevel level,
                             int64_t max_neighbors = std::numeric_limits<int64_t>::max(),
                             const Executor& executor = Executor()) {
  return within<Index>(search, max_neighbors, [&](const auto& problem, auto* splits, auto& grow) {
    radius_cpu(problem, splits, grow, executor, level);
  });
}

template <typename T>
Within<T> within_by_brute_force(const KnnCase<T>& search, int64_t max_neighbors) {
  return within<int64_t>(search, max_neighbors, [](const auto& problem, auto* splits, auto& grow) {
    radius_brute_force(problem, splits, grow, Executor());
  });
}

template <typename T, typename Index>
void expect_same(const Within<T>& truth, const Within<T, Index>& found) {
  ASSERT_EQ(truth.row_splits, found.row_splits);
  ASSERT_EQ(truth.index.size(), found.index.size());
  ASSERT_TRUE(std::equal(truth.index.begin(), truth.index.end(), found.index.begin()));
  ASSERT_EQ(truth.distance2.size(), found.distance2.size());
  ASSERT_TRUE(truth.distance2.empty() || std::memcmp(truth.distance2.data(), found.distance2.data(),
                                                     truth.distance2.size() * sizeof(T)) == 0);
}

// On every SIMD level of this machine, with one thread and with two.
template <typename T>
void expect_exact_radius(const KnnCase<T>& search, int64_t max_neighbors) {
  const Within<T> truth = within_by_brute_force(search, max_neighbors);
  for (const SimdLevel level : simd_levels()) {
    SCOPED_TRACE(::testing::Message() << simd_level_name(level) << ", r2 = " << search.max_distance2
                                      << ", cap = " << max_neighbors);
    expect_same(truth, find_within(search, level, max_neighbors));
    expect_same(truth, find_within(search, level, max_neighbors, two_threads()));
  }
}

}  // namespace hitgraph::testing
