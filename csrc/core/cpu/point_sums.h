// Sums over the edges that reach a point, in the order of the transposed graph.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/executor.h"

namespace hitgraph {

// The edges in the order of the point that they reach are cut into shares of this many, wherever
// that falls: a hub is the work of many, and sums do not depend on the threads.
constexpr int64_t kEdgeShare = 8192;

template <typename T>
class PointSums {
 public:
  // sums: (points, width).
  PointSums(const int64_t* offsets, int64_t points, int64_t width, T* sums)
      : offsets_(offsets), points_(points), width_(width), sums_(sums) {}

  // add(begin, end, point, worker, sum) adds the edges at these places, all of them reaching the
  // point, to its sum (width) of doubles.
  template <typename Add>
  void run(const Executor& executor, const Add& add) {
    const int64_t shares = (offsets_[points_] + kEdgeShare - 1) / kEdgeShare;
    // The first and the last point of a share may have edges in others.
    parts_.assign(2 * shares * width_, 0.0);
    std::vector<std::vector<double>> scratch(std::max(1, executor.threads),
                                             std::vector<double>(width_));
    for_each_task(executor, shares, 1, [&](int64_t share, int worker) {
      visit_share(share, scratch[worker], [&](int64_t begin, int64_t end, int64_t point) {
        add(begin, end, point, worker, scratch[worker].data());
      });
    });
    for_each_task(executor, points_, 4096, [&](int64_t point, int) { join(point); });
  }

 private:
  // A point whose edges are all in this share is done here.
  template <typename Add>
  void visit_share(int64_t share, std::vector<double>& sum, const Add& add) {
    const int64_t end = std::min(offsets_[points_], (share + 1) * kEdgeShare);
    int64_t begin = share * kEdgeShare;
    int64_t point = std::upper_bound(offsets_, offsets_ + points_ + 1, begin) - offsets_ - 1;
    for (; begin < end; ++point) {
      const int64_t past = std::min(end, offsets_[point + 1]);
      if (past == begin) continue;
      std::fill(sum.begin(), sum.end(), 0.0);
      add(begin, past, point);
      if (offsets_[point] == begin && offsets_[point + 1] == past) {
        std::transform(sum.begin(), sum.end(), sums_ + point * width_, narrowed);
      } else {
        const bool began_before = offsets_[point] < begin;
        std::copy(sum.begin(), sum.end(), part(share, began_before ? 0 : 1));
      }
      begin = past;
    }
  }

  // Sums of points that lie in several shares, and of those without edges.
  void join(int64_t point) {
    const int64_t begin = offsets_[point], end = offsets_[point + 1];
    T* sum = sums_ + point * width_;
    if (begin == end) std::fill_n(sum, width_, T(0));
    const int64_t first = begin / kEdgeShare, last = (end - 1) / kEdgeShare;
    if (begin == end || first == last) return;
    double* joined = part(first, 1);
    for (int64_t share = first + 1; share <= last; ++share) {
      std::transform(joined, joined + width_, part(share, 0), joined, std::plus<double>());
    }
    std::transform(joined, joined + width_, sum, narrowed);
  }

  double* part(int64_t share, int64_t which) {
    return parts_.data() + (2 * share + which) * width_;
  }
  static T narrowed(double value) { return static_cast<T>(value); }

  const int64_t* offsets_;
  const int64_t points_, width_;
  T* sums_;
  std::vector<double> parts_;
};

}  // namespace hitgraph
