// The tree holds every point once, in full buckets, in tight boxes, under boxes of boxes.
#include "core/cpu/bucket_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <set>

#include "clouds.h"
#include "core/distance.h"
#include "knn_case.h"

namespace hitgraph::testing {
namespace {

template <typename T>
struct Box {
  std::vector<T> low, high;
  int32_t first_index = std::numeric_limits<int32_t>::max();

  explicit Box(int64_t dim)
      : low(dim, std::numeric_limits<T>::infinity()),
        high(dim, -std::numeric_limits<T>::infinity()) {}

  void add(const Box& other) {
    for (std::size_t axis = 0; axis < low.size(); ++axis) {
      low[axis] = std::min(low[axis], other.low[axis]);
      high[axis] = std::max(high[axis], other.high[axis]);
    }
    first_index = std::min(first_index, other.first_index);
  }
};

template <typename T>
Box<T> stored_box(const BucketTree<T>& tree, int level, int64_t child) {
  Box<T> box(tree.dim);
  const T* bounds =
      tree.level[level].node_bounds(child / kNodeWidth, tree.dim) + child % kNodeWidth;
  for (int64_t axis = 0; axis < tree.dim; ++axis) {
    box.low[axis] = bounds[axis * 2 * kNodeWidth];
    box.high[axis] = bounds[axis * 2 * kNodeWidth + kNodeWidth];
  }
  box.first_index = tree.level[level].first_index[child];
  return box;
}

template <typename T>
void expect_equal(const Box<T>& expected, const Box<T>& stored) {
  EXPECT_EQ(expected.low, stored.low);
  EXPECT_EQ(expected.high, stored.high);
  EXPECT_EQ(expected.first_index, stored.first_index);
}

template <typename T>
Box<T> box_of_bucket(const BucketTree<T>& tree, const std::vector<T>& points, int64_t bucket) {
  Box<T> box(tree.dim);
  for (int lane = 0; lane < tree.bucket_count(bucket); ++lane) {
    const int32_t row = tree.index[bucket * kBucketSize + lane];
    Box<T> point(tree.dim);
    point.low.assign(points.begin() + row * tree.dim, points.begin() + (row + 1) * tree.dim);
    point.high = point.low;
    point.first_index = row;
    box.add(point);
  }
  return box;
}

template <typename T>
void expect_sound(const BucketTree<T>& tree, const std::vector<T>& points,
                  const std::set<int32_t>& rows) {
  ASSERT_EQ(static_cast<int64_t>(rows.size()), tree.size);
  std::set<int32_t> held(tree.index.data(), tree.index.data() + tree.size);
  EXPECT_EQ(rows, held);
  std::vector<Box<T>> boxes;
  for (int64_t bucket = 0; bucket < tree.buckets; ++bucket) {
    boxes.push_back(box_of_bucket(tree, points, bucket));
    for (int lane = 0; lane < kBucketSize; ++lane) {
      const int32_t row = tree.index[bucket * kBucketSize + lane];
      const bool real = lane < tree.bucket_count(bucket);
      ASSERT_EQ(real, row >= 0);
      for (int64_t axis = 0; axis < tree.dim; ++axis) {
        const T held_value = tree.bucket_coordinates(bucket)[axis * kBucketSize + lane];
        ASSERT_EQ(real ? points[row * tree.dim + axis] : std::numeric_limits<T>::infinity(),
                  held_value);
      }
    }
  }
  for (int level = 0; level < tree.levels; ++level) {
    const int64_t nodes = tree.level[level].nodes;
    ASSERT_EQ((static_cast<int64_t>(boxes.size()) + kNodeWidth - 1) / kNodeWidth, nodes);
    std::vector<Box<T>> above(nodes, Box<T>(tree.dim));
    for (int64_t child = 0; child < nodes * kNodeWidth; ++child) {
      const bool real = child < static_cast<int64_t>(boxes.size());
      const Box<T> box = real ? boxes[child] : Box<T>(tree.dim);
      expect_equal(box, stored_box(tree, level, child));
      above[child / kNodeWidth].add(box);
    }
    boxes.swap(above);
  }
  EXPECT_EQ(tree.size == 0 ? 0u : 1u, boxes.size());
}

class BucketTreeOf : public ::testing::TestWithParam<std::string> {};

TEST_P(BucketTreeOf, EverySizeAndBothTypes) {
  const auto check = [](auto zero, int64_t n, int64_t dim) {
    using T = decltype(zero);
    const std::vector<T> points = make_cloud<T>(GetParam(), n, dim);
    const Mask mask = Mask::where(n, [](int64_t i) { return i % 7 != 3; });
    std::set<int32_t> rows;
    for (int64_t row = 0; row < n; ++row) {
      if (takes_part(points.data(), mask.get(), row, dim)) rows.insert(static_cast<int32_t>(row));
    }
    for (const int64_t part : {kBucketSize, 200}) {
      BucketTree<T> tree;
      build_bucket_tree(points.data(), mask.get(), n, dim, part, two_threads(), tree);
      expect_sound(tree, points, rows);
    }
  };
  for (const int64_t n : {0, 1, 31, 37, 38, 600, 20000}) {
    SCOPED_TRACE(n);
    check(float{}, n, 3);
    check(double{}, n, 2);
  }
}

INSTANTIATE_TEST_SUITE_P(Clouds, BucketTreeOf, ::testing::ValuesIn(cloud_names()),
                         [](const auto& info) { return info.param; });

void expect_same_for_all_threads(const std::vector<float>& points, int64_t dim) {
  const auto n = static_cast<int64_t>(points.size()) / dim;
  BucketTree<float> one;
  build_bucket_tree<float>(points.data(), nullptr, n, dim, kBucketSize, Executor(), one);
  for (const int count : {2, 7}) {
    BucketTree<float> tree;
    build_bucket_tree<float>(points.data(), nullptr, n, dim, kBucketSize, threads(count), tree);
    ASSERT_EQ(one.size, tree.size);
    const int32_t* index = one.index.data();
    EXPECT_TRUE(std::equal(index, index + one.buckets * kBucketSize, tree.index.data())) << count;
  }
}

TEST(BucketTree, DoesNotDependOnThreads) {
  for (const std::string& name : cloud_names()) {
    for (const int64_t n : {800, 3000, 30000}) {
      SCOPED_TRACE(name + " " + std::to_string(n));
      expect_same_for_all_threads(make_cloud<float>(name, n, 4), 4);
    }
  }
}

// As many parts are cut as need no cut.
TEST(BucketTree, DoesNotDependOnThreadsWhereHalfIsSettled) {
  for (const int64_t n : {2048, 32768}) {
    SCOPED_TRACE(n);
    std::vector<float> points = make_cloud<float>("uniform", n, 4);
    std::fill(points.begin(), points.begin() + 2 * n, 0.0f);
    expect_same_for_all_threads(points, 4);
  }
}

// Ties are found by index: buckets of points in one place must ascend.
TEST(BucketTree, PointsInOnePlaceAscend) {
  for (const int64_t apart : {0, 5000}) {  // points elsewhere, between the others
    std::vector<float> points(3 * 10000, 0.5f);
    for (int64_t i = 0; i < 2 * apart; i += 2) points[3 * i] = static_cast<float>(i);
    BucketTree<float> tree;
    build_bucket_tree<float>(points.data(), nullptr, 10000, 3, kBucketSize, two_threads(), tree);
    std::vector<int32_t> same;
    for (int64_t place = 0; place < tree.size; ++place) {
      const int32_t row = tree.index[place];
      if (row % 2 == 1 || apart == 0) same.push_back(row);
    }
    EXPECT_TRUE(std::is_sorted(same.begin(), same.end())) << apart;
  }
}

// Rows are listed by many shares: what is left out of one moves those of the next.
TEST(BucketTree, RowsWithoutANumberAreLeftOut) {
  constexpr int64_t kPoints = 50000;
  const auto whole_share = [](int64_t row) { return row >= 10000 && row < 33000; };
  const auto here_and_there = [](int64_t row) {
    return row == 0 || row == 16383 || row == 16384 || row == kPoints - 1;
  };
  for (const auto& left_out :
       std::vector<std::function<bool(int64_t)>>{whole_share, here_and_there}) {
    std::vector<float> points = make_cloud<float>("uniform", kPoints, 2);
    std::set<int32_t> rows;
    for (int64_t row = 0; row < kPoints; ++row) {
      if (left_out(row)) {
        points[2 * row + row % 2] = std::numeric_limits<float>::quiet_NaN();
      } else {
        rows.insert(static_cast<int32_t>(row));
      }
    }
    BucketTree<float> tree;
    build_bucket_tree<float>(points.data(), nullptr, kPoints, 2, kBucketSize, two_threads(), tree);
    expect_sound(tree, points, rows);
  }
}

TEST(BucketTree, AllPointsInOnePlaceButOne) {
  constexpr int64_t kPoints = 40000;
  std::set<int32_t> rows;
  for (int32_t row = 0; row < kPoints; ++row) rows.insert(row);
  for (const int64_t other : {0, 1, 16383, 16384, 39999}) {
    SCOPED_TRACE(other);
    std::vector<float> points(2 * kPoints, 0.5f);
    points[2 * other + 1] = 3;
    BucketTree<float> tree;
    build_bucket_tree<float>(points.data(), nullptr, kPoints, 2, kBucketSize, two_threads(), tree);
    expect_sound(tree, points, rows);
  }
}

TEST(BucketTree, FewQueriesFewCuts) {
  EXPECT_EQ(kBucketSize, uncut_part(100'000, 100'000));
  EXPECT_EQ(kBucketSize, uncut_part(100'000, 20'000));
  EXPECT_LE(100'000, uncut_part(100'000, 1));
  EXPECT_LT(uncut_part(100'000, 1'000), 10'000);
  EXPECT_LE(100'000, uncut_part(100'000, 0));
}

TEST(BucketTree, MemoryIsReused) {
  const std::vector<float> points = make_cloud<float>("uniform", 500, 3);
  BucketTree<float> tree;
  build_bucket_tree<float>(points.data(), nullptr, 500, 3, kBucketSize, Executor(), tree);
  const float* before = tree.coordinates.data();
  build_bucket_tree<float>(points.data(), nullptr, 100, 3, kBucketSize, Executor(), tree);
  EXPECT_EQ(before, tree.coordinates.data());
}

}  // namespace
}  // namespace hitgraph::testing
