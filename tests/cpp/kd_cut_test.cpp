// A cut against its definition: rows sorted by value, equal ones as they came, the first `left` of
// them to the left, both sides in their old order. And parts of a partition that do not depend on
// the instruction set.
#include "core/cpu/kd_cut.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>

#include "clouds.h"
#include "core/cpu/kd_partition.h"
#include "core/cpu/list_rows.h"
#include "core/kd_key.h"
#include "knn_case.h"
#include "simd_levels.h"

namespace hitgraph::testing {
namespace {

using Values = std::vector<int32_t>;

Values ascending_rows(std::size_t size) {
  Values rows(size);
  for (std::size_t i = 0; i < size; ++i) rows[i] = static_cast<int32_t>(3 * i + 1);
  return rows;
}

Values expected_rows(const Values& values, const Values& rows, int64_t left) {
  Values places(values.size());
  std::iota(places.begin(), places.end(), 0);
  std::stable_sort(places.begin(), places.end(), [&](int32_t a, int32_t b) {
    return kd_ordered(values[a]) < kd_ordered(values[b]);
  });
  std::sort(places.begin(), places.begin() + left);
  std::sort(places.begin() + left, places.end());
  Values expected;
  for (const int32_t place : places) expected.push_back(rows[place]);
  return expected;
}

// Cuts in the middle of longer arrays, of which nothing else may change.
void expect_cut(const Values& values, int64_t left) {
  constexpr int64_t kBeside = 20;
  constexpr int32_t kUntouched = -7;
  const auto size = static_cast<int64_t>(values.size());
  const Values rows = ascending_rows(values.size()), expected = expected_rows(values, rows, left);
  for (const SimdLevel level : simd_levels()) {
    SCOPED_TRACE(std::string(simd_level_name(level)) + " left " + std::to_string(left));
    Values around_rows(size + 2 * kBeside, kUntouched), around_values(around_rows),
        around_spare(around_rows);
    std::copy(rows.begin(), rows.end(), around_rows.begin() + kBeside);
    std::copy(values.begin(), values.end(), around_values.begin() + kBeside);
    kd_cut_at(level)({around_rows.data() + kBeside, around_values.data() + kBeside,
                      around_spare.data() + kBeside, size},
                     left);
    for (const Values* array : {&around_rows, &around_values, &around_spare}) {
      for (int64_t i = 0; i < kBeside; ++i) {
        ASSERT_EQ(kUntouched, (*array)[i]);
        ASSERT_EQ(kUntouched, (*array)[kBeside + size + i]);
      }
    }
    const auto begin = around_rows.begin() + kBeside;
    ASSERT_EQ(expected, Values(begin, begin + size));
  }
}

template <typename Make>
Values values_of(int64_t size, Make make) {
  Values values;
  for (int64_t i = 0; i < size; ++i) values.push_back(kd_bits(make(), 0.0f));
  return values;
}

// How values may lie: evenly, in a heap, over all magnitudes, in lumps, on few numbers, at the ends
// of the type.
std::vector<Values> value_sets(int64_t size) {
  std::mt19937 random(static_cast<unsigned>(size));
  std::uniform_real_distribution<float> uniform(0, 1);
  std::normal_distribution<float> normal;
  const auto random_of = [&](const std::vector<float>& numbers) {
    return values_of(size, [&] { return numbers[random() % numbers.size()]; });
  };
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  return {
      values_of(size, [&] { return uniform(random); }),
      values_of(size, [&] { return normal(random); }),
      values_of(size, [&] { return std::exp(30 * normal(random)); }),
      values_of(size, [&] { return std::floor(6 * uniform(random)) + 1e-4f * normal(random); }),
      values_of(size, [&] { return std::floor(5 * uniform(random)); }),
      values_of(size, [&] { return uniform(random) < 0.9f ? 0.0f : normal(random); }),
      values_of(size, [&] { return 2.5f; }),
      random_of({-kInfinity, -1.0f, 0.0f, -0.0f, 1e-40f, kInfinity}),
      random_of({-std::numeric_limits<float>::max(), std::numeric_limits<float>::max()}),
      values_of(size, [&, next = 0]() mutable { return next++ == 0 ? 1e30f : uniform(random); }),
  };
}

TEST(KdCut, EveryRankOfSmallParts) {
  for (const int64_t size : {2, 3, 15, 16, 17, 33, 64, 100}) {
    SCOPED_TRACE(size);
    for (const Values& values : value_sets(size)) {
      for (int64_t left = 1; left < size; ++left) expect_cut(values, left);
    }
  }
}

TEST(KdCut, LargeParts) {
  for (const int64_t size : {1024, 1025, 5000, 70001}) {
    SCOPED_TRACE(size);
    for (const Values& values : value_sets(size)) {
      for (const int64_t left : {int64_t{1}, size / 32, size / 2, size - 1}) {
        expect_cut(values, left);
      }
    }
  }
}

// All magnitudes, the largest at regular places: lines and samples hardly help.
TEST(KdCut, LargestValuesAtRegularPlaces) {
  constexpr int64_t kSize = 4096;
  Values values(kSize);
  for (int64_t i = 0; i < kSize; ++i) {
    const bool largest = i % (kSize / 16) == kSize / 32;
    values[i] = kd_bits(std::ldexp(1.0f, static_cast<int>(largest ? 120 : i % 50)), 0.0f);
  }
  for (const int64_t left : {1, 100, 2048, 4000}) expect_cut(values, left);
}

TEST(KdPartition, DoesNotDependOnTheInstructionSet) {
  constexpr int64_t kSize = 5000, kDim = 3;
  for (const std::string& name : cloud_names()) {
    SCOPED_TRACE(name);
    const std::vector<float> points = make_cloud<float>(name, kSize, kDim);
    Values first;
    for (const SimdLevel level : simd_levels()) {
      Values order(kSize);
      const int64_t size =
          list_rows<float>(points.data(), nullptr, 0, kSize, kDim, Executor(), order.data());
      order.resize(size);
      kd_partition(points.data(), kDim, order.data(), size, kBucketSize, two_threads(), level);
      if (first.empty()) first = order;
      EXPECT_EQ(first, order) << simd_level_name(level);
    }
  }
}

}  // namespace
}  // namespace hitgraph::testing
