#include "core/gravnet.h"

#include <algorithm>

#include "core/cpu/gravnet_row.h"
#include "core/graph_types.h"

namespace hitgraph {

template <typename T, typename Index, typename Slot>
void gravnet_aggregate_cpu(const GravnetGraph<T, Index>& graph, bool missing_is_zero,
                           SimdLevel level, const Executor& executor,
                           const GravnetResult<T, Slot>& result) {
  const GravnetKernels<T, Slot> kernels = gravnet_kernels<T, Slot>(level);
  std::vector<GravnetRow<T>> scratch(std::max(1, executor.threads),
                                     GravnetRow<T>(graph, missing_is_zero));
  const int64_t channels = graph.channels;

  constexpr int64_t kNearBytes = int64_t{1} << 23;
  for_each_row(graph, gravnet_order(graph, kNearBytes), executor, [&](int64_t row, int worker) {
    GravnetRow<T>& edges = scratch[worker];
    edges.load(graph, kernels, row);
    T* total = result.total == nullptr ? nullptr : result.total + row * channels;
    T* maximum = result.maximum == nullptr ? nullptr : result.maximum + row * channels;
    Slot* slot = result.maximum == nullptr ? nullptr : result.slot + row * channels;
    if (edges.edges().size == 0) {
      if (total != nullptr) std::fill_n(total, channels, T(0));
      if (maximum != nullptr) std::fill_n(maximum, channels, T(0));
      if (slot != nullptr) std::fill_n(slot, channels, no_slot<Slot>());
      return;
    }
    if (maximum != nullptr) {
      kernels.maximum(edges.edges(), channels, total, maximum, slot);
    } else {
      kernels.total(edges.edges(), channels, total);
    }
    if (total == nullptr || graph.divisor == Divisor::kOne) return;
    const T divisor = gravnet_divisor<T>(graph.divisor, graph.k, edges.present());
    for (int64_t c = 0; c < channels; ++c) total[c] /= divisor;
  });
}

#define HITGRAPH_INSTANTIATE(T, Index, Slot)                                          \
  template void gravnet_aggregate_cpu(const GravnetGraph<T, Index>&, bool, SimdLevel, \
                                      const Executor&, const GravnetResult<T, Slot>&);
HITGRAPH_FOR_GRAPH_TYPES(HITGRAPH_INSTANTIATE)
#undef HITGRAPH_INSTANTIATE

}  // namespace hitgraph
