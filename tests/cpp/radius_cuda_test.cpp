// The kernels of the radius search, run on the host, return the rows of every pair compared, bit
// for bit.
#include <gtest/gtest.h>

#include "clouds.h"
#include "host_radius.h"

namespace hitgraph::testing {
namespace {

constexpr int64_t kPoints = 160;

template <typename T, typename Index = int64_t>
void expect_the_pairs(const KnnCase<T>& c, int64_t max_neighbors = kEveryNeighbour,
                      int64_t enough_groups = 8192) {
  SCOPED_TRACE(::testing::Message()
               << "max_distance2 = " << c.max_distance2 << ", max_neighbors = " << max_neighbors);
  RadiusRun run;
  run.seed = static_cast<uint64_t>(c.dim * 100 + max_neighbors % 97);
  run.enough_groups = enough_groups;
  const Edges<T, Index> truth = every_pair_within<T, Index>(c, max_neighbors);
  ASSERT_EQ("", first_difference(truth, radius_on_host_cuda<T, Index>(c, max_neighbors, run)));
}

// Bounds that are distances of the set: nobody's, some 12 neighbours, half of all pairs; inclusive,
// bit for bit.
template <typename T>
void expect_the_pairs_at_every_radius(KnnCase<T>& c, const std::vector<int64_t>& most) {
  for (const int64_t rank : {int64_t{0}, int64_t{12}, c.query_count() / 2}) {
    c.max_distance2 = distance2_of_rank(c, rank);
    for (const int64_t max_neighbors : most) {
      expect_the_pairs(c, max_neighbors);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

class RadiusCuda : public ::testing::TestWithParam<std::string> {
 protected:
  template <typename T, typename Change>
  static void check(const std::vector<int64_t>& dims, const std::vector<int64_t>& most,
                    const Change& change) {
    for (const int64_t dim : dims) {
      SCOPED_TRACE(::testing::Message() << "dim = " << dim);
      KnnCase<T> c(make_cloud<T>(GetParam(), kPoints, dim), dim);
      change(c);
      expect_the_pairs_at_every_radius(c, most);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
};

TEST_P(RadiusCuda, EveryDimension) {
  check<float>({1, 2, 3, 4, 5, 6, 7, 8, 12}, {kEveryNeighbour}, [](auto&) {});
}

TEST_P(RadiusCuda, Double) {
  check<double>({1, 2, 3, 4, 5, 6, 7, 8, 12}, {kEveryNeighbour}, [](auto&) {});
}

TEST_P(RadiusCuda, AtMostSoMany) {
  check<float>({2, 3, 12}, {0, 1, 5, 40, 120}, [](auto&) {});
  check<double>({3}, {5}, [](auto&) {});
}

TEST_P(RadiusCuda, IncludesSelf) {
  check<float>({3, 12}, {kEveryNeighbour, 1, 7}, [](auto& c) { c.include_self = true; });
}

TEST_P(RadiusCuda, Segments) {
  check<float>({1, 4}, {kEveryNeighbour, 9}, [](auto& c) {
    c.row_splits = {0, 0, 0, 1, 33, 33, 33, 150, 152, kPoints, kPoints};
  });
}

TEST_P(RadiusCuda, Masks) {
  for (const int which : {1, 2, 3}) {
    check<float>({3}, {kEveryNeighbour, 9}, [&](auto& c) {
      c.row_splits = {0, 100, kPoints};
      if (which & 1) c.point_mask = Mask::where(kPoints, [](int64_t i) { return i % 3 != 0; });
      if (which & 2) c.query_mask = Mask::where(kPoints, [](int64_t i) { return i % 4 != 1; });
    });
  }
}

TEST_P(RadiusCuda, Bipartite) {
  const auto ask = [](auto& c) {
    using T = typename std::decay_t<decltype(c.points)>::value_type;
    c.row_splits = {0, 110, 110, 120, kPoints};
    c.queries = make_cloud<T>("uniform", 200, c.dim, 7);
    // Some queries are points, so that zero distances and ties occur.
    std::copy_n(c.points.begin(), 100 * c.dim, c.queries.begin());
    c.query_row_splits = {0, 90, 110, 110, 200};
  };
  check<float>({3, 8}, {kEveryNeighbour, 11}, ask);
  check<double>({2}, {kEveryNeighbour}, ask);
}

TEST_P(RadiusCuda, RadiiAtTheEnds) {
  for (const int64_t dim : {1, 3}) {
    KnnCase<float> c(make_cloud<float>(GetParam(), kPoints, dim), dim);
    for (const float bound : {0.0f, -0.0f, -1.0f, std::numeric_limits<float>::denorm_min(),
                              std::numeric_limits<float>::max()}) {
      c.max_distance2 = bound;
      for (const int64_t most : {kEveryNeighbour, kPoints, int64_t{64}}) expect_the_pairs(c, most);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Clouds, RadiusCuda, ::testing::ValuesIn(cloud_names()),
                         [](const auto& info) { return info.param; });

TEST(RadiusCudaSizes, Index32) {
  for (const int64_t most : {kEveryNeighbour, int64_t{6}}) {
    KnnCase<float> c(make_cloud<float>("clusters", kPoints, 3), 3);
    c.max_distance2 = distance2_of_rank(c, 20);
    expect_the_pairs<float, int32_t>(c, most);
    KnnCase<double> d(make_cloud<double>("lattice", kPoints, 3), 3);
    d.max_distance2 = distance2_of_rank(d, 20);
    expect_the_pairs<double, int32_t>(d, most);
  }
}

// Groups of 8 wherever few points ask: here as many as a bucket has.
TEST(RadiusCudaSizes, EveryGroupSize) {
  for (const int64_t enough : {1, 10, 10000}) {
    for (const int64_t dim : {3, 12, 500}) {  // at 500 less than the smallest fits
      SCOPED_TRACE(::testing::Message() << enough << " groups, dim = " << dim);
      KnnCase<float> c(make_cloud<float>("clusters", kPoints, dim), dim);
      c.max_distance2 = distance2_of_rank(c, 10);
      expect_the_pairs(c, kEveryNeighbour, enough);
    }
  }
  EXPECT_EQ(radius_group(kPoints, 1, 3, 4), 32);
  EXPECT_EQ(radius_group(kPoints, 10, 3, 4), 16);
  EXPECT_EQ(radius_group(kPoints, 10000, 3, 4), 8);
  EXPECT_LT(radius_group(kPoints, 1, 500, 4), 8);
  EXPECT_EQ(radius_group(kPoints, 1, 5000, 8), 1);
}

TEST(RadiusCudaSizes, SmallCloudsOfEverySize) {
  for (int64_t n = 0; n <= 70; ++n) {
    SCOPED_TRACE(n);
    KnnCase<float> c(make_cloud<float>("lattice", n, 3), 3);
    c.max_distance2 = 2;
    for (const int64_t most : {kEveryNeighbour, int64_t{0}, int64_t{1}, int64_t{5}}) {
      expect_the_pairs(c, most);
    }
  }
}

TEST(RadiusCudaSizes, NobodyAsksOrNobodyIsThere) {
  KnnCase<float> nobody_asks(make_cloud<float>("uniform", 50, 3), 3);
  nobody_asks.query_row_splits = {0, 0};
  expect_the_pairs(nobody_asks);
  KnnCase<float> nobody_there({}, 3);
  nobody_there.queries = make_cloud<float>("uniform", 50, 3);
  nobody_there.query_row_splits = {0, 50};
  expect_the_pairs(nobody_there);
  expect_the_pairs(nobody_there, 4);
  for (const bool points : {true, false}) {
    KnnCase<float> c(make_cloud<float>("uniform", 50, 3), 3);
    (points ? c.point_mask : c.query_mask) = Mask::where(50, [](int64_t) { return false; });
    expect_the_pairs(c, 4);
  }
}

TEST(RadiusCudaSizes, ThousandsOfTinySegmentsAndALargeOne) {
  constexpr int64_t kLarge = 2600;
  KnnCase<float> c(make_cloud<float>("clusters", 2000 * 3 + kLarge, 3), 3);
  c.row_splits = {0};
  for (int64_t s = 0; s < 1000; ++s) c.row_splits.push_back(c.row_splits.back() + s % 5);
  c.row_splits.push_back(c.row_splits.back() + kLarge);
  while (c.row_splits.back() < 2000 * 3 + kLarge) {
    c.row_splits.push_back(std::min<int64_t>(c.row_splits.back() + 5, 2000 * 3 + kLarge));
  }
  c.max_distance2 = 0.01f;
  expect_the_pairs(c);
  expect_the_pairs(c, 20);
}

// Rows that are sorted in one piece, merged once, twice and three times, beside short and empty
// ones: what one merge ends in is not what two do.
TEST(RadiusCudaSizes, LongRows) {
  for (const int64_t n : {1020, 1024, 1030, 2048, 2100, 4200}) {
    SCOPED_TRACE(n);
    for (const char* name : {"uniform", "lattice"}) {
      KnnCase<float> c(make_cloud<float>(name, n, 2), 2);
      c.include_self = true;
      c.query_mask = Mask::where(n, [&](int64_t i) { return i % (n / 3) == 1; });
      expect_the_pairs(c);
      c.max_distance2 = 0.3f;
      c.query_mask = Mask::where(n, [&](int64_t i) { return i % (n / 40) == 1; });
      expect_the_pairs(c);
    }
  }
  KnnCase<double> c(make_cloud<double>("identical", 2500, 3), 3);
  c.query_mask = Mask::where(2500, [](int64_t i) { return i % 900 == 0; });
  expect_the_pairs<double, int32_t>(c);
}

// Some rows are cut and others are not; pools have room for 1024.
TEST(RadiusCudaSizes, LongRowsCut) {
  KnnCase<float> c(make_cloud<float>("clusters", 3000, 3), 3);
  c.query_mask = Mask::where(3000, [](int64_t i) { return i % 60 < 7; });
  c.max_distance2 = distance2_of_rank(c, 50);  // of 3000 queries: 430 a query that asks
  for (const int64_t most : {100, 1024, 1300, 2000, 2999}) expect_the_pairs(c, most);
}

// Rounds of splitting: one.
TEST(RadiusCudaSizes, ManyPoints) {
  KnnCase<float> c(make_cloud<float>("uniform", 20000, 3), 3);
  c.query_mask = Mask::where(20000, [](int64_t i) { return i % 8 == 0; });
  c.max_distance2 = 0.0055f;  // 30 neighbours or so
  expect_the_pairs(c);
  expect_the_pairs(c, 30);
}

template <typename T>
RadiusInput<T> input_of(HostDevice& device, const KnnCase<T>& c, std::vector<int64_t> splits) {
  RadiusInput<T> input;
  static_cast<SearchInput<T>&>(input) = device_search(device, c);
  input.max_neighbors = kEveryNeighbour;
  input.points.segments = static_cast<int64_t>(splits.size()) - 1;
  input.points.row_splits = device.array<int64_t>("row_splits", splits);
  return input;
}

// Edges are numbered beyond what 32 bits can address.
TEST(RadiusCuda, OffsetsBeyond32Bits) {
  KnnCase<float> c(make_cloud<float>("clusters", kPoints, 3), 3);
  c.max_distance2 = distance2_of_rank(c, 20);
  for (const int64_t most : {kEveryNeighbour, int64_t{9}}) {
    const Edges<float> found = radius_of_far_edges(c, most, 7'000'000'000);
    EXPECT_EQ("", first_difference(every_pair_within(c, most), found));
  }
}

// Splits that are none must not be followed: nothing is found, nothing else is touched.
TEST(RadiusCuda, MalformedRowSplitsFindNobody) {
  const std::vector<std::vector<int64_t>> malformed{
      {0, 150, 100, 160}, {0, 100, 161}, {-1, 100, 160}, {0, int64_t{1} << 40, 160}, {1 << 30}};
  for (const std::vector<int64_t>& splits : malformed) {
    KnnCase<float> c(make_cloud<float>("uniform", kPoints, 3), 3);
    for (const bool own : {true, false}) {
      for (const int64_t most : {kEveryNeighbour, int64_t{4}}) {
        HostDevice device;
        RadiusInput<float> input = input_of(device, c, splits);
        input.own_queries = own;
        if (!own) input.queries = input.points;
        input.max_neighbors = most;
        const Edges<float> found = radius_of_input(device, input);
        EXPECT_EQ(found.row_splits, std::vector<int64_t>(kPoints + 1, 0));
      }
    }
  }
}

TEST(RadiusCuda, RowsOutsideOfEverySegmentHaveNoNeighbours) {
  KnnCase<float> c(make_cloud<float>("uniform", kPoints, 3), 3);
  HostDevice device;
  const Edges<float> found = radius_of_input(device, input_of(device, c, {10, 100, 150}));
  for (int64_t row = 0; row < kPoints; ++row) {
    const int64_t own = row < 10 || row >= 150 ? 0 : row < 100 ? 89 : 49;
    EXPECT_EQ(found.row_splits[row + 1] - found.row_splits[row], own) << row;
  }
}

// A launch costs microseconds on a GPU, whatever it does: the forest's, to count, to write, to
// sort.
TEST(RadiusCuda, LaunchesAreBounded) {
  for (const auto& [rows, most] : std::vector<std::pair<int64_t, int>>{{300, 7}, {3000, 13}}) {
    KnnCase<float> c(make_cloud<float>("uniform", rows, 3), 3);
    c.max_distance2 = 0.01f;
    RadiusRun run;
    int launches = 0;
    run.launches = &launches;
    radius_on_host_cuda(c, kEveryNeighbour, run);
    EXPECT_LE(launches, most);
  }
}

}  // namespace
}  // namespace hitgraph::testing
