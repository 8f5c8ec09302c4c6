// The kernels of the CUDA search, run on the host, return the rows of the CPU search, bit for bit.
#include <gtest/gtest.h>

#include "clouds.h"
#include "host_knn.h"

namespace hitgraph::testing {
namespace {

constexpr int64_t kPoints = 300;
const std::vector<int64_t> kDims{1, 2, 3, 4, 5, 8, 16, 64};
const std::vector<int64_t> kNeighbours{1, 7, 32, 40, 64, 100, 257};

template <typename T>
void expect_the_cpu_rows(const KnnCase<T>& knn, const std::vector<int64_t>& ks,
                         int64_t shared_bytes = HostDevice::kAmpere) {
  for (const int64_t k : ks) {
    SCOPED_TRACE(::testing::Message() << "k = " << k);
    HostRun run;
    run.seed = static_cast<uint64_t>(k * 100 + knn.dim);
    run.shared_bytes = shared_bytes;
    expect_rows(knn.search(k, best_simd_level()), search_on_host_cuda(knn, k, run), k);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

class KnnCuda : public ::testing::TestWithParam<std::string> {
 protected:
  template <typename T, typename Change>
  static void check(const std::vector<int64_t>& dims, const std::vector<int64_t>& ks,
                    const Change& change) {
    for (const int64_t dim : dims) {
      SCOPED_TRACE(::testing::Message() << "dim = " << dim);
      KnnCase<T> knn(make_cloud<T>(GetParam(), kPoints, dim), dim);
      change(knn);
      expect_the_cpu_rows(knn, ks);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
};

TEST_P(KnnCuda, EveryDimensionAndK) {
  check<float>(kDims, kNeighbours, [](auto&) {});
}

TEST_P(KnnCuda, Double) {
  check<double>({1, 3, 8, 16}, {1, 40, 100}, [](auto&) {});
}

TEST_P(KnnCuda, IncludesSelf) {
  const auto include = [](auto& knn) { knn.include_self = true; };
  check<float>({2, 4, 16}, {1, 16}, include);
  check<double>({2}, {16}, include);
}

TEST_P(KnnCuda, Segments) {
  const auto cut = [](auto& knn) {
    knn.row_splits = {0, 0, 0, 1, 33, 33, 33, 250, 252, kPoints, kPoints};
  };
  check<float>({1, 3, 5, 16}, {1, 16, 60}, cut);
  check<double>({3}, {16}, cut);
}

TEST_P(KnnCuda, Masks) {
  for (const int which : {1, 2, 3}) {
    check<float>({2, 5}, {1, 16, 180}, [&](auto& knn) {
      knn.row_splits = {0, 100, kPoints};
      if (which & 1) knn.point_mask = Mask::where(kPoints, [](int64_t i) { return i % 3 != 0; });
      if (which & 2) knn.query_mask = Mask::where(kPoints, [](int64_t i) { return i % 4 != 1; });
    });
  }
}

TEST_P(KnnCuda, NobodyMayBeFoundOrAsk) {
  for (const bool points : {true, false}) {
    check<float>({3}, {5}, [&](auto& knn) {
      (points ? knn.point_mask : knn.query_mask) =
          Mask::where(kPoints, [](int64_t) { return false; });
    });
  }
}

TEST_P(KnnCuda, Bipartite) {
  const auto ask = [](auto& knn) {
    using T = typename std::decay_t<decltype(knn.points)>::value_type;
    knn.row_splits = {0, 150, 150, 160, kPoints};
    knn.queries = make_cloud<T>("uniform", 200, knn.dim, 7);
    // Some queries are points, so that zero distances and ties occur.
    std::copy_n(knn.points.begin(), 100 * knn.dim, knn.queries.begin());
    knn.query_row_splits = {0, 90, 110, 110, 200};
  };
  check<float>({1, 3, 8, 16}, {1, 16, 170}, ask);
  check<double>({4}, {16}, ask);
}

TEST_P(KnnCuda, MaxRadius) {
  // Bounds that are distances of the set: the bound is inclusive, bit for bit.
  for (const int64_t rank : {0, 10, 150}) {
    check<float>({2, 8}, {1, 16, 64}, [&](auto& knn) {
      auto distances = knn.brute_force(kPoints).distance2;
      std::sort(distances.begin(), distances.end());
      knn.max_distance2 =
          std::min(distances[static_cast<std::size_t>(rank * kPoints)], knn.max_distance2);
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Clouds, KnnCuda, ::testing::ValuesIn(cloud_names()),
                         [](const auto& info) { return info.param; });

// More than one pass: pools have room for 1024.
TEST(KnnCudaSizes, MoreNeighboursThanAPoolHolds) {
  for (const char* name : {"clusters", "lattice"}) {
    KnnCase<float> knn(make_cloud<float>(name, 1200, 3), 3);
    knn.query_mask = Mask::where(1200, [](int64_t i) { return i % 4 == 0; });
    expect_the_cpu_rows(knn, {1100});
  }
  KnnCase<float> large(make_cloud<float>("lattice", 5200, 2), 2);
  large.query_mask = Mask::where(5200, [](int64_t i) { return i % 700 == 0; });
  expect_the_cpu_rows(large, {5000});
  KnnCase<double> small(make_cloud<double>("lattice", 40, 3), 3);
  expect_the_cpu_rows(small, {1100, 5000});
}

// The whole matrix ran with an A100's shared memory, which says how many queries share a warp.
TEST(KnnCudaSizes, EveryGroupSize) {
  for (const int64_t kilobytes : {16, 32, 64, 96, 164, 228, 1000}) {
    SCOPED_TRACE(kilobytes);
    KnnCase<float> knn(make_cloud<float>("clusters", kPoints, 3), 3);
    expect_the_cpu_rows(knn, {16, 40}, kilobytes * 1024);
  }
}

TEST(KnnCudaSizes, SmallCloudsOfEverySize) {
  for (int64_t n = 0; n <= 70; ++n) {
    SCOPED_TRACE(n);
    KnnCase<float> knn(make_cloud<float>("lattice", n, 3), 3);
    expect_the_cpu_rows(knn, {1, 33});
  }
}

TEST(KnnCudaSizes, ThousandsOfTinySegmentsAndALargeOne) {
  constexpr int64_t kLarge = 2600;
  KnnCase<float> knn(make_cloud<float>("clusters", 2000 * 3 + kLarge, 3), 3);
  knn.row_splits = {0};
  for (int64_t s = 0; s < 1000; ++s) knn.row_splits.push_back(knn.row_splits.back() + s % 5);
  knn.row_splits.push_back(knn.row_splits.back() + kLarge);
  while (knn.row_splits.back() < 2000 * 3 + kLarge) {
    knn.row_splits.push_back(std::min<int64_t>(knn.row_splits.back() + 5, 2000 * 3 + kLarge));
  }
  expect_the_cpu_rows(knn, {6});
}

// Rounds of splitting: one, and two.
TEST(KnnCudaSizes, ManyPoints) {
  for (const char* name : {"uniform", "clusters", "lattice", "line_and_outlier"}) {
    SCOPED_TRACE(name);
    KnnCase<float> knn(make_cloud<float>(name, 20000, 3), 3);
    expect_the_cpu_rows(knn, {16});
  }
  for (const char* name : {"half_equal", "clusters"}) {
    SCOPED_TRACE(name);
    KnnCase<float> knn(make_cloud<float>(name, 70000, 2), 2);
    knn.query_mask = Mask::where(70000, [](int64_t i) { return i % 50 == 0; });
    expect_the_cpu_rows(knn, {5});
  }
}

TEST(KnnCudaSizes, AllIdenticalCostsLittle) {
  KnnCase<float> knn(make_cloud<float>("identical", 5000, 3), 3);
  KnnCounters work;
  HostRun run;
  run.counters = &work;
  expect_rows(knn.search(16, best_simd_level()), search_on_host_cuda(knn, 16, run), 16);
  EXPECT_LE(work.candidates, 5000 * 6 * 32);
}

TEST(KnnCuda, Index32) {
  KnnCase<float> knn(make_cloud<float>("clusters", kPoints, 3), 3);
  expect_rows(knn.search<int32_t>(16, best_simd_level()),
              search_on_host_cuda<float, int32_t>(knn, 16), 16);
}

// Rows are numbered beyond what 32 bits can address.
TEST(KnnCuda, OffsetsBeyond32Bits) {
  constexpr int64_t kAsking = 5, k = 1000;
  KnnCase<float> knn(make_cloud<float>("uniform", 1100, 3), 3);
  knn.include_self = true;
  Rows<float> truth = knn.search(k, best_simd_level());
  truth.index.resize(kAsking * k);
  truth.distance2.resize(kAsking * k);
  expect_rows(truth, search_far_rows(knn, kAsking, k, 3'000'000), k);
}

// Splits that are none must not be followed: every neighbour is missing, nothing else is touched.
TEST(KnnCuda, MalformedRowSplitsFindNobody) {
  const std::vector<std::vector<int64_t>> malformed{
      {0, 200, 100, 300}, {0, 100, 301}, {-1, 100, 300}, {0, int64_t{1} << 40, 300}};
  for (const std::vector<int64_t>& splits : malformed) {
    KnnCase<float> knn(make_cloud<float>("uniform", kPoints, 3), 3);
    HostDevice device;
    KnnInput<float> input = device_input(device, knn, 4);
    input.points.row_splits = device.array<int64_t>("row_splits", splits);
    input.points.segments = static_cast<int64_t>(splits.size()) - 1;
    input.queries = input.points;
    host_cuda::Buffer<int64_t> index("index", kPoints * 4);
    host_cuda::Buffer<float> distance2("distance2", kPoints * 4);
    input.found = neighbours<float>(index.view(), distance2.view());
    launch_knn(device, input);
    for (const int64_t value : index.values()) ASSERT_EQ(value, -1);
    for (const float value : distance2.values()) ASSERT_EQ(value, infinity<float>());
  }
}

TEST(KnnCuda, NoSegmentsAtAll) {
  for (const int64_t rows : {0, 5}) {
    HostDevice device;
    KnnCase<float> knn(make_cloud<float>("uniform", rows, 3), 3);
    KnnInput<float> input = device_input(device, knn, 4);
    // One number, and no sense in it: nothing may be read by it.
    input.points.row_splits = device.array<int64_t>("row_splits", std::vector<int64_t>{1 << 30});
    input.points.segments = 0;
    host_cuda::Buffer<int64_t> index("index", rows * 4);
    host_cuda::Buffer<float> distance2("distance2", rows * 4);
    input.found = neighbours<float>(index.view(), distance2.view());
    launch_knn(device, input);
    EXPECT_EQ(index.values(), std::vector<int64_t>(rows * 4, -1));
    EXPECT_EQ(distance2.values(), std::vector<float>(rows * 4, infinity<float>()));
  }
}

// Rows that no segment owns are answered too.
TEST(KnnCuda, RowsOutsideOfEverySegmentHaveNoNeighbours) {
  KnnCase<float> knn(make_cloud<float>("uniform", kPoints, 3), 3);
  HostDevice device;
  KnnInput<float> input = device_input(device, knn, 4);
  input.points.row_splits = device.array<int64_t>("row_splits", {10, 100, 250});
  input.points.segments = 2;
  host_cuda::Buffer<int64_t> index("index", kPoints * 4);
  host_cuda::Buffer<float> distance2("distance2", kPoints * 4);
  input.found = neighbours<float>(index.view(), distance2.view());
  launch_knn(device, input);
  const std::vector<int64_t> found = index.values();
  for (int64_t row = 0; row < kPoints; ++row) {
    EXPECT_EQ(found[row * 4] < 0, row < 10 || row >= 250) << row;
  }
}

// A launch costs microseconds on a GPU, whatever it does.
TEST(KnnCuda, LaunchesAreBounded) {
  for (const auto& [rows, most] : std::vector<std::pair<int64_t, int>>{{300, 6}, {3000, 12}}) {
    HostDevice device;
    KnnCase<float> knn(make_cloud<float>("uniform", rows, 3), 3);
    KnnInput<float> input = device_input(device, knn, 4);
    host_cuda::Buffer<int64_t> index("index", rows * 4);
    host_cuda::Buffer<float> distance2("distance2", rows * 4);
    input.found = neighbours<float>(index.view(), distance2.view());
    launch_knn(device, input);
    EXPECT_LE(device.launches(), most);
  }
}

}  // namespace
}  // namespace hitgraph::testing
