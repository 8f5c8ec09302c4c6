// The edges of one row that exist, ready for the loops of edge_conv_kernels.h.
#pragma once

#include <algorithm>
#include <vector>

#include "core/cpu/edge_conv_kernels.h"
#include "core/edge_conv.h"

namespace hitgraph {

// One worker's.
template <typename T>
class EdgeConvRow {
 public:
  explicit EdgeConvRow(int64_t k) : rows_(k), slots_(k) {}

  template <typename Index>
  void load(const EdgeConvGraph<T, Index>& graph, int64_t row) {
    const Index* ends = graph.index + row * graph.k;
    size_ = 0;
    for (int64_t slot = 0; slot < graph.k; ++slot) {
      if (ends[slot] < 0) continue;
      rows_[size_] = graph.neighbour + ends[slot] * graph.neighbour_stride;
      slots_[size_++] = static_cast<int32_t>(slot);
    }
  }
  int64_t size() const { return size_; }
  template <typename Slot>
  EdgeRows<T, Slot> edges() const {
    return {rows_.data(), slots_.data(), nullptr, nullptr, size_};
  }

 private:
  std::vector<const T*> rows_;
  std::vector<int32_t> slots_;
  int64_t size_ = 0;
};

// Rows are summed in shares of this many, and the shares in order: the sums do not depend on the
// number of threads.
constexpr int64_t kRowShare = 256;

// Calls visit(row, worker, share) for every row, then adds the shares' sums to sums[0] ...
// sums[size
// - 1]; `share` are that many doubles.
template <typename Visit>
void for_each_row_summing(int64_t rows, int64_t size, const Executor& executor, double* sums,
                          const Visit& visit) {
  const int64_t shares = (rows + kRowShare - 1) / kRowShare;
  std::vector<double> parts(static_cast<std::size_t>(shares * size), 0.0);
  for_each_task(executor, shares, 1, [&](int64_t share, int worker) {
    const int64_t end = std::min(rows, (share + 1) * kRowShare);
    for (int64_t row = share * kRowShare; row < end; ++row) {
      visit(row, worker, parts.data() + share * size);
    }
  });
  std::fill_n(sums, size, 0.0);
  for (std::size_t i = 0; i < parts.size(); ++i) sums[i % size] += parts[i];
}

}  // namespace hitgraph
