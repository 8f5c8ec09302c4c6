// The radius search returns the oracle's rows, bit for bit, on every SIMD level.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "clouds.h"
#include "knn_case.h"
#include "radius_case.h"

namespace hitgraph::testing {
namespace {

const std::vector<int64_t> kDims{1, 2, 3, 4, 5, 8, 16};
constexpr int64_t kPoints = 301;
constexpr int64_t kEverybody = std::numeric_limits<int64_t>::max();

class RadiusExact : public ::testing::TestWithParam<std::string> {
 protected:
  // For radii that hold about 3, 30 and all of a cloud's points, and no radius at all; bounds that
  // are distances of the set, since the bound is inclusive.
  template <typename T, typename Change>
  static void check(const Change& change, const std::vector<int64_t>& caps = {kEverybody}) {
    for (const int64_t dim : kDims) {
      SCOPED_TRACE(::testing::Message() << "dim = " << dim);
      KnnCase<T> search(make_cloud<T>(GetParam(), kPoints, dim), dim);
      change(search);
      std::vector<T> distances = search.brute_force(kPoints).distance2;
      std::sort(distances.begin(), distances.end());
      const int64_t queries = search.query_count();
      for (const int64_t held : {int64_t{3}, int64_t{30}, kPoints}) {
        search.max_distance2 = std::min(distances[static_cast<std::size_t>(held * queries - 1)],
                                        std::numeric_limits<T>::max());
        for (const int64_t cap : caps) expect_exact_radius(search, cap);
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  }
};

TEST_P(RadiusExact, EveryRadius) {
  check<float>([](auto&) {});
  check<double>([](auto&) {});
}

TEST_P(RadiusExact, OnlyTheNearest) {
  check<float>([](auto&) {}, {0, 1, 7, kPoints});
}

TEST_P(RadiusExact, IncludesSelf) {
  check<float>([](auto& search) { search.include_self = true; });
}

TEST_P(RadiusExact, Segments) {
  // Empty ones first, last and in a row; one of one point, one of a bucket, one that is not.
  const auto cut = [](auto& search) {
    search.row_splits = {0, 0, 0, 1, 33, 33, 33, 250, 252, kPoints, kPoints};
  };
  check<float>(cut);
  check<double>(cut);
}

TEST_P(RadiusExact, Masks) {
  for (const int which : {1, 2, 3}) {
    check<float>([&](auto& search) {
      search.row_splits = {0, 100, kPoints};
      if (which & 1) search.point_mask = Mask::where(kPoints, [](int64_t i) { return i % 3 != 0; });
      if (which & 2) search.query_mask = Mask::where(kPoints, [](int64_t i) { return i % 4 != 1; });
    });
  }
}

TEST_P(RadiusExact, Bipartite) {
  check<float>([](auto& search) {
    search.row_splits = {0, 150, 150, 160, kPoints};
    search.queries = make_cloud<float>("uniform", 200, search.dim, 7);
    // Some queries are points, so that zero distances and ties occur.
    std::copy_n(search.points.begin(), 100 * search.dim, search.queries.begin());
    search.query_row_splits = {0, 80, 120, 120, 200};
  });
}

INSTANTIATE_TEST_SUITE_P(Clouds, RadiusExact, ::testing::ValuesIn(cloud_names()),
                         [](const auto& info) { return info.param; });

TEST(Radius, NothingIsWithinANegativeRadius) {
  KnnCase<float> search(make_cloud<float>("identical", 100, 3), 3);
  search.max_distance2 = std::nextafter(0.0F, -1.0F);
  EXPECT_TRUE(find_within(search, best_simd_level()).index.empty());
  search.max_distance2 = 0;
  EXPECT_EQ(100 * 99, find_within(search, best_simd_level()).index.size());
}

TEST(Radius, Index32) {
  KnnCase<float> search(make_cloud<float>("lattice", kPoints, 3), 3);
  search.max_distance2 = 2;
  const auto narrow = find_within<int32_t>(search, best_simd_level());
  const auto wide = find_within(search, best_simd_level());
  EXPECT_EQ(wide.row_splits, narrow.row_splits);
  EXPECT_TRUE(
      std::equal(wide.index.begin(), wide.index.end(), narrow.index.begin(), narrow.index.end()));
}

TEST(Radius, SmallCloudsOfEverySize) {
  for (int64_t n = 0; n <= 70; ++n) {
    KnnCase<float> search(make_cloud<float>("lattice", n, 3), 3);
    search.max_distance2 = 2;
    expect_exact_radius(search, kEverybody);
  }
}

// Rows that outgrow the threads' chunks of memory, between short ones.
TEST(Radius, LongRows) {
  KnnCase<float> search(make_cloud<float>("collapsed_and_outliers", 6000, 2), 2);
  search.query_mask = Mask::where(6000, [](int64_t i) { return i % 97 == 0 || i > 5900; });
  for (const int64_t cap : {kEverybody, int64_t{10}}) expect_exact_radius(search, cap);
}

// A row longer than any chunk costs copies of its own length, not of its square.
TEST(Radius, OneVeryLongRow) {
  KnnCase<float> search(make_cloud<float>("uniform", 400'000, 2), 2);
  search.query_mask = Mask::where(400'000, [](int64_t i) { return i == 5; });
  const auto found = find_within(search, best_simd_level());
  ASSERT_EQ(399'999u, found.index.size());
  EXPECT_TRUE(std::is_sorted(found.distance2.begin(), found.distance2.end()));
}

TEST(Radius, OneHugeAndThousandsOfTinySegments) {
  std::mt19937_64 random(3);
  std::vector<int64_t> row_splits{0, 3000};
  for (int i = 0; i < 3000; ++i) {
    row_splits.push_back(row_splits.back() + static_cast<int64_t>(random() % 4));
  }
  KnnCase<float> search(make_cloud<float>("uniform", row_splits.back(), 4), 4);
  search.row_splits = row_splits;
  search.max_distance2 = 0.05F;
  expect_exact_radius(search, kEverybody);
}

TEST(Radius, NoSegments) {
  KnnCase<float> search({}, 3);
  search.row_splits = {0};
  expect_exact_radius(search, kEverybody);
}

}  // namespace
}  // namespace hitgraph::testing
