// The edges of a row that take part, ready for the loops of gravnet_kernels.h.
#pragma once

#include <vector>

#include "core/cpu/graph_order.h"
#include "core/cpu/gravnet_kernels.h"
#include "core/cpu/prefetch.h"
#include "core/gravnet.h"

namespace hitgraph {

// One worker's.
template <typename T>
class GravnetRow {
 public:
  // Rows of zeros stand in for edges that do not exist where `missing_is_zero`.
  template <typename Index>
  GravnetRow(const GravnetGraph<T, Index>& graph, bool missing_is_zero)
      : sources_(graph.k),
        weights_(graph.k),
        slots_(graph.k),
        zeros_(missing_is_zero ? graph.channels : 0) {}

  template <typename Index, typename Slot>
  void load(const GravnetGraph<T, Index>& graph, const GravnetKernels<T, Slot>& kernels,
            int64_t row) {
    const Index* ends = graph.index + row * graph.k;
    const bool with_missing = !zeros_.empty();
    size_ = present_ = 0;
    kernels.weigh(graph.values + row * graph.k, graph.k, graph.weighting, weights_.data());
    for (int64_t slot = 0; slot < graph.k; ++slot) {
      const bool exists = ends[slot] >= 0;
      if (!exists && !with_missing) continue;
      sources_[size_] = exists ? graph.features + ends[slot] * graph.channels : zeros_.data();
      weights_[size_] = exists ? weights_[slot] : T(0);
      slots_[size_++] = static_cast<int32_t>(slot);
      present_ += exists;
    }
  }

  RowEdges<T> edges() const { return {sources_.data(), weights_.data(), slots_.data(), size_}; }
  int64_t present() const { return present_; }

 private:
  std::vector<const T*> sources_;
  std::vector<T> weights_;
  std::vector<int32_t> slots_;
  std::vector<T> zeros_;
  int64_t size_ = 0, present_ = 0;
};

template <typename T, typename Index>
std::vector<int32_t> gravnet_order(const GravnetGraph<T, Index>& graph, int64_t near_bytes) {
  const int64_t bytes = graph.points * graph.channels * static_cast<int64_t>(sizeof(T));
  return order_of_work(graph.index, graph.rows, graph.k, graph.points, graph.order, bytes,
                       near_bytes);
}

// Calls visit(row, worker) for every row, in this order. The processor sees what comes next
// only if rows come as they are stored.
template <typename T, typename Index, typename Visit>
void for_each_row(const GravnetGraph<T, Index>& graph, const std::vector<int32_t>& order,
                  const Executor& executor, const Visit& visit) {
  constexpr int64_t kAhead = 2;  // rows
  for_each_task(executor, graph.rows, 64, [&](int64_t task, int worker) {
    if (order.empty()) return visit(task, worker);
    if (task + kAhead < graph.rows) {
      const int64_t ahead = order[task + kAhead];
      prefetch(graph.index + ahead * graph.k, graph.k);
      prefetch(graph.values + ahead * graph.k, graph.k);
    }
    visit(order[task], worker);
  });
}

}  // namespace hitgraph
