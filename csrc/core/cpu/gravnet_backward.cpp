// One pass over the transposed graph: what an edge adds to the gradient of its point's features,
// and the gradient of its own value, are made of the same two rows.
#include <algorithm>

#include "core/cpu/gravnet_row.h"
#include "core/cpu/point_sums.h"
#include "core/cpu/quotient.h"

namespace hitgraph {
namespace {

template <typename T, typename Index, typename Slot, typename Edge>
class Backward {
 public:
  Backward(const GravnetGraph<T, Index>& graph, const GravnetGradient<T, Slot, Edge>& gradient,
           SimdLevel level, const Executor& executor)
      : graph_(graph),
        gradient_(gradient),
        kernels_(gravnet_kernels<T, Slot>(level)),
        executor_(executor),
        workers_(std::max(1, executor.threads)),
        quotient_(graph.k) {}

  void run() {
    prepare_rows();
    if (gradient_.grad_values != nullptr) clear_missing();
    // An edge reads rows of three arrays here, and values one by one.
    constexpr int64_t kNearBytes = int64_t{1} << 20;
    std::vector<Batch> batches(workers_);
    PointSums<T> sums(gradient_.offsets, graph_.points, graph_.channels, gradient_.grad_features);
    sums.run(executor_, gravnet_order(graph_, kNearBytes),
             [&](int64_t begin, int64_t end, int64_t point, int worker, double* sum) {
               for (int64_t first = begin; first < end; first += kEdgeBatch) {
                 add(first, std::min(end, first + kEdgeBatch), point, batches[worker], sum);
               }
             });
  }

 private:
  bool total() const { return gradient_.grad_total != nullptr; }
  bool maximum() const { return gradient_.grad_maximum != nullptr; }
  const Slot* slot_row(int64_t row) const { return gradient_.slot + row * graph_.channels; }

  // Edges that do not exist are the last ones.
  void clear_missing() {
    for (int64_t i = gradient_.offsets[graph_.points]; i < graph_.rows * graph_.k; ++i) {
      gradient_.grad_values[gradient_.edges[i]] = T(0);
    }
  }

  // Which edges won a maximum, a bit each, and what sums were divided by where that differs.
  void prepare_rows() {
    won_stride_ = (graph_.k + 7) / 8;
    if (maximum()) won_.assign(graph_.rows * won_stride_, 0);
    const bool differs = graph_.divisor == Divisor::kPresent;
    reciprocals_.assign(differs ? graph_.rows : 1,
                        1 / gravnet_divisor<T>(graph_.divisor, graph_.k, 0));
    if (!maximum() && !differs) return;
    for_each_task(executor_, graph_.rows, 256, [&](int64_t row, int) {
      if (differs) {
        const Index* ends = graph_.index + row * graph_.k;
        const int64_t missing = std::count_if(ends, ends + graph_.k, [](Index j) { return j < 0; });
        reciprocals_[row] = 1 / gravnet_divisor<T>(graph_.divisor, graph_.k, graph_.k - missing);
      }
      if (!maximum()) return;
      const Slot* slots = slot_row(row);
      for (int64_t c = 0; c < graph_.channels; ++c) {
        if (slots[c] == no_slot<Slot>()) continue;
        won_[row * won_stride_ + slots[c] / 8] |= static_cast<uint8_t>(1 << slots[c] % 8);
      }
    });
  }
  bool won(int64_t row, int64_t slot) const {
    return (won_[row * won_stride_ + slot / 8] >> slot % 8 & 1) != 0;
  }
  T reciprocal_of(int64_t row) const { return reciprocals_[reciprocals_.size() == 1 ? 0 : row]; }

  // Of one worker: edges of a point, and those of them that won a maximum.
  struct Batch {
    T values[kEdgeBatch], weights[kEdgeBatch], factors[kEdgeBatch], dots[kEdgeBatch];
    const T *total_rows[kEdgeBatch], *maximum_rows[kEdgeBatch];
    const Slot* slot_rows[kEdgeBatch];
    Slot slots[kEdgeBatch];
    T won_weights[kEdgeBatch], won_dots[kEdgeBatch];
    int32_t won_edges[kEdgeBatch];  // numbers in the batch
  };

  void add(int64_t begin, int64_t end, int64_t point, Batch& batch, double* sum) {
    const int64_t size = end - begin;
    const Edge* edges = gradient_.edges + begin;
    const T* features = graph_.features + point * graph_.channels;
    for (int64_t e = 0; e < size; ++e) batch.values[e] = graph_.values[edges[e]];
    kernels_.weigh(batch.values, size, graph_.weighting, batch.weights);
    const int64_t won_size = sort_out(edges, size, batch);

    if (total()) {
      const PointEdges<T, Slot> all{batch.total_rows, batch.factors, nullptr, nullptr, size};
      kernels_.add(all, features, graph_.channels, sum, batch.dots);
    }
    if (won_size > 0) {
      const PointEdges<T, Slot> won{batch.maximum_rows, batch.won_weights, batch.slot_rows,
                                    batch.slots, won_size};
      kernels_.add_won(won, features, graph_.channels, sum, batch.won_dots);
    }
    if (gradient_.grad_values != nullptr) store_values(edges, size, won_size, batch);
  }

  // Where the batch's edges read; returns how many won.
  int64_t sort_out(const Edge* edges, int64_t size, Batch& batch) const {
    int64_t won_size = 0;
    for (int64_t e = 0; e < size; ++e) {
      const int64_t row = quotient_(edges[e]), slot = edges[e] - row * graph_.k;
      const T reciprocal = reciprocal_of(row);
      if (total()) batch.total_rows[e] = gradient_.grad_total + row * gradient_.total_stride;
      batch.factors[e] = batch.weights[e] * reciprocal;
      batch.values[e] = reciprocal;
      if (!maximum() || !won(row, slot)) continue;
      batch.maximum_rows[won_size] = gradient_.grad_maximum + row * gradient_.maximum_stride;
      batch.slot_rows[won_size] = slot_row(row);
      batch.slots[won_size] = static_cast<Slot>(slot);
      batch.won_weights[won_size] = batch.weights[e];
      batch.won_edges[won_size++] = static_cast<int32_t>(e);
    }
    return won_size;
  }

  // The derivative by a weight is features . (grad_total / divisor + grad_maximum where it won).
  void store_values(const Edge* edges, int64_t size, int64_t won_size, Batch& batch) const {
    for (int64_t e = 0; e < size; ++e) {
      batch.dots[e] = total() ? batch.dots[e] * batch.values[e] : 0;
    }
    for (int64_t e = 0; e < won_size; ++e) batch.dots[batch.won_edges[e]] += batch.won_dots[e];
    for (int64_t e = 0; e < size; ++e) {
      gradient_.grad_values[edges[e]] =
          graph_.weighting.value_gradient(batch.dots[e], batch.weights[e]);
    }
  }

  const GravnetGraph<T, Index>& graph_;
  const GravnetGradient<T, Slot, Edge>& gradient_;
  const GravnetKernels<T, Slot> kernels_;
  const Executor& executor_;
  const int workers_;
  const Quotient<Edge> quotient_;
  int64_t won_stride_ = 0;
  std::vector<uint8_t> won_;
  std::vector<T> reciprocals_;
};

}  // namespace

template <typename T, typename Index, typename Slot, typename Edge>
void gravnet_backward_cpu(const GravnetGraph<T, Index>& graph,
                          const GravnetGradient<T, Slot, Edge>& gradient, SimdLevel level,
                          const Executor& executor) {
  Backward<T, Index, Slot, Edge>(graph, gradient, level, executor).run();
}

#define HITGRAPH_INSTANTIATE(T, Index, Slot, Edge)                                     \
  template void gravnet_backward_cpu(const GravnetGraph<T, Index>&,                    \
                                     const GravnetGradient<T, Slot, Edge>&, SimdLevel, \
                                     const Executor&);
#define HITGRAPH_INSTANTIATE_EDGES(T, Index, Slot) \
  HITGRAPH_INSTANTIATE(T, Index, Slot, int32_t)    \
  HITGRAPH_INSTANTIATE(T, Index, Slot, int64_t)
#define HITGRAPH_INSTANTIATE_ALL(T)               \
  HITGRAPH_INSTANTIATE_EDGES(T, int32_t, uint8_t) \
  HITGRAPH_INSTANTIATE_EDGES(T, int32_t, int32_t) \
  HITGRAPH_INSTANTIATE_EDGES(T, int64_t, uint8_t) \
  HITGRAPH_INSTANTIATE_EDGES(T, int64_t, int32_t)
HITGRAPH_INSTANTIATE_ALL(float)
HITGRAPH_INSTANTIATE_ALL(double)
#undef HITGRAPH_INSTANTIATE_ALL
#undef HITGRAPH_INSTANTIATE_EDGES
#undef HITGRAPH_INSTANTIATE

}  // namespace hitgraph
