// Two passes: over the rows for the gradient of the values, over the transposed graph for that of
// the features.
#include <algorithm>

#include "core/cpu/gravnet_row.h"

namespace hitgraph {
namespace {

// The edges in the order of the point that they reach are cut into shares of this many, wherever
// that falls: a hub is the work of many.
constexpr int64_t kShare = 8192;
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
    for_each_task(executor_, graph_.rows, 64, [&](int64_t row, int worker) {
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
    std::vector<T> won;       // (channels) products of maxima of a batch
    std::vector<double> sum;  // (channels)
  };

  // A point whose edges are all in one share is done there; the others' parts are joined.
  void visit_points() {
    prepare_rows();
    const int64_t edges = gradient_.offsets[graph_.points];
    const int64_t shares = (edges + kShare - 1) / kShare;
    // The first and the last point of a share may be in others.
    std::vector<double> parts(2 * shares * graph_.channels, 0.0);
    std::vector<PointScratch> scratch(workers_);
    for (PointScratch& worker : scratch) {
      worker.won.resize(graph_.channels);
      worker.sum.resize(graph_.channels);
    }
    for_each_task(executor_, shares, 1, [&](int64_t share, int worker) {
      visit_share(share, std::min(edges, (share + 1) * kShare), scratch[worker],
                  parts.data() + 2 * share * graph_.channels);
    });
    join(parts);
  }

  // The point that edge number `place` of the transposed graph reaches.
  int64_t point_of(int64_t place) const {
    const int64_t* begin = gradient_.offsets;
    return std::upper_bound(begin, begin + graph_.points + 1, place) - begin - 1;
  }

  void visit_share(int64_t share, int64_t end, PointScratch& scratch, double* parts) {
    const int64_t* offsets = gradient_.offsets;
    for (int64_t begin = share * kShare, point = point_of(begin); begin < end; ++point) {
      const int64_t past = std::min(end, offsets[point + 1]);
      if (past == begin) continue;
      std::fill(scratch.sum.begin(), scratch.sum.end(), 0.0);
      for (int64_t first = begin; first < past; first += kBatch) {
        add_batch(first, std::min(past, first + kBatch), scratch);
      }
      if (offsets[point] == begin && offsets[point + 1] == past) {
        store(scratch.sum, point);
      } else {
        std::copy(scratch.sum.begin(), scratch.sum.end(),
                  parts + (offsets[point] < begin ? 0 : graph_.channels));
      }
      begin = past;
    }
  }

  void add_batch(int64_t begin, int64_t end, PointScratch& scratch) {
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
                   scratch.sum.data());
    }
    if (!any) return;
    for (int64_t c = 0; c < graph_.channels; ++c) scratch.sum[c] += scratch.won[c];
  }

  // Sums of points that lie in several shares, and of those without edges.
  void join(const std::vector<double>& parts) {
    const int64_t channels = graph_.channels;
    for_each_task(executor_, graph_.points, 4096, [&](int64_t point, int) {
      const int64_t begin = gradient_.offsets[point], end = gradient_.offsets[point + 1];
      T* grad = gradient_.grad_features + point * channels;
      if (begin == end) std::fill_n(grad, channels, T(0));
      const int64_t first = begin / kShare, last = (end - 1) / kShare;
      if (begin == end || first == last) return;
      for (int64_t c = 0; c < channels; ++c) {
        double sum = parts[(2 * first + 1) * channels + c];
        for (int64_t share = first + 1; share <= last; ++share) {
          sum += parts[2 * share * channels + c];
        }
        grad[c] = static_cast<T>(sum);
      }
    });
  }

  void store(const std::vector<double>& sum, int64_t point) {
    std::transform(sum.begin(), sum.end(), gradient_.grad_features + point * graph_.channels,
                   [](double value) { return static_cast<T>(value); });
  }

  const GravnetGraph<T, Index>& graph_;
  const GravnetGradient<T, Slot, Edge>& gradient_;
  const GravnetKernels<T, Slot> kernels_;
  const Executor& executor_;
  const int workers_;
  const Quotient<Edge> quotient_;
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
