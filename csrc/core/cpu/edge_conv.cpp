#include "core/edge_conv.h"

#include <algorithm>

#include "core/cpu/edge_conv_row.h"
#include "core/graph_types.h"
#include "core/gravnet_rules.h"

namespace hitgraph {

template <typename Index>
void edge_degrees(const Index* index, int64_t rows, int64_t k, int64_t points, int32_t* of_rows,
                  int32_t* of_points) {
  std::fill_n(of_points, points, 0);
  for (int64_t row = 0; row < rows; ++row) {
    of_rows[row] = 0;
    for (int64_t edge = row * k; edge < (row + 1) * k; ++edge) {
      if (index[edge] < 0) continue;
      ++of_rows[row];
      ++of_points[index[edge]];
    }
  }
}
template void edge_degrees(const int32_t*, int64_t, int64_t, int64_t, int32_t*, int32_t*);
template void edge_degrees(const int64_t*, int64_t, int64_t, int64_t, int32_t*, int32_t*);

template <typename T>
void weighted_column_sums(const T* values, int64_t stride, int64_t rows, int64_t channels,
                          const int32_t* degrees, const Executor& executor, double* sums) {
  for_each_row_summing(rows, channels, executor, sums, [&](int64_t row, int, double* share) {
    const double degree = degrees[row];
    const T* value = values + row * stride;
    for (int64_t c = 0; c < channels; ++c) share[c] += degree * value[c];
  });
}
template void weighted_column_sums(const float*, int64_t, int64_t, int64_t, const int32_t*,
                                   const Executor&, double*);
template void weighted_column_sums(const double*, int64_t, int64_t, int64_t, const int32_t*,
                                   const Executor&, double*);

template <typename T, typename Index, typename Slot>
void edge_conv_select_cpu(const EdgeConvGraph<T, Index>& graph, SimdLevel level,
                          const Executor& executor, const EdgeConvSelection<T, Slot>& selection) {
  const EdgeConvKernels<T, Slot> kernels = edge_conv_kernels<T, Slot>(level);
  const int64_t channels = graph.channels;
  struct Worker {
    EdgeConvRow<T> row;
    std::vector<T> offset, squares;
  };
  std::vector<Worker> workers(
      std::max(1, executor.threads),
      Worker{EdgeConvRow<T>(graph.k), std::vector<T>(channels), std::vector<T>(channels)});
  const bool with_squares = selection.square_sums != nullptr;
  std::vector<double> unwanted(channels);
  double* sums = with_squares ? selection.square_sums : unwanted.data();
  for_each_row_summing(graph.rows, channels, executor, sums,
                       [&](int64_t row, int number, double* share) {
                         Worker& worker = workers[number];
                         worker.row.load(graph, row);
                         T* value = selection.value + row * selection.stride;
                         Slot* slot = selection.slot + row * selection.stride;
                         if (worker.row.size() == 0) {
                           std::fill_n(value, channels, T(0));
                           std::fill_n(slot, channels, no_slot<Slot>());
                           return;
                         }
                         const T* center = graph.center + row * graph.center_stride;
                         for (int64_t c = 0; c < channels; ++c)
                           worker.offset[c] = center[c] - selection.mean[c];
                         kernels.select(worker.row.template edges<Slot>(), channels, selection.sign,
                                        worker.offset.data(), value, slot,
                                        with_squares ? worker.squares.data() : nullptr);
                         for (int64_t c = 0; c < channels; ++c) value[c] += center[c];
                         if (!with_squares) return;
                         for (int64_t c = 0; c < channels; ++c) share[c] += worker.squares[c];
                       });
}

template <typename T, typename Slot>
void edge_conv_activate_cpu(const EdgeConvSelection<T, Slot>& selection, int64_t rows,
                            int64_t channels, const T* factor, const T* shift, T slope,
                            const Executor& executor) {
  for_each_task(executor, rows, kRowShare, [&](int64_t row, int) {
    T* value = selection.value + row * selection.stride;
    if (selection.slot[row * selection.stride] == no_slot<Slot>()) return;
    for (int64_t c = 0; c < channels; ++c) {
      const T z = shift[c] + factor[c] * (value[c] - selection.mean[c]);
      value[c] = z > 0 ? z : slope * z;
    }
  });
}
template void edge_conv_activate_cpu(const EdgeConvSelection<float, uint8_t>&, int64_t, int64_t,
                                     const float*, const float*, float, const Executor&);
template void edge_conv_activate_cpu(const EdgeConvSelection<float, int32_t>&, int64_t, int64_t,
                                     const float*, const float*, float, const Executor&);
template void edge_conv_activate_cpu(const EdgeConvSelection<double, uint8_t>&, int64_t, int64_t,
                                     const double*, const double*, double, const Executor&);
template void edge_conv_activate_cpu(const EdgeConvSelection<double, int32_t>&, int64_t, int64_t,
                                     const double*, const double*, double, const Executor&);

#define HITGRAPH_INSTANTIATE(T, Index, Slot)                                                     \
  template void edge_conv_select_cpu(const EdgeConvGraph<T, Index>&, SimdLevel, const Executor&, \
                                     const EdgeConvSelection<T, Slot>&);
HITGRAPH_FOR_GRAPH_TYPES(HITGRAPH_INSTANTIATE)
#undef HITGRAPH_INSTANTIATE

}  // namespace hitgraph
