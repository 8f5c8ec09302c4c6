#include "core/cpu/bucket_tree.h"

#include <algorithm>
#include <limits>

#include "core/cpu/kd_partition.h"
#include "core/cpu/list_rows.h"

namespace hitgraph {
namespace {

template <typename T>
constexpr T kInfinity = std::numeric_limits<T>::infinity();

// Gathers a bucket's coordinates axis by axis and boxes them as child `lane` of its node.
template <typename T>
void fill_bucket(const T* points, BucketTree<T>& tree, int64_t bucket) {
  const int64_t dim = tree.dim;
  const int count = tree.bucket_count(bucket);
  const int32_t* rows = tree.index.data() + bucket * kBucketSize;
  T* coordinates = tree.coordinates.data() + bucket * dim * kBucketSize;
  const int64_t node = bucket / kNodeWidth, lane = bucket % kNodeWidth;
  T* bounds = tree.level[0].node_bounds(node, dim) + lane;
  for (int64_t axis = 0; axis < dim; ++axis) {
    T* column = coordinates + axis * kBucketSize;
    T low = kInfinity<T>, high = -kInfinity<T>;
    for (int i = 0; i < count; ++i) {
      const T value = points[rows[i] * dim + axis];
      column[i] = value;
      low = std::min(low, value);
      high = std::max(high, value);
    }
    std::fill(column + count, column + kBucketSize, kInfinity<T>);
    bounds[axis * 2 * kNodeWidth] = low;
    bounds[axis * 2 * kNodeWidth + kNodeWidth] = high;
  }
  tree.level[0].first_index[bucket] = rows[0];
}

// Boxes node `child` of the level below as child of its parent.
template <typename T>
void box_child(const BoxLevel<T>& below, BoxLevel<T>& level, int64_t child, int64_t dim) {
  const T* source = below.node_bounds(child, dim);
  T* bounds = level.node_bounds(child / kNodeWidth, dim) + child % kNodeWidth;
  for (int64_t axis = 0; axis < dim; ++axis) {
    const T* low = source + axis * 2 * kNodeWidth;
    const T* high = low + kNodeWidth;
    bounds[axis * 2 * kNodeWidth] = *std::min_element(low, low + kNodeWidth);
    bounds[axis * 2 * kNodeWidth + kNodeWidth] = *std::max_element(high, high + kNodeWidth);
  }
  const int32_t* first = below.first_index.data() + child * kNodeWidth;
  level.first_index[child] = *std::min_element(first, first + kNodeWidth);
}

// Room for boxes of `children`; what is absent beside them is never within reach.
template <typename T>
void resize_level(BoxLevel<T>& level, int64_t children, int64_t dim) {
  level.nodes = (children + kNodeWidth - 1) / kNodeWidth;
  level.bounds.resize(level.nodes * dim * 2 * kNodeWidth);
  level.first_index.resize(level.nodes * kNodeWidth);
  const int64_t present = (children - 1) % kNodeWidth + 1;
  T* low = level.node_bounds(level.nodes - 1, dim);
  for (int64_t axis = 0; axis < dim; ++axis, low += 2 * kNodeWidth) {
    T* high = low + kNodeWidth;
    std::fill(low + present, low + kNodeWidth, kInfinity<T>);
    std::fill(high + present, high + kNodeWidth, -kInfinity<T>);
  }
  int32_t* first = level.first_index.data() + children - present;
  std::fill(first + present, first + kNodeWidth, std::numeric_limits<int32_t>::max());
}

}  // namespace

template <typename T>
void build_bucket_tree(const T* points, const bool* mask, int64_t rows, int64_t dim, int64_t part,
                       const Executor& executor, BucketTree<T>& tree) {
  const int64_t most_buckets = (rows + kBucketSize - 1) / kBucketSize;
  tree.dim = dim;
  tree.index.resize(most_buckets * kBucketSize);
  tree.size = list_rows(points, mask, 0, rows, dim, executor, tree.index.data());
  tree.buckets = (tree.size + kBucketSize - 1) / kBucketSize;
  tree.levels = 0;
  if (tree.size == 0) return;
  kd_partition(points, dim, tree.index.data(), tree.size, part, executor);
  std::fill(tree.index.data() + tree.size, tree.index.data() + tree.buckets * kBucketSize, -1);

  tree.coordinates.resize(tree.buckets * dim * kBucketSize);
  resize_level(tree.level[0], tree.buckets, dim);
  // Of many axes fewer buckets are worth a thread.
  const int64_t grain = std::clamp<int64_t>(256 / dim, 1, 64);
  for_each_task(executor, tree.buckets, grain,
                [&](int64_t bucket, int) { fill_bucket(points, tree, bucket); });
  tree.levels = 1;
  for (int64_t nodes = tree.level[0].nodes; nodes > 1; ++tree.levels) {
    const BoxLevel<T>& below = tree.level[tree.levels - 1];
    BoxLevel<T>& level = tree.level[tree.levels];
    resize_level(level, nodes, dim);
    for (int64_t child = 0; child < nodes; ++child) box_child(below, level, child, dim);
    nodes = level.nodes;
  }
}

template void build_bucket_tree(const float*, const bool*, int64_t, int64_t, int64_t,
                                const Executor&, BucketTree<float>&);
template void build_bucket_tree(const double*, const bool*, int64_t, int64_t, int64_t,
                                const Executor&, BucketTree<double>&);

}  // namespace hitgraph
