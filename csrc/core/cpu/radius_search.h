// All neighbours within a radius, one query after another, written once and compiled for every
// instruction set (radius_portable.cpp, radius_avx2.cpp, radius_avx512.cpp).
//
// The limit is known beforehand, so every bucket whose bound is within it is scanned, in the order
// of the tree; bound <= distance holds bit for bit, see core/distance.h.
#pragma once

#include <cstdint>

#include "core/cpu/radius_task.h"
#include "core/cpu/simd_dimension.h"
#include "core/cpu/tree_query.h"

namespace hitgraph {

template <typename Simd, typename T, int kDim>
class BallSearch {
 public:
  BallSearch(const RadiusTask<T>& task, RadiusScratch<T>& scratch)
      : task_(task),
        tree_(*task.tree),
        query_(task, scratch.query.data()),
        scratch_(scratch),
        limit_(Pack::broadcast(task.max_distance2)) {}

  void run(int64_t begin, int64_t end, FoundRow<T>* rows) {
    for (int64_t position = begin; position < end; ++position, ++rows) {
      rows->row = query_.load(position);
      count_ = 0;
      visit_within(query_, tree_, limit_, tree_.levels - 1, 0,
                   [&](int64_t bucket) { scan_bucket(bucket); });
      make_room();
      sort(scratch_.row.data());
      rows->count = count_ < task_.max_neighbors ? count_ : task_.max_neighbors;
      rows->keys = scratch_.found.keep(scratch_.row.data(), rows->count);
    }
  }

 private:
  using Pack = typename Simd::template Pack<T>;
  using IndexPack = typename Simd::IndexPack;
  using Key = typename KeyOf<T>::type;

  void scan_bucket(int64_t bucket) {
    make_room();
    const T* coordinates = tree_.bucket_coordinates(bucket);
    const int32_t* index = tree_.index.data() + bucket * kBucketSize;
    for (int half = 0; half < 2; ++half) {
      const Pack distance2 = query_.distances(coordinates + half * kLanes);
      const IndexPack rows = IndexPack::load(index + half * kLanes);
      const LaneMask within = less_equal(distance2, limit_) & query_.others(bucket, half, rows);
      Simd::store_keys(distance2, rows, within, scratch_.row.data() + count_);
      count_ += __builtin_popcount(within);
    }
  }

  // For one bucket more, and for the sort, whose network is a power of two wide.
  void make_room() {
    const int64_t wanted = 2 * (count_ + kBucketSize + kLanes);
    if (scratch_.row.size() < wanted) scratch_.make_room(count_, wanted);
  }

  void sort(Key* keys) const {
    if constexpr (sizeof(T) == sizeof(float)) {
      Simd::sort(keys, count_);
    } else {
      sort_keys(keys, count_);
    }
  }

  const RadiusTask<T>& task_;
  const BucketTree<T>& tree_;
  TreeQuery<Simd, T, kDim> query_;
  RadiusScratch<T>& scratch_;
  const Pack limit_;
  int64_t count_ = 0;
};

template <typename Simd, typename T, int kDim>
void radius_block(const RadiusTask<T>& task, int64_t begin, int64_t end, RadiusScratch<T>& scratch,
                  FoundRow<T>* rows) {
  BallSearch<Simd, T, kDim>(task, scratch).run(begin, end, rows);
}

template <typename Simd, typename T>
RadiusBlock<T> choose_radius_block(int64_t dim) {
  return for_dimension(
      dim, [](auto constant) -> RadiusBlock<T> { return radius_block<Simd, T, constant.value>; });
}

}  // namespace hitgraph
