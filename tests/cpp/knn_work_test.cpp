// What the search costs, in units that no machine changes: candidates, and bytes.
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "clouds.h"
#include "core/cpu/bucket_tree.h"
#include "knn_case.h"
#include "simd_levels.h"

// This program's allocations, counted.
namespace {
std::atomic<int64_t> bytes_now{0};
std::atomic<int64_t> bytes_peak{0};

void* count_allocation(void* memory) {
  if (memory == nullptr) std::abort();
  const int64_t now = bytes_now += static_cast<int64_t>(malloc_usable_size(memory));
  int64_t peak = bytes_peak;
  while (now > peak && !bytes_peak.compare_exchange_weak(peak, now)) {
  }
  return memory;
}
void count_release(void* memory) {
  if (memory != nullptr) bytes_now -= static_cast<int64_t>(malloc_usable_size(memory));
  std::free(memory);
}
}  // namespace

void* operator new(std::size_t size) { return count_allocation(std::malloc(size)); }
void* operator new(std::size_t size, std::align_val_t align) {
  const auto to = static_cast<std::size_t>(align);
  return count_allocation(std::aligned_alloc(to, (size + to - 1) / to * to));
}
void operator delete(void* memory) noexcept { count_release(memory); }
void operator delete(void* memory, std::size_t) noexcept { count_release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { count_release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  count_release(memory);
}

namespace hitgraph::testing {
namespace {

std::vector<int64_t> numbers(const KnnCounters& c) {
  return {c.queries, c.candidates, c.buckets, c.nodes, c.accepted, c.selections, c.restarts};
}

TEST(KnnWork, DoesNotDependOnThreadsOrSimdLevel) {
  for (const std::string& name : cloud_names()) {
    SCOPED_TRACE(name);
    KnnCase<float> knn(make_cloud<float>(name, 5000, 3), 3);
    KnnCounters portable;
    knn.search(16, SimdLevel::kPortable, Executor(), &portable);
    for (const SimdLevel level : simd_levels()) {
      KnnCounters counters;
      knn.search(16, level, two_threads(), &counters);
      EXPECT_EQ(numbers(portable), numbers(counters)) << simd_level_name(level);
    }
  }
}

TEST(KnnWork, CountsWhatIsThere) {
  KnnCase<float> knn(make_cloud<float>("uniform", 32, 3), 3);
  KnnCounters counters;
  knn.search(40, best_simd_level(), Executor(), &counters);
  EXPECT_EQ(32, counters.queries);
  EXPECT_EQ(32 * 32, counters.candidates);  // one bucket, nothing to skip; self is looked at
  EXPECT_EQ(32, counters.buckets);
  EXPECT_EQ(0, counters.nodes);  // of one bucket
  EXPECT_EQ(32 * 31, counters.accepted);
  EXPECT_EQ(0, counters.selections);
  EXPECT_EQ(0, counters.restarts);
}

// Clouds on which a uniform grid looks at nearly every point.
TEST(KnnWork, StaysSmallOnHardClouds) {
  constexpr int64_t kPoints = 50000;
  for (const std::string& name : cloud_names()) {
    KnnCase<float> knn(make_cloud<float>(name, kPoints, 3), 3);
    KnnCounters counters;
    knn.search(40, best_simd_level(), two_threads(), &counters);
    EXPECT_LT(counters.candidates, 1000 * counters.queries) << name;
  }
}

// Beyond input and output: three times the points and 64 MB, here with k so small and n so large
// that the constant does not hide a fourth copy.
TEST(KnnMemory, StaysWithinThreeTimesThePoints) {
  constexpr int64_t kPoints = 20'000'000, kConstant = 64 << 20;
  KnnCase<float> knn(make_cloud<float>("uniform", kPoints, 1), 1);
  const int64_t input = kPoints * static_cast<int64_t>(sizeof(float));
  BucketTree<float> tree;
  const int64_t before = bytes_now;
  bytes_peak = before;
  build_bucket_tree<float>(knn.points.data(), nullptr, kPoints, 1, kBucketSize, two_threads(),
                           tree);
  EXPECT_LT(bytes_peak - before, 3 * input + kConstant);
  EXPECT_GT(bytes_peak - before, 2 * input);  // else nothing was measured
}

TEST(KnnMemory, HoldsForTheWholeSearch) {
  constexpr int64_t kPoints = 300000;
  for (const bool masked : {false, true}) {
    KnnCase<float> knn(make_cloud<float>("uniform", kPoints, 3), 3);
    if (masked) knn.query_mask = Mask::where(kPoints, [](int64_t i) { return i % 2 == 0; });
    auto found = knn.rows<int32_t>(8);
    const int64_t before = bytes_now;
    bytes_peak = before;
    knn_cpu<float, int32_t>(knn.problem(8), {found.index.data(), found.distance2.data()},
                            two_threads());
    const int64_t input = kPoints * 3 * static_cast<int64_t>(sizeof(float));
    EXPECT_LT(bytes_peak - before, 3 * input + (1 << 20)) << masked;
  }
}

}  // namespace
}  // namespace hitgraph::testing
