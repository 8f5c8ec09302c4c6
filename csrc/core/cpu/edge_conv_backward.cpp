// Two passes: over the rows, for the gradients of the selected edges and of the centers, and over
// the transposed graph, for those of the neighbours.
#include <algorithm>
#include <vector>

#include "core/cpu/edge_conv_row.h"
#include "core/cpu/gravnet_kernels.h"
#include "core/cpu/point_sums.h"
#include "core/cpu/quotient.h"
#include "core/graph_types.h"
#include "core/gravnet_rules.h"

namespace hitgraph {
namespace {

template <typename T, typename Index, typename Slot, typename Edge>
class Backward {
 public:
  Backward(const EdgeConvGraph<T, Index>& graph, const EdgeConvGradient<T, Slot, Edge>& gradient,
           SimdLevel level, const Executor& executor)
      : graph_(graph),
        gradient_(gradient),
        kernels_(edge_conv_kernels<T, Slot>(level)),
        executor_(executor),
        channels_(graph.channels),
        workers_(std::max(1, executor.threads)),
        grad_sums_(2 * channels_) {}

  void run() {
    by_rows();
    for (int64_t c = 0; c < channels_; ++c) {
      gradient_.grad_scale[c] = static_cast<T>(grad_sums_[c]);
      gradient_.grad_shift[c] = static_cast<T>(grad_sums_[channels_ + c]);
    }
    share_of_all_edges();
    by_centers();
    by_points();
  }

 private:
  // factor dz of every row's selected edge, and the sums of dz normal and of dz. In grad_center,
  // for now, the sum over a row's edges of y - mean.
  void by_rows() {
    struct Worker {
      EdgeConvRow<T> row;
      std::vector<T> selected, sum;
    };
    std::vector<Worker> scratch(
        workers_,
        Worker{EdgeConvRow<T>(graph_.k), std::vector<T>(channels_), std::vector<T>(channels_)});
    for_each_row_summing(graph_.rows, 2 * channels_, executor_, grad_sums_.data(),
                         [&](int64_t row, int number, double* share) {
                           Worker& worker = scratch[number];
                           worker.row.load(graph_, row);
                           T* by_selected = gradient_.by_selected + row * channels_;
                           T* deviations = gradient_.grad_center + row * channels_;
                           if (worker.row.size() == 0) {
                             std::fill_n(by_selected, channels_, T(0));
                             std::fill_n(deviations, channels_, T(0));
                             return;
                           }
                           kernels_.revisit(worker.row.template edges<Slot>(), channels_,
                                            gradient_.slot + row * gradient_.slot_stride,
                                            worker.selected.data(), worker.sum.data());
                           const T* center = graph_.center + row * graph_.center_stride;
                           const T* grad = gradient_.grad + row * gradient_.grad_stride;
                           const T size = static_cast<T>(worker.row.size());
                           for (int64_t c = 0; c < channels_; ++c) {
                             const T from = center[c] - gradient_.mean[c];
                             const T deviation = from + worker.selected[c];
                             const T z = gradient_.shift[c] + gradient_.factor[c] * deviation;
                             const T by_z = z > 0 ? grad[c] : gradient_.slope * grad[c];
                             share[c] += by_z * deviation * gradient_.inverse[c];
                             share[channels_ + c] += by_z;
                             by_selected[c] = by_z * gradient_.factor[c];
                             deviations[c] = size * from + worker.sum[c];
                           }
                         });
  }

  // What every edge has, selected or not: a part, and another times y - mean.
  void share_of_all_edges() {
    const double edges = static_cast<double>(gradient_.offsets[graph_.points]);
    constant_.assign(channels_, T(0));
    linear_.assign(channels_, T(0));
    if (!gradient_.trained || edges == 0) return;
    for (int64_t c = 0; c < channels_; ++c) {
      constant_[c] = static_cast<T>(-gradient_.factor[c] * grad_sums_[channels_ + c] / edges);
      linear_[c] =
          static_cast<T>(-gradient_.factor[c] * gradient_.inverse[c] * grad_sums_[c] / edges);
    }
  }

  void by_centers() {
    for_each_task(executor_, graph_.rows, kRowShare, [&](int64_t row, int) {
      const Index* ends = graph_.index + row * graph_.k;
      const auto size =
          static_cast<T>(std::count_if(ends, ends + graph_.k, [](Index j) { return j >= 0; }));
      const T* by_selected = gradient_.by_selected + row * channels_;
      T* grad = gradient_.grad_center + row * channels_;
      for (int64_t c = 0; c < channels_; ++c) {
        grad[c] = by_selected[c] + size * constant_[c] + linear_[c] * grad[c];
      }
    });
  }

  void by_points() {
    const Quotient<Edge> quotient(std::max<int64_t>(graph_.k, 1));
    struct Batch {
      const T *rows[kEdgeBatch], *grad_rows[kEdgeBatch];
      const Slot* slot_rows[kEdgeBatch];
      int32_t slots[kEdgeBatch];
    };
    std::vector<Batch> batches(workers_);
    T* sums = gradient_.sums;
    PointSums<T, Edge> points(gradient_.offsets, gradient_.edges, graph_.points, 2 * channels_,
                              sums);
    const auto add = [&](int64_t begin, int64_t end, int64_t, int worker, double* sum) {
      Batch& batch = batches[worker];
      for (int64_t first = begin; first < end; first += kEdgeBatch) {
        const int64_t size = std::min(end - first, kEdgeBatch);
        for (int64_t e = 0; e < size; ++e) {
          const int64_t edge = gradient_.edges[first + e], row = quotient(edge);
          batch.rows[e] = graph_.center + row * graph_.center_stride;
          batch.grad_rows[e] = gradient_.by_selected + row * channels_;
          batch.slot_rows[e] = gradient_.slot + row * gradient_.slot_stride;
          batch.slots[e] = static_cast<int32_t>(edge - row * graph_.k);
        }
        kernels_.reach({batch.rows, batch.slots, batch.grad_rows, batch.slot_rows, size}, channels_,
                       sum);
      }
    };
    points.run(executor_, {}, add, [](int64_t) {});
    for_each_task(executor_, graph_.points, kRowShare, [&](int64_t point, int) {
      const auto size = static_cast<T>(gradient_.offsets[point + 1] - gradient_.offsets[point]);
      const T* neighbour = graph_.neighbour + point * graph_.neighbour_stride;
      T *centers = sums + point * 2 * channels_, *won = centers + channels_;
      for (int64_t c = 0; c < channels_; ++c) {
        const T deviations = centers[c] + size * (neighbour[c] - gradient_.mean[c]);
        won[c] += size * constant_[c] + linear_[c] * deviations;
      }
    });
  }

  const EdgeConvGraph<T, Index>& graph_;
  const EdgeConvGradient<T, Slot, Edge>& gradient_;
  const EdgeConvKernels<T, Slot> kernels_;
  const Executor& executor_;
  const int64_t channels_;
  const int workers_;
  std::vector<double> grad_sums_;
  std::vector<T> constant_, linear_;
};

}  // namespace

template <typename T, typename Index, typename Slot, typename Edge>
void edge_conv_backward_cpu(const EdgeConvGraph<T, Index>& graph, SimdLevel level,
                            const Executor& executor,
                            const EdgeConvGradient<T, Slot, Edge>& gradient) {
  Backward<T, Index, Slot, Edge>(graph, gradient, level, executor).run();
}

#define HITGRAPH_INSTANTIATE(T, Index, Slot, Edge)                                                 \
  template void edge_conv_backward_cpu(const EdgeConvGraph<T, Index>&, SimdLevel, const Executor&, \
                                       const EdgeConvGradient<T, Slot, Edge>&);
HITGRAPH_FOR_TRANSPOSED_TYPES(HITGRAPH_INSTANTIATE)
#undef HITGRAPH_INSTANTIATE

}  // namespace hitgraph
