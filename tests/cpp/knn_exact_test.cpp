// The search returns the oracle's rows, bit for bit, on every SIMD level.
#include <gtest/gtest.h>

#include <algorithm>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include "clouds.h"
#include "knn_case.h"

namespace hitgraph::testing {
namespace {

const std::vector<int64_t> kDims{1, 2, 3, 4, 5, 8, 16, 64};

class KnnExact : public ::testing::TestWithParam<std::string> {
 protected:
  static constexpr int64_t kPoints = 401;

  template <typename T, typename Change>
  static void check(const std::vector<int64_t>& ks, const Change& change) {
    for (const int64_t dim : kDims) {
      SCOPED_TRACE(::testing::Message() << "dim = " << dim);
      KnnCase<T> knn(make_cloud<T>(GetParam(), kPoints, dim), dim);
      change(knn);
      knn.expect_exact(ks);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
};

TEST_P(KnnExact, EveryKFloat) {
  check<float>({1, 7, 16, 40, 64, 257, kPoints + 3}, [](auto&) {});
}

TEST_P(KnnExact, EveryKDouble) {
  check<double>({1, 7, 16, 40, 64, 257, kPoints + 3}, [](auto&) {});
}

TEST_P(KnnExact, IncludesSelf) {
  const auto include = [](auto& knn) { knn.include_self = true; };
  check<float>({1, 16}, include);
  check<double>({1, 16}, include);
}

TEST_P(KnnExact, Segments) {
  // Empty ones first, last and in a row; one of one point, one of a bucket, one that is not.
  const auto cut = [](auto& knn) {
    knn.row_splits = {0, 0, 0, 1, 33, 33, 33, 350, 352, kPoints, kPoints};
  };
  check<float>({1, 16, 60}, cut);
  check<double>({16}, cut);
}

TEST_P(KnnExact, Masks) {
  for (const int which : {1, 2, 3}) {
    const auto mask = [&](auto& knn) {
      knn.row_splits = {0, 100, kPoints};
      if (which & 1) knn.point_mask = Mask::where(kPoints, [](int64_t i) { return i % 3 != 0; });
      if (which & 2) knn.query_mask = Mask::where(kPoints, [](int64_t i) { return i % 4 != 1; });
    };
    check<float>({1, 16, 290}, mask);
    check<double>({16}, mask);
  }
}

TEST_P(KnnExact, NobodyMayBeFoundOrAsk) {
  for (const bool points : {true, false}) {
    check<float>({5}, [&](auto& knn) {
      (points ? knn.point_mask : knn.query_mask) =
          Mask::where(kPoints, [](int64_t) { return false; });
    });
  }
}

TEST_P(KnnExact, Bipartite) {
  const auto ask = [](auto& knn) {
    using T = typename std::decay_t<decltype(knn.points)>::value_type;
    knn.row_splits = {0, 150, 150, 160, kPoints};
    knn.queries = make_cloud<T>("uniform", 300, knn.dim, 7);
    // Some queries are points, so that zero distances and ties occur.
    std::copy_n(knn.points.begin(), 100 * knn.dim, knn.queries.begin());
    knn.query_row_splits = {0, 120, 140, 140, 300};
  };
  check<float>({1, 16, 270}, ask);
  check<double>({16}, ask);
}

// Bins are coarser the fewer ask.
TEST_P(KnnExact, FewQueries) {
  const std::pair<int64_t, std::vector<int64_t>> asking[] = {{3, {1, 16, 1000}}, {90, {16}}};
  for (const auto& [queries, ks] : asking) {
    KnnCase<float> knn(make_cloud<float>(GetParam(), 9000, 3), 3);
    knn.point_mask = Mask::where(9000, [](int64_t i) { return i % 5 != 0; });
    knn.queries = make_cloud<float>("uniform", queries, 3, 7);
    std::copy_n(knn.points.begin() + 3, 3, knn.queries.begin());
    knn.query_row_splits = {0, queries};
    knn.expect_exact(ks);
  }
}

TEST_P(KnnExact, MaxRadius) {
  // Bounds that are distances of the set: the bound is inclusive, bit for bit.
  for (const int64_t rank : {0, 10, 200}) {
    const auto bound = [&](auto& knn) {
      auto distances = knn.brute_force(kPoints).distance2;
      std::sort(distances.begin(), distances.end());
      const auto limit = distances[static_cast<std::size_t>(rank * kPoints)];
      knn.max_distance2 = std::min(limit, knn.max_distance2);
    };
    check<float>({1, 16, 64}, bound);
    check<double>({16}, bound);
  }
}

TEST_P(KnnExact, Index32) {
  KnnCase<float> knn(make_cloud<float>(GetParam(), kPoints, 3), 3);
  const auto narrow = knn.search<int32_t>(16, best_simd_level());
  const auto wide = knn.search(16, best_simd_level());
  EXPECT_TRUE(std::equal(wide.index.begin(), wide.index.end(), narrow.index.begin()));
  EXPECT_EQ(0, std::memcmp(wide.distance2.data(), narrow.distance2.data(), 16 * kPoints * 4));
}

// Several blocks, nodes and levels; large k; the pool overflows.
TEST_P(KnnExact, ManyPoints) {
  for (const int64_t dim : {2, 5}) {
    KnnCase<float> knn(make_cloud<float>(GetParam(), 9000, dim), dim);
    // The oracle for a part of the rows: the others do not ask.
    knn.query_mask = Mask::where(9000, [](int64_t i) { return i % 61 == 0; });
    const Rows<float> truth = knn.brute_force(1000);
    knn.query_mask = Mask();
    for (const int64_t k : {16, 40, 1000}) {
      const Rows<float> found = knn.search(k, best_simd_level(), two_threads());
      for (int64_t row = 0; row < 9000; row += 61) {
        ASSERT_TRUE(std::equal(truth.index.data() + row * 1000, truth.index.data() + row * 1000 + k,
                               found.index.data() + row * k))
            << "dim " << dim << ", k " << k << ", row " << row;
        ASSERT_EQ(0, std::memcmp(truth.distance2.data() + row * 1000,
                                 found.distance2.data() + row * k, k * sizeof(float)));
      }
    }
  }
}

TEST_P(KnnExact, WithoutDistances) {
  KnnCase<float> knn(make_cloud<float>(GetParam(), kPoints, 3), 3);
  const Rows<float> whole = knn.search(16, best_simd_level());
  Rows<float> found = knn.rows(16);
  knn_cpu(knn.problem(16), KnnResult<float, int64_t>{found.index.data(), nullptr}, two_threads());
  EXPECT_EQ(whole.index, found.index);
}

#if defined(__SSE__)
// As torch.set_flush_denormal(True) leaves the processor: zero distances and small ones stay keys.
TEST_P(KnnExact, SubnormalsTakenForZero) {
  constexpr unsigned kFlush = 0x8040;  // results and operands
  const unsigned before = _mm_getcsr();
  _mm_setcsr(before | kFlush);
  KnnCase<float> knn(make_cloud<float>(GetParam(), kPoints, 3), 3);
  knn.include_self = true;
  knn.expect_exact({1, 7, 16, 40, kPoints});
  _mm_setcsr(before);
}
#endif

INSTANTIATE_TEST_SUITE_P(Clouds, KnnExact, ::testing::ValuesIn(cloud_names()),
                         [](const auto& info) { return info.param; });

TEST(KnnSizes, SmallCloudsOfEverySize) {
  for (int64_t n = 0; n <= 70; ++n) {
    KnnCase<float> knn(make_cloud<float>("lattice", n, 3), 3);
    knn.expect_exact({1, 5, 33});
  }
}

TEST(KnnSizes, OneHugeAndThousandsOfTinySegments) {
  std::mt19937_64 random(3);
  std::vector<int64_t> row_splits{0, 3000};
  for (int i = 0; i < 3000; ++i) {
    row_splits.push_back(row_splits.back() + static_cast<int64_t>(random() % 4));
  }
  KnnCase<float> knn(make_cloud<float>("clusters", row_splits.back(), 4), 4);
  knn.row_splits = row_splits;
  knn.expect_exact({1, 7});
}

TEST(KnnSizes, NoSegments) {
  KnnCase<float> knn({}, 3);
  knn.row_splits = {0};
  knn.expect_exact({4});
}

}  // namespace
}  // namespace hitgraph::testing
