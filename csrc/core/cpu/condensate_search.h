// The ball of a condensation point, written once and compiled for every instruction set.
#pragma once

#include "core/condensate_rules.h"
#include "core/cpu/condensate_task.h"
#include "core/cpu/simd_dimension.h"
#include "core/cpu/tree_query.h"

namespace hitgraph {

template <typename Simd, typename T, int kDim>
class PointBall {
 public:
  explicit PointBall(const CondensateTask<T>& task)
      : task_(task),
        tree_(*task.tree),
        query_(task, task.query),
        limit_(Pack::broadcast(task.max_distance2)) {
    query_.load(0);
  }
  void run() {
    visit_within(query_, tree_, limit_, tree_.levels - 1, 0, [&](int64_t bucket) {
      const T* coordinates = tree_.bucket_coordinates(bucket);
      take(query_.distances(coordinates), bucket * kBucketSize);
      take(query_.distances(coordinates + kLanes), bucket * kBucketSize + kLanes);
    });
  }

 private:
  using Pack = typename Simd::template Pack<T>;

  void take(const Pack& distance2, int64_t place) {
    LaneMask within = less_equal(distance2, limit_);
    if (within == 0) return;
    int32_t* owner = task_.owner + place;
    if (!task_.nearest) {
      for (; within != 0; within &= within - 1) {
        const int lane = __builtin_ctz(within);
        if (owner[lane] < 0) owner[lane] = task_.number;
      }
      return;
    }
    T distances[kLanes];
    distance2.store(distances);
    const int32_t row = task_.points[task_.number];
    for (; within != 0; within &= within - 1) {
      const int lane = __builtin_ctz(within);
      T& best = task_.distance2[place + lane];
      if (owner[lane] < 0 ||
          goes_over(true, distances[lane], row, best, task_.points[owner[lane]])) {
        owner[lane] = task_.number;
        best = distances[lane];
      }
    }
  }

  const CondensateTask<T>& task_;
  const BucketTree<T>& tree_;
  TreeQuery<Simd, T, kDim> query_;
  const Pack limit_;
};

template <typename Simd, typename T, int kDim>
void point_ball(const CondensateTask<T>& task) {
  PointBall<Simd, T, kDim>(task).run();
}

template <typename Simd, typename T>
CondensateBall<T> choose_condensate_ball(int64_t dim) {
  return for_dimension(
      dim, [](auto constant) -> CondensateBall<T> { return point_ball<Simd, T, constant.value>; });
}

}  // namespace hitgraph
