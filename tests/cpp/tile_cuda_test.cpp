// The kernels of the search in many dimensions, run on the host, return the rows of the CPU search,
// bit for bit: with boxes, and comparing all pairs.
#include <gtest/gtest.h>

#include "clouds.h"
#include "host_knn.h"

namespace hitgraph::testing {
namespace {

constexpr int64_t kPoints = 200;

template <typename T, typename Index = int64_t>
void expect_the_cpu_rows(const KnnCase<T>& knn, const std::vector<int64_t>& ks,
                         const std::vector<bool>& ways = {false, true}) {
  for (const int64_t k : ks) {
    const auto truth = knn.template search<Index>(k, best_simd_level());
    for (const bool boxes : ways) {
      SCOPED_TRACE(::testing::Message()
                   << "dim = " << knn.dim << ", k = " << k << (boxes ? ", boxes" : ", every pair"));
      HostRun run;
      run.seed = static_cast<uint64_t>(k * 100 + knn.dim);
      run.boxes = boxes;
      expect_rows(truth, search_on_host_cuda<T, Index>(knn, k, run), k);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

class TileCuda : public ::testing::TestWithParam<std::string> {
 protected:
  template <typename T>
  static KnnCase<T> cloud(int64_t dim, int64_t points = kPoints) {
    return KnnCase<T>(make_cloud<T>(GetParam(), points, dim), dim);
  }
};

TEST_P(TileCuda, EveryDimension) {
  for (const int64_t dim : {16, 17, 33, 64}) expect_the_cpu_rows(cloud<float>(dim), {20});
  for (const int64_t dim : {9, 128}) expect_the_cpu_rows(cloud<float>(dim, 70), {5}, {false});
}

TEST_P(TileCuda, EveryK) { expect_the_cpu_rows(cloud<float>(19), {1, 40, 150}); }

TEST_P(TileCuda, Double) {
  expect_the_cpu_rows(cloud<double>(16), {1, 40});
  expect_the_cpu_rows(cloud<double>(35, 70), {20});
}

TEST_P(TileCuda, SegmentsAndSelf) {
  KnnCase<float> knn = cloud<float>(16);
  knn.row_splits = {0, 0, 0, 1, 33, 33, 33, 150, 152, kPoints, kPoints};
  expect_the_cpu_rows(knn, {1, 16, 60});
  knn.include_self = true;
  expect_the_cpu_rows<float, int32_t>(knn, {16});
}

TEST_P(TileCuda, Masks) {
  for (const int which : {1, 2, 3}) {
    KnnCase<float> knn = cloud<float>(18);
    knn.row_splits = {0, 90, kPoints};
    if (which & 1) knn.point_mask = Mask::where(kPoints, [](int64_t i) { return i % 3 != 0; });
    if (which & 2) knn.query_mask = Mask::where(kPoints, [](int64_t i) { return i % 4 != 1; });
    expect_the_cpu_rows(knn, {16});
  }
}

TEST_P(TileCuda, Bipartite) {
  KnnCase<float> knn = cloud<float>(20);
  knn.row_splits = {0, 90, 90, 100, kPoints};
  knn.queries = make_cloud<float>("uniform", 120, knn.dim, 7);
  // Some queries are points, so that zero distances and ties occur.
  std::copy_n(knn.points.begin(), 60 * knn.dim, knn.queries.begin());
  knn.query_row_splits = {0, 50, 70, 70, 120};
  expect_the_cpu_rows(knn, {1, 16});
}

// Bounds that are distances of the set: the bound is inclusive, bit for bit.
TEST_P(TileCuda, MaxRadius) {
  for (const int64_t rank : {0, 10, 100}) {
    KnnCase<float> knn = cloud<float>(16);
    auto distances = knn.brute_force(kPoints).distance2;
    std::sort(distances.begin(), distances.end());
    knn.max_distance2 =
        std::min(distances[static_cast<std::size_t>(rank * kPoints)], knn.max_distance2);
    expect_the_cpu_rows(knn, {16});
  }
}

INSTANTIATE_TEST_SUITE_P(Clouds, TileCuda, ::testing::ValuesIn(cloud_names()),
                         [](const auto& info) { return info.param; });

// What cancels in expanded forms: tight clusters far from the origin.
TEST(TileCudaSizes, ClustersOfWidthOneThousandth) {
  for (const float far : {10.0f, 1000.0f}) {
    KnnCase<float> knn(make_cloud<float>("uniform", kPoints, 64), 64);
    for (std::size_t i = 0; i < knn.points.size(); ++i) {
      const float corner = far + static_cast<float>(i / 64 % 3);
      knn.points[i] = corner + 1e-3f * knn.points[i];
    }
    expect_the_cpu_rows(knn, {20});
  }
}

TEST(TileCudaSizes, ManyAxes) {
  for (const int64_t dim : {200, 512}) {
    for (const char* name : {"uniform", "lattice"}) {
      KnnCase<float> knn(make_cloud<float>(name, 40, dim), dim);
      expect_the_cpu_rows(knn, {9});
    }
  }
}

TEST(TileCudaSizes, SmallCloudsOfEverySize) {
  for (int64_t n = 0; n <= 70; n += n < 34 ? 1 : 5) {
    KnnCase<float> knn(make_cloud<float>("lattice", n, 16), 16);
    expect_the_cpu_rows(knn, {1, 33});
  }
}

// Blocks of four warps, of two, of one, and what no block holds.
TEST(TileCudaSizes, EveryBlock) {
  KnnCase<float> knn(make_cloud<float>("clusters", 600, 16), 16);
  knn.query_mask = Mask::where(600, [](int64_t i) { return i % 9 == 0; });
  for (const auto& [k, warps] : {std::pair{40, 4}, {100, 2}, {300, 1}, {600, 0}, {1100, 0}}) {
    EXPECT_EQ(warps, tile_sizes(k, 16, 0, 4).layout.warps) << k;
    expect_the_cpu_rows(knn, {k});
  }
}

// A surface of few dimensions: boxes are left out, and sums that are beyond all limits.
TEST(TileCudaSizes, WhatIsFarIsLeftOut) {
  constexpr int64_t kMany = 1500, kDim = 48;
  const std::vector<float> plane = make_cloud<float>("uniform", kMany, 2);
  std::vector<float> points;
  for (int64_t i = 0; i < kMany; ++i) {
    for (int64_t axis = 0; axis < kDim; ++axis) {
      const float angle = static_cast<float>(axis);
      points.push_back(std::sin(angle + plane[i * 2]) + std::cos(angle * 2 - plane[i * 2 + 1]));
    }
  }
  KnnCase<float> knn(points, kDim);
  knn.query_mask = Mask::where(kMany, [](int64_t i) { return i % 5 == 0; });
  KnnCounters work;
  HostRun run;
  run.boxes = true;
  run.counters = &work;
  expect_rows(knn.search(16, best_simd_level()), search_on_host_cuda(knn, 16, run), 16);
  EXPECT_EQ(kMany / 5, work.queries);
  EXPECT_LE(work.candidates, kMany / 5 * kMany * 2 / 3);
}

TEST(TileCudaSizes, LaunchesAreFew) {
  HostDevice device;
  KnnCase<float> knn(make_cloud<float>("uniform", 300, 16), 16);
  knn.row_splits = {0, 100, 300};
  KnnInput<float> input = device_input(device, knn, 4);
  host_cuda::Buffer<int64_t> index("index", 300 * 4);
  host_cuda::Buffer<float> distance2("distance2", 300 * 4);
  input.found = neighbours<float>(index.view(), distance2.view());
  launch_knn(device, input);
  EXPECT_LE(device.launches(), 6);
}

// Splits that are none must not be followed.
TEST(TileCudaSizes, MalformedRowSplitsFindNobody) {
  for (const std::vector<int64_t>& splits :
       {std::vector<int64_t>{0, 200, 100, 300}, {0, 100, 301}, {-1, 100, 300}}) {
    KnnCase<float> knn(make_cloud<float>("uniform", 300, 16), 16);
    HostDevice device;
    KnnInput<float> input = device_input(device, knn, 4);
    input.points.row_splits = device.array<int64_t>("row_splits", splits);
    input.points.segments = static_cast<int64_t>(splits.size()) - 1;
    input.queries = input.points;
    host_cuda::Buffer<int64_t> index("index", 300 * 4);
    host_cuda::Buffer<float> distance2("distance2", 300 * 4);
    input.found = neighbours<float>(index.view(), distance2.view());
    launch_knn(device, input);
    for (const int64_t value : index.values()) ASSERT_EQ(value, -1);
  }
}

}  // namespace
}  // namespace hitgraph::testing
