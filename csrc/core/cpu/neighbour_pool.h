// The candidates of one query that are within its limit, and their selection. Appending is two
// vector stores; the k best are found by one sort of integer keys, ties included (sort_keys.h).
#pragma once

#include <cstdint>

#include "core/cpu/knn_task.h"

namespace hitgraph {

template <typename Simd, typename T>
class NeighbourPool {
 public:
  using Pack = typename Simd::template Pack<T>;
  using IndexPack = typename Simd::IndexPack;
  using Key = typename KeyOf<T>::type;

  // The pool of number `number` in the scratch memory, holding `count`; all share the keys.
  NeighbourPool(KnnScratch<T>& scratch, int64_t k, int64_t number = 0, int64_t count = 0)
      : distance2_(scratch.pool_distance2.data() + number * scratch.pool_stride()),
        index_(scratch.pool_index.data() + number * scratch.pool_stride()),
        keys_(scratch.keys.data()),
        k_(k),
        full_(scratch.pool_capacity - kBucketSize),
        count_(count) {}

  int64_t count() const { return count_; }
  void clear() { count_ = 0; }
  // No room for another bucket.
  bool is_full() const { return count_ > full_; }

  // Adds the lanes of `mask`; the stores may run kLanes elements beyond the pool's capacity.
  HITGRAPH_INLINE void append(const Pack& distance2, const IndexPack& index, LaneMask mask) {
    distance2.compress_store(distance2_ + count_, mask);
    index.compress_store(index_ + count_, mask);
    count_ += __builtin_popcount(mask);
  }

  // Makes keys() the sorted lanes that were found, without a stay in the pool; returns how many.
  int64_t sort_lanes(const Pack* distance2, const IndexPack* index, const LaneMask* found,
                     int packs) {
    int64_t listed = 0;
    for (int p = 0; p < packs; ++p) {
      Simd::store_keys(distance2[p], index[p], found[p], keys_ + listed);
      listed += __builtin_popcount(found[p]);
    }
    sort_listed(listed);
    return listed;
  }

  // Makes keys() the sorted candidates up to `reach` if these are k or more, else all of them;
  // returns how many.
  int64_t sort(T reach) {
    int64_t sorted = list_keys(reach);
    if (sorted < k_) sorted = list_keys(std::numeric_limits<T>::infinity());
    sort_listed(sorted);
    return sorted;
  }

  // Cuts a pool of at least k back to the k best; returns the last of them.
  Key keep_best() {
    sort(std::numeric_limits<T>::infinity());
    count_ = k_;
    for (int64_t i = 0; i < count_; ++i) {
      distance2_[i] = key_distance2(keys_[i]);
      index_[i] = key_index(keys_[i]);
    }
    return keys_[k_ - 1];
  }

  const Key* keys() const { return keys_; }

 private:
  void sort_listed(int64_t count) {
    if constexpr (sizeof(T) == sizeof(float)) {
      Simd::sort(keys_, count);
    } else {
      sort_keys(keys_, count);
    }
  }
  int64_t list_keys(T reach) {
    const Pack limit = Pack::broadcast(reach);
    int64_t listed = 0;
    for (int64_t first = 0; first < count_; first += kLanes) {
      const Pack distance2 = Pack::load(distance2_ + first);
      LaneMask within = less_equal(distance2, limit);
      const int64_t rest = count_ - first;
      if (rest < kLanes) within &= (LaneMask{1} << rest) - 1;
      Simd::store_keys(distance2, IndexPack::load(index_ + first), within, keys_ + listed);
      listed += __builtin_popcount(within);
    }
    return listed;
  }

  T* const distance2_;
  int32_t* const index_;
  Key* const keys_;
  const int64_t k_;
  const int64_t full_;
  int64_t count_;
};

}  // namespace hitgraph
