// Two passes: over the rows for the gradient of the values, over the transposed graph for that of
// the features.
#include <algorithm>

#include "core/cpu/gravnet_row.h"
#include "core/cpu/point_sums.h"

namespace hitgraph {
namespace {

// So many products are summed in T before the sum goes into a double.
constexpr int64_t kBatch = 64;

// The row of an edge: a division takes as long as half of an edge's work.
template <typename Edge>
class Quotient {
 public:
  explicit Quotient(int64_t k) : k_(k) {}
  int64_t operator()(int64_t edge) const { return edge / k_; }

 private:
  int64_t k_;
};

// Exact for dividends and divisors below 2^32 (Lemire, Kaser, Kurz 2019, arXiv:1902.01961).
template <>
class Quotient<int32_t> {
 public:
  explicit Quotient(int64_t k) : k_(k), reciprocal_(~uint64_t{0} / static_cast<uint64_t>(k) + 1) {}
  int64_t operator()(int64_t edge) const {
    if (k_ == 1) return edge;
    return static_cast<int64_t>(static_cast<unsigned __int128>(reciprocal_) * edge >> 64);
  }

 private:
  int64_t k_;
  uint64_t reciprocal_;
};

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
    order_ = gravnet_order(graph_);
    if (gradient_.grad_values != nullptr) visit_rows();
    if (gradient_.grad_features != nullptr) visit_points();
  }

 private:
  bool maximum() const { return gradient_.grad_maximum != nullptr; }
  const T* total_row(int64_t row) const {
    return gradient_.grad_total + row * gradient_.total_stride;
  }
  const T* maximum_row(int64_t row) const {
    return gradient_.grad_maximum + row * gradient_.maximum_stride;
  }
  const Slot* slot_row(int64_t row) const { return gradient_.slot + row * graph_.channels; }

  // The derivative by a weight is h_j . (grad_total / divisor + grad_maximum where it won).
  void visit_rows() {
    std::vector<GravnetRow<T>> scratch(workers_, GravnetRow<T>(graph_, false));
    std::vector<std::vector<T>> by_edge(workers_, std::vector<T>(graph_.k)), by_slot(by_edge);
    for_each_row(graph_, order_, executor_, [&](int64_t row, int worker) {
      scratch[worker].load(graph_, kernels_, row);
      by_row(row, scratch[worker], by_edge[worker].data(), by_slot[worker].data());
    });
  }

  void by_row(int64_t row, const GravnetRow<T>& edges, T* dots, T* by_weight) {
    const EdgeList<T> list = edges.edges();
    const Index* ends = graph_.index + row * graph_.k;
    T* values = gradient_.grad_values + row * graph_.k;
    std::fill_n(by_weight, graph_.k, T(0));
    if (gradient_.grad_total != nullptr) {
      const T divisor = gravnet_divisor<T>(graph_.divisor, graph_.k, edges.present());
      kernels_.dot(list, total_row(row), graph_.channels, dots);
      for (int64_t e = 0; e < list.size; ++e) by_weight[list.slots[e]] = dots[e] / divisor;
    }
    if (maximum()) {
      const T* grad = maximum_row(row);
      const Slot* slots = slot_row(row);
      for (int64_t c = 0; c < graph_.channels; ++c) {
        const Slot slot = slots[c];
        if (slot == no_slot<Slot>() || ends[slot] < 0) continue;
        by_weight[slot] += graph_.features[ends[slot] * graph_.channels + c] * grad[c];
      }
    }
    std::fill_n(values, graph_.k, T(0));
    for (int64_t e = 0; e < list.size; ++e) {
      const int32_t slot = list.slots[e];
      values[slot] = graph_.weighting.value_gradient(by_weight[slot], list.weights[e]);
    }
  }

  // Which edges won a maximum, a bit each, and what sums were divided by where that differs.
  void prepare_rows() {
    won_stride_ = (graph_.k + 7) / 8;
    if (maximum()) won_.assign(graph_.rows * won_stride_, 0);
    const bool differs = graph_.divisor == Divisor::kPresent;
    divisors_.assign(differs ? graph_.rows : 1, gravnet_divisor<T>(graph_.divisor, graph_.k, 0));
    if (!maximum() && !differs) return;
    for_each_task(executor_, graph_.rows, 256, [&](int64_t row, int) {
      if (differs) {
        const Index* ends = graph_.index + row * graph_.k;
        const int64_t missing = std::count_if(ends, ends + graph_.k, [](Index j) { return j < 0; });
        divisors_[row] = gravnet_divisor<T>(graph_.divisor, graph_.k, graph_.k - missing);
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
  T divisor_of(int64_t row) const { return divisors_[divisors_.size() == 1 ? 0 : row]; }

  // What one worker needs to sum edges of a point.
  struct PointScratch {
    std::vector<const T*> rows = std::vector<const T*>(kBatch);
    std::vector<T> values = std::vector<T>(kBatch), weights = values, factors = values;
    std::vector<T> won;  // (channels) products of maxima of a batch
  };

  void visit_points() {
    prepare_rows();
    std::vector<PointScratch> scratch(workers_);
    for (PointScratch& worker : scratch) worker.won.resize(graph_.channels);
    PointSums<T> sums(gradient_.offsets, graph_.points, graph_.channels, gradient_.grad_features);
    sums.run(executor_, order_, [&](int64_t begin, int64_t end, int64_t, int worker, double* sum) {
      for (int64_t first = begin; first < end; first += kBatch) {
        add_batch(first, std::min(end, first + kBatch), scratch[worker], sum);
      }
    });
  }

  void add_batch(int64_t begin, int64_t end, PointScratch& scratch, double* sum) {
    const int64_t size = end - begin;
    const Edge* edges = gradient_.edges + begin;
    for (int64_t e = 0; e < size; ++e) scratch.values[e] = graph_.values[edges[e]];
    kernels_.weigh(scratch.values.data(), size, graph_.weighting, scratch.weights.data());
    bool any = false;
    for (int64_t e = 0; e < size; ++e) {
      const int64_t row = quotient_(edges[e]), slot = edges[e] - row * graph_.k;
      if (gradient_.grad_total != nullptr) {
        scratch.rows[e] = total_row(row);
        scratch.factors[e] = scratch.weights[e] / divisor_of(row);
      }
      if (maximum() && won(row, slot)) {
        if (!any) std::fill(scratch.won.begin(), scratch.won.end(), T(0));
        any = true;
        kernels_.add_where(maximum_row(row), slot_row(row), static_cast<Slot>(slot),
                           scratch.weights[e], graph_.channels, scratch.won.data());
      }
    }
    if (gradient_.grad_total != nullptr) {
      kernels_.add({scratch.rows.data(), scratch.factors.data(), nullptr, size}, graph_.channels,
                   sum);
    }
    if (!any) return;
    for (int64_t c = 0; c < graph_.channels; ++c) sum[c] += scratch.won[c];
  }

  const GravnetGraph<T, Index>& graph_;
  const GravnetGradient<T, Slot, Edge>& gradient_;
  const GravnetKernels<T, Slot> kernels_;
  const Executor& executor_;
  const int workers_;
  const Quotient<Edge> quotient_;
  std::vector<int32_t> order_;
  int64_t won_stride_ = 0;
  std::vector<uint8_t> won_;
  std::vector<T> divisors_;
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
