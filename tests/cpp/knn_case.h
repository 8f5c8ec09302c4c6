// One call of the search, owned: coordinates, segments, masks; run by any implementation.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "core/knn.h"
#include "simd_levels.h"

namespace hitgraph::testing {

inline Executor threads(int count) {
  Executor executor;
  executor.threads = count;
  executor.run = [](int workers, const std::function<void(int)>& body) {
    std::vector<std::thread> others;
    for (int worker = 1; worker < workers; ++worker) others.emplace_back(body, worker);
    body(0);
    for (std::thread& thread : others) thread.join();
  };
  return executor;
}
inline Executor two_threads() { return threads(2); }

template <typename T, typename Index = int64_t>
struct Rows {
  std::vector<Index> index;
  std::vector<T> distance2;
};

// std::vector<bool> has no addresses.
struct Mask {
  std::unique_ptr<bool[]> bits;
  const bool* get() const { return bits.get(); }

  template <typename Predicate>
  static Mask where(int64_t size, const Predicate& predicate) {
    Mask mask{std::make_unique<bool[]>(static_cast<std::size_t>(size))};
    for (int64_t i = 0; i < size; ++i) mask.bits[i] = predicate(i);
    return mask;
  }
};

template <typename T>
struct KnnCase {
  int64_t dim = 0;
  std::vector<T> points;
  std::vector<int64_t> row_splits;
  std::vector<T> queries;  // empty row_splits below: the points ask
  std::vector<int64_t> query_row_splits;
  Mask point_mask, query_mask;
  bool include_self = false;
  T max_distance2 = std::numeric_limits<T>::max();

  KnnCase(std::vector<T> coordinates, int64_t d)
      : dim(d),
        points(std::move(coordinates)),
        row_splits{0, static_cast<int64_t>(points.size()) / d} {}

  bool is_bipartite() const { return !query_row_splits.empty(); }
  int64_t query_count() const {
    return is_bipartite() ? query_row_splits.back() : row_splits.back();
  }

  KnnProblem<T> problem(int64_t k) const {
    KnnProblem<T> problem;
    problem.dim = dim;
    problem.k = k;
    problem.segments = static_cast<int64_t>(row_splits.size()) - 1;
    problem.points = {points.data(), row_splits.back(), row_splits.data(), point_mask.get()};
    problem.queries = problem.points;
    if (is_bipartite()) {
      problem.queries.coordinates = queries.data();
      problem.queries.size = query_row_splits.back();
      problem.queries.row_splits = query_row_splits.data();
    }
    problem.queries.mask = query_mask.get();
    problem.self_queries = !is_bipartite();
    problem.include_self = include_self;
    problem.max_distance2 = max_distance2;
    return problem;
  }

  template <typename Index = int64_t>
  Rows<T, Index> rows(int64_t k) const {
    const auto size = static_cast<std::size_t>(query_count() * k);
    // Garbage, so that an element which nobody writes shows.
    return {std::vector<Index>(size, Index{-77}), std::vector<T>(size, T{-77})};
  }

  template <typename Index = int64_t>
  Rows<T, Index> search(int64_t k, SimdLevel level, const Executor& executor = Executor(),
                        KnnCounters* counters = nullptr) const {
    Rows<T, Index> found = rows<Index>(k);
    knn_cpu(problem(k), KnnResult<T, Index>{found.index.data(), found.distance2.data()}, executor,
            level, counters);
    return found;
  }

  Rows<T> brute_force(int64_t k) const {
    Rows<T> found = rows(k);
    knn_brute_force(problem(k), KnnResult<T, int64_t>{found.index.data(), found.distance2.data()},
                    two_threads());
    return found;
  }

  // Compares with `truth`, the oracle's rows for `truth_k` >= k neighbours, bit for bit.
  void expect_first(const Rows<T>& truth, int64_t truth_k, int64_t k, const Rows<T>& found) const {
    for (int64_t row = 0; row < query_count(); ++row) {
      const int64_t* index = truth.index.data() + row * truth_k;
      const T* distance2 = truth.distance2.data() + row * truth_k;
      ASSERT_TRUE(std::equal(index, index + k, found.index.data() + row * k))
          << "index, row " << row;
      ASSERT_EQ(0, std::memcmp(distance2, found.distance2.data() + row * k, k * sizeof(T)))
          << "distance2, row " << row;
    }
  }

  // Checks every SIMD level of this machine, alone and with two threads, for every k.
  void expect_exact(const std::vector<int64_t>& ks) const {
    const int64_t most = *std::max_element(ks.begin(), ks.end());
    const Rows<T> truth = brute_force(most);
    for (const SimdLevel level : simd_levels()) {
      for (const int64_t k : ks) {
        SCOPED_TRACE(::testing::Message() << simd_level_name(level) << ", k = " << k);
        expect_first(truth, most, k, search(k, level));
        expect_first(truth, most, k, search(k, level, two_threads()));
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  }
};

// Where two rows differ, and in what.
template <typename T, typename Index>
void expect_rows(const Rows<T, Index>& truth, const Rows<T, Index>& found, int64_t k) {
  for (std::size_t place = 0; place < truth.index.size(); ++place) {
    ASSERT_EQ(truth.index[place], found.index[place])
        << "index of row " << place / k << ", column " << place % k;
    ASSERT_EQ(0, std::memcmp(&truth.distance2[place], &found.distance2[place], sizeof(T)))
        << "distance2 of row " << place / k << ", column " << place % k;
  }
}

}  // namespace hitgraph::testing
