// What earlier queries tell about the next one: the squared radius that held a few more than k
// points around the nearest of the last 32 queries is a good guess of the radius here.
#pragma once

#include <cstdint>

#include "core/cpu/knn_task.h"

namespace hitgraph {

template <typename Simd, typename T>
class SearchHistory {
 public:
  using Pack = typename Simd::template Pack<T>;
  static constexpr int kLength = 2 * kLanes;

  SearchHistory(KnnScratch<T>& scratch, int64_t dim)
      : coordinates_(scratch.history.data()), reach_(coordinates_ + dim * kLength), dim_(dim) {
    // An entry at infinity is nearer than none.
    for (int64_t i = 0; i < (dim + 1) * kLength; ++i) {
      coordinates_[i] = std::numeric_limits<T>::infinity();
    }
  }

  // Infinity if there is no history.
  T guess(const T* query) const {
    Pack near[2] = {Pack::broadcast(0), Pack::broadcast(0)};
    for (int64_t axis = 0; axis < dim_; ++axis) {
      const Pack coordinate = Pack::broadcast(query[axis]);
      const T* column = coordinates_ + axis * kLength;
      near[0] = fused_square_add(Pack::load(column) - coordinate, near[0]);
      near[1] = fused_square_add(Pack::load(column + kLanes) - coordinate, near[1]);
    }
    const Pack nearest = Pack::broadcast(reduce_min(min(near[0], near[1])));
    const LaneMask at = less_equal(near[0], nearest) | less_equal(near[1], nearest) << kLanes;
    return reach_[__builtin_ctz(at)];
  }

  void remember(const T* query, T reach) {
    for (int64_t axis = 0; axis < dim_; ++axis) coordinates_[axis * kLength + next_] = query[axis];
    reach_[next_] = reach;
    next_ = (next_ + 1) % kLength;
  }

 private:
  T* const coordinates_;  // [axis][kLength]
  T* const reach_;
  const int64_t dim_;
  int next_ = 0;
};

}  // namespace hitgraph
