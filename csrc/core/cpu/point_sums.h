// Sums over the edges that reach a point, in the order of the transposed graph.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/cpu/prefetch.h"
#include "core/executor.h"

namespace hitgraph {

// Work is dealt out in shares of about this many edges. A point with more, a hub, is the work of
// many: its edges are cut into pieces of this many, and the pieces' sums are added in order.
constexpr int64_t kEdgeShare = 8192;

template <typename T, typename Edge>
class PointSums {
 public:
  // sums: (points, width), or null if nobody wants them.
  PointSums(const int64_t* offsets, const Edge* edges, int64_t points, int64_t width, T* sums)
      : offsets_(offsets), edges_(edges), points_(points), width_(width), sums_(sums) {}

  // add(begin, end, point, worker, sum) adds the edges at these places, all of them reaching the
  // point, to its sum (width) of doubles; fetch(edge) asks for what an edge will read there.
  // `order` of the points may be empty. The sums depend neither on it nor on the threads.
  template <typename Add, typename Fetch>
  void run(const Executor& executor, const std::vector<int32_t>& order, const Add& add,
           const Fetch& fetch) {
    deal(order);
    std::vector<std::vector<double>> scratch(std::max(1, executor.threads),
                                             std::vector<double>(width_));
    const auto shares = static_cast<int64_t>(share_begins_.size()) - 1;
    for_each_task(executor, shares, 1, [&](int64_t share, int worker) {
      std::vector<double>& sum = scratch[worker];
      for (int64_t i = share_begins_[share]; i < share_begins_[share + 1]; ++i) {
        const int64_t point = order.empty() ? i : order[i];
        if (is_hub(point)) continue;
        if (!order.empty()) look_ahead(order, i, fetch);
        std::fill(sum.begin(), sum.end(), 0.0);
        add(offsets_[point], offsets_[point + 1], point, worker, sum.data());
        store(sum.data(), point);
      }
    });
    std::vector<double> parts(pieces_.size() * width_, 0.0);
    for_each_task(executor, pieces_.size(), 1, [&](int64_t number, int worker) {
      const Piece& piece = pieces_[number];
      const int64_t end = std::min(piece.begin + kEdgeShare, offsets_[piece.point + 1]);
      add(piece.begin, end, piece.point, worker, parts.data() + number * width_);
    });
    join(parts);
  }

 private:
  struct Piece {
    int64_t point, begin;
  };

  bool is_hub(int64_t point) const { return offsets_[point + 1] - offsets_[point] > kEdgeShare; }

  void deal(const std::vector<int32_t>& order) {
    share_begins_.assign(1, 0);
    int64_t edges = 0;
    for (int64_t i = 0; i < points_; ++i) {
      const int64_t point = order.empty() ? i : order[i];
      if (is_hub(point)) {
        for (int64_t begin = offsets_[point]; begin < offsets_[point + 1]; begin += kEdgeShare) {
          pieces_.push_back({point, begin});
        }
      } else {
        edges += offsets_[point + 1] - offsets_[point] + 1;
      }
      if (edges < kEdgeShare && i + 1 < points_) continue;
      share_begins_.push_back(i + 1);
      edges = 0;
    }
  }

  // In an order of their own, points' edges lie anywhere: where they lie is asked for four points
  // ahead, they two points ahead, and what they read one point ahead.
  template <typename Fetch>
  void look_ahead(const std::vector<int32_t>& order, int64_t i, const Fetch& fetch) const {
    constexpr int64_t kMost = 256;  // edges
    if (i + 4 < points_) prefetch(offsets_ + order[i + 4], 2);
    if (i + 2 < points_) {
      const int64_t begin = offsets_[order[i + 2]], end = offsets_[order[i + 2] + 1];
      prefetch(edges_ + begin, std::min(end - begin, kMost));
    }
    if (i + 1 >= points_) return;
    const int64_t begin = offsets_[order[i + 1]], end = offsets_[order[i + 1] + 1];
    for (int64_t place = begin; place < std::min(end, begin + kMost); ++place) {
      fetch(edges_[place]);
    }
  }

  // Pieces of a hub follow one another.
  void join(const std::vector<double>& parts) {
    std::vector<double> sum(width_);
    for (std::size_t number = 0; number < pieces_.size(); ++number) {
      const int64_t point = pieces_[number].point;
      if (pieces_[number].begin == offsets_[point]) std::fill(sum.begin(), sum.end(), 0.0);
      const double* part = parts.data() + number * width_;
      std::transform(sum.begin(), sum.end(), part, sum.begin(), std::plus<double>());
      if (number + 1 == pieces_.size() || pieces_[number + 1].point != point) {
        store(sum.data(), point);
      }
    }
  }

  void store(const double* sum, int64_t point) {
    if (sums_ == nullptr) return;
    std::transform(sum, sum + width_, sums_ + point * width_,
                   [](double value) { return static_cast<T>(value); });
  }

  const int64_t* offsets_;
  const Edge* edges_;
  const int64_t points_, width_;
  T* sums_;
  std::vector<int64_t> share_begins_;
  std::vector<Piece> pieces_;
};

}  // namespace hitgraph
