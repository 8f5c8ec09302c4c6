// The bins of the search, made to follow the data: buckets of at most 32 points, cut at medians of
// the widest axis (k-d partition), with tight bounding boxes, and a 16-wide hierarchy of boxes
// above them.
//
// Layout. Points lie in bucket order; every bucket but the last is full, so position p is lane p %
// 32 of bucket p / 32, and the children of node i of one level are the entries 16 i ... 16 i + 15
// of the level below: no pointers. Boxes lie beside their parent, axis by axis, sixteen to a
// vector:
//   coordinates  [bucket][axis][32]          absent lanes +inf
//   bounds       [node][axis][lo, hi][16]    absent children lo = +inf, hi = -inf: never within
//   reach first_index  [node][16]                  smallest index below the child, for the tie rule
#pragma once

#include <cstdint>

#include "core/cpu/aligned_buffer.h"
#include "core/cpu/simd_portable.h"
#include "core/executor.h"
#include "core/kd_key.h"

namespace hitgraph {

constexpr int kNodeWidth = kLanes;
// 16^7 buckets of 32 exceed what an int32 index can name.
constexpr int kMaxLevels = 7;

template <typename T>
struct BoxLevel {
  int64_t nodes = 0;
  AlignedBuffer<T> bounds;
  AlignedBuffer<int32_t> first_index;

  T* node_bounds(int64_t node, int64_t dim) { return bounds.data() + node * dim * 2 * kNodeWidth; }
  const T* node_bounds(int64_t node, int64_t dim) const {
    return bounds.data() + node * dim * 2 * kNodeWidth;
  }
};

// One segment's points. `level[0]` holds the boxes of the buckets, `level[levels - 1]` is the root.
template <typename T>
struct BucketTree {
  int64_t dim = 0;
  int64_t size = 0;
  int64_t buckets = 0;
  int levels = 0;
  AlignedBuffer<T> coordinates;
  AlignedBuffer<int32_t> index;  // row in the segment of the point at a position; padded with -1
  BoxLevel<T> level[kMaxLevels];

  const T* bucket_coordinates(int64_t bucket) const {
    return coordinates.data() + bucket * dim * kBucketSize;
  }
  int bucket_count(int64_t bucket) const {
    const int64_t rest = size - bucket * kBucketSize;
    return static_cast<int>(rest < kBucketSize ? rest : kBucketSize);
  }
};

// The lane of `lanes`, not empty, with the smallest bound.
template <typename T>
inline int nearest_lane(const T* bounds, LaneMask lanes) {
  int nearest = __builtin_ctz(lanes);
  for (LaneMask rest = lanes & (lanes - 1); rest != 0; rest &= rest - 1) {
    const int lane = __builtin_ctz(rest);
    if (bounds[lane] < bounds[nearest]) nearest = lane;
  }
  return nearest;
}

// A cut costs all points of a part a few nanoseconds each, once; and saves half of the part's
// points the queries that reach it. Parts of so many points earn nothing by a further one.
inline int64_t uncut_part(int64_t points, int64_t queries) {
  constexpr int64_t kPointsAQuery = 12;
  const int64_t part = kPointsAQuery * points / (queries < 1 ? 1 : queries);
  return part > 4 * kBucketSize ? part : kBucketSize;
}

// Builds the tree over the rows of `points` (row-major, `rows` x dim) that take part (see
// core/distance.h); parts of `part` points or fewer stay uncut. Keeps the tree's memory if it
// suffices.
template <typename T>
void build_bucket_tree(const T* points, const bool* mask, int64_t rows, int64_t dim, int64_t part,
                       const Executor& executor, BucketTree<T>& tree);

}  // namespace hitgraph
