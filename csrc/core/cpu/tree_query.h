// One query in registers: its distances to the boxes of a node and to the points of a bucket.
#pragma once

#include <cstdint>
#include <type_traits>

#include "core/cpu/search_task.h"

namespace hitgraph {

template <typename Simd, typename T, int kDim>
class TreeQuery {
 public:
  using Pack = typename Simd::template Pack<T>;
  using IndexPack = typename Simd::IndexPack;

  // `coordinates` has room for those of one query.
  TreeQuery(const SearchTask<T>& task, T* coordinates)
      : task_(task), coordinates_(coordinates), dim_(task.dim) {}

  int64_t dim() const {
    if constexpr (kDim > 0) return kDim;
    return dim_;
  }
  const T* coordinates() const { return coordinates_; }
  // Whether the query may be a point of the bucket that it is not to find.
  bool may_be_in(int64_t bucket) const { return bucket == own_half_ / 2 || own_half_ == kAnywhere; }
  // Of half a bucket, whose points are `rows`: the lanes that are not the query itself, if it is
  // not to find itself.
  LaneMask others(int64_t bucket, int half, const IndexPack& rows) const {
    if (own_half_ == kAnywhere) return not_equal(rows, IndexPack::broadcast(own_row_));
    return 2 * bucket + half == own_half_ ? ~own_lane_ : ~LaneMask{0};
  }

  // Takes the query at a position of the task's order; returns its row.
  int32_t load(int64_t position) {
    int32_t row;
    if (task_.queries == nullptr) {
      row = task_.tree->index[position];
      const T* column =
          task_.tree->bucket_coordinates(position / kBucketSize) + position % kBucketSize;
      for (int64_t axis = 0; axis < dim(); ++axis) coordinates_[axis] = column[axis * kBucketSize];
    } else {
      row = task_.order[position];
      const T* query = task_.queries + row * dim();
      for (int64_t axis = 0; axis < dim(); ++axis) coordinates_[axis] = query[axis];
    }
    for (int axis = 0; axis < kDim; ++axis) broadcast_[axis] = Pack::broadcast(coordinates_[axis]);
    if (task_.exclude_self) exclude(row, position);
    return row;
  }

  // Of the children of a node: never more than the distance2 of a point inside.
  Pack bounds(const BoxLevel<T>& level, int64_t node) const {
    const T* box = level.node_bounds(node, dim());
    const Pack zero = Pack::broadcast(0);
    Pack bound = zero;
    for (int64_t axis = 0; axis < dim(); ++axis, box += 2 * kNodeWidth) {
      const Pack& query = coordinate(axis);
      const Pack outside = max(Pack::load(box) - query, query - Pack::load(box + kNodeWidth));
      bound = fused_square_add(max(outside, zero), bound);
    }
    return bound;
  }

  // To kLanes points of a bucket.
  Pack distances(const T* bucket) const {
    Pack distance2 = Pack::broadcast(0);
    for (int64_t axis = 0; axis < dim(); ++axis) {
      const Pack column = Pack::load(bucket + axis * kBucketSize);
      distance2 = fused_square_add(column - coordinate(axis), distance2);
    }
    return distance2;
  }

 private:
  // Broadcast coordinates that stay in registers; with a dimension known only at run time, none.
  static constexpr int kRegisters = kDim > 0 ? kDim : 1;

  // The points' own order says where a point is; another order does not.
  void exclude(int32_t row, int64_t position) {
    own_row_ = row;
    own_half_ = task_.queries == nullptr ? position / kLanes : kAnywhere;
    own_lane_ = LaneMask{1} << (position % kLanes);
  }

  // By reference where it is kept: GCC copies a pack of two registers by halves of them, which its
  // next load then waits for.
  using Coordinate = std::conditional_t<(kDim > 0), const Pack&, Pack>;
  Coordinate coordinate(int64_t axis) const {
    if constexpr (kDim > 0) {
      return broadcast_[axis];
    } else {
      return Pack::broadcast(coordinates_[axis]);
    }
  }

  const SearchTask<T>& task_;
  T* const coordinates_;
  const int64_t dim_;
  Pack broadcast_[kRegisters];
  static constexpr int64_t kNowhere = -2, kAnywhere = -1;
  static_assert(kBucketSize == 2 * kLanes);
  int64_t own_half_ = kNowhere;  // half a bucket
  LaneMask own_lane_ = 0;
  int32_t own_row_ = -1;
};

// Calls scan(bucket) for every bucket that may hold a point within the limit, a node and its
// descendants, in the order of the tree.
template <typename Query, typename T, typename Pack, typename Scan>
void visit_within(const Query& query, const BucketTree<T>& tree, const Pack& limit, int level,
                  int64_t node, const Scan& scan) {
  LaneMask near = less_equal(query.bounds(tree.level[level], node), limit);
  for (; near != 0; near &= near - 1) {
    const int64_t child = node * kNodeWidth + __builtin_ctz(near);
    if (level == 0) {
      scan(child);
    } else {
      visit_within(query, tree, limit, level - 1, child, scan);
    }
  }
}

}  // namespace hitgraph
