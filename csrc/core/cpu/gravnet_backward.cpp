// One pass over the transposed graph: what an edge adds to the gradient of its point's features,
// and the gradient of its own value, are made of the same two rows.
#include <algorithm>

#include "core/cpu/aligned_buffer.h"
#include "core/cpu/gravnet_row.h"
#include "core/cpu/point_sums.h"
#include "core/cpu/quotient.h"
#include "core/graph_types.h"

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
        quotient_(graph.k),
        won_bytes_((graph.k + 7) / 8) {}

  void run() {
    prepare_rows();
    if (gradient_.grad_values != nullptr) clear_missing();
    // An edge reads rows of three arrays here, and weights one by one.
    constexpr int64_t kNearBytes = int64_t{1} << 20;
    std::vector<Batch> batches(std::max(1, executor_.threads));
    PointSums<T, Edge> sums(gradient_.offsets, gradient_.edges, graph_.points, graph_.channels,
                            gradient_.grad_features);
    sums.run(
        executor_, gravnet_order(graph_, kNearBytes),
        [&](int64_t begin, int64_t end, int64_t point, int worker, double* sum) {
          for (int64_t first = begin; first < end; first += kEdgeBatch) {
            add(first, std::min(end, first + kEdgeBatch), point, batches[worker], sum);
          }
        },
        [&](int64_t edge) {
          prefetch(weights_ + edge, 1);
          const int64_t row = quotient_(edge);
          if (maximum()) prefetch(won_.data() + row * won_bytes_ + (edge - row * graph_.k) / 8, 1);
          if (total()) prefetch(total_row(row), graph_.channels);
        });
  }

 private:
  bool total() const { return gradient_.grad_total != nullptr; }
  bool maximum() const { return gradient_.grad_maximum != nullptr; }
  const T* total_row(int64_t row) const {
    return gradient_.grad_total + row * gradient_.total_stride;
  }

  // Edges that do not exist are the last ones.
  void clear_missing() {
    for (int64_t i = gradient_.offsets[graph_.points]; i < graph_.rows * graph_.k; ++i) {
      gradient_.grad_values[gradient_.edges[i]] = T(0);
    }
  }

  // The weights, which edges won a maximum, and what sums were divided by where that differs.
  // Weights lie where the gradients of the values will: an edge reads one and writes the other
  // once, so that it touches one line instead of two.
  void prepare_rows() {
    T* weights = gradient_.grad_values;
    if (weights == nullptr) {
      own_weights_.resize(graph_.rows * graph_.k);
      weights = own_weights_.data();
      advise_huge_pages(weights, graph_.rows * graph_.k * sizeof(T));
    }
    weights_ = weights;
    if (maximum()) won_.resize(graph_.rows * won_bytes_);
    const bool differs = graph_.divisor == Divisor::kPresent;
    reciprocals_.assign(differs ? graph_.rows : 1,
                        1 / gravnet_divisor<T>(graph_.divisor, graph_.k, 0));
    for_each_task(executor_, graph_.rows, 256, [&](int64_t row, int) {
      const int64_t edge = row * graph_.k;
      kernels_.weigh(graph_.values + edge, graph_.k, graph_.weighting, weights + edge);
      if (differs) {
        reciprocals_[row] = 1 / gravnet_divisor<T>(graph_.divisor, graph_.k, present(row));
      }
      if (maximum()) note_winners(row);
    });
  }
  int64_t present(int64_t row) const {
    const Index* ends = graph_.index + row * graph_.k;
    return std::count_if(ends, ends + graph_.k, [](Index j) { return j >= 0; });
  }

  // Bit `slot` of the row's bytes says that the slot won a channel.
  void note_winners(int64_t row) {
    const int64_t channels = graph_.channels;
    const Slot* slots = gradient_.slot + row * channels;
    uint8_t* bytes = won_.data() + row * won_bytes_;
    if (graph_.k <= 64) {  // in a register
      uint64_t bits = 0;
      for (int64_t c = 0; c < channels; ++c) {
        bits |= slots[c] == no_slot<Slot>() ? 0 : uint64_t{1} << (slots[c] & 63);
      }
      for (int64_t i = 0; i < won_bytes_; ++i) bytes[i] = static_cast<uint8_t>(bits >> 8 * i);
      return;
    }
    for (int64_t c = 0; c < channels; ++c) {
      if (slots[c] == no_slot<Slot>()) continue;
      bytes[slots[c] / 8] |= static_cast<uint8_t>(1 << slots[c] % 8);
    }
  }

  // Of one worker: edges of a point, and those of them that won a maximum.
  struct Batch {
    int64_t rows[kEdgeBatch];
    T weights[kEdgeBatch], reciprocals[kEdgeBatch], factors[kEdgeBatch], dots[kEdgeBatch];
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

  // What the batch's edges read; returns how many won. The loops are short, so that the processor
  // has many edges' loads under way at once, and nothing branches on which edges won, which nobody
  // can predict. Everything is in local variables, since what is written could be a member for all
  // that the compiler knows.
  int64_t sort_out(const Edge* edges, int64_t size, Batch& batch) const {
    const Quotient<Edge> quotient = quotient_;
    const T *weights = weights_, *reciprocals = reciprocals_.data();
    for (int64_t e = 0; e < size; ++e) {
      batch.weights[e] = weights[edges[e]];
      batch.rows[e] = quotient(edges[e]);
    }
    const bool differs = reciprocals_.size() > 1;
    for (int64_t e = 0; e < size; ++e) {
      batch.reciprocals[e] = reciprocals[differs ? batch.rows[e] : 0];
    }
    const T* grad_total = gradient_.grad_total;
    const int64_t stride = gradient_.total_stride;
    for (int64_t e = 0; e < size; ++e) {
      batch.factors[e] = batch.weights[e] * batch.reciprocals[e];
      batch.total_rows[e] = grad_total + batch.rows[e] * stride;
    }
    return maximum() ? sort_out_won(edges, size, batch) : 0;
  }

  int64_t sort_out_won(const Edge* edges, int64_t size, Batch& batch) const {
    const uint8_t* won = won_.data();
    const int64_t k = graph_.k, bytes = won_bytes_;
    int64_t won_size = 0;
    for (int64_t e = 0; e < size; ++e) {
      const auto slot = static_cast<uint64_t>(edges[e] - batch.rows[e] * k);
      batch.won_edges[won_size] = static_cast<int32_t>(e);
      won_size += won[batch.rows[e] * bytes + slot / 8] >> slot % 8 & 1;
    }
    const GravnetGradient<T, Slot, Edge> gradient = gradient_;
    const int64_t channels = graph_.channels;
    for (int64_t i = 0; i < won_size; ++i) {
      const int64_t e = batch.won_edges[i], row = batch.rows[e];
      batch.maximum_rows[i] = gradient.grad_maximum + row * gradient.maximum_stride;
      batch.slot_rows[i] = gradient.slot + row * channels;
      prefetch(batch.maximum_rows[i], channels);  // read after the sums of all edges
      prefetch(batch.slot_rows[i], channels);
      batch.slots[i] = static_cast<Slot>(edges[e] - row * k);
      batch.won_weights[i] = batch.weights[e];
    }
    return won_size;
  }

  // The derivative by a weight is features . (grad_total / divisor + grad_maximum where it won).
  void store_values(const Edge* edges, int64_t size, int64_t won_size, Batch& batch) const {
    for (int64_t e = 0; e < size; ++e) {
      batch.dots[e] = total() ? batch.dots[e] * batch.reciprocals[e] : 0;
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
  const Quotient<Edge> quotient_;
  const T* weights_ = nullptr;
  AlignedBuffer<T> own_weights_;
  const int64_t won_bytes_;   // of a row
  std::vector<uint8_t> won_;  // zeros at first
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
HITGRAPH_FOR_TRANSPOSED_TYPES(HITGRAPH_INSTANTIATE)
#undef HITGRAPH_INSTANTIATE

}  // namespace hitgraph
