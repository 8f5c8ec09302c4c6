// GravNet's aggregation over a graph of fixed out-degree (see core/graph.h) and its gradient,
// without an edge tensor. For every row i and channel c, over its edges (i, j):
//   total_ic   = sum of w_ij h_jc, divided by 1, by k or by the number of edges that exist
//   maximum_ic = largest w_ij h_jc, and the slot (column of `index`) it stands in
// with w_ij = exp(-scale * distance2_ij), or given. The rules of an edge are in gravnet_rules.h.
#pragma once

#include <cstdint>

#include "core/executor.h"
#include "core/gravnet_rules.h"
#include "core/simd_level.h"

namespace hitgraph {

template <typename T, typename Index>
struct GravnetGraph {
  const T* features = nullptr;   // (points, channels)
  const Index* index = nullptr;  // (rows, k), -1 where there is no edge
  const T* values = nullptr;     // (rows, k): distance2, or the weights
  Weighting<T> weighting;
  int64_t rows = 0, k = 0, points = 0, channels = 0;
  Divisor divisor = Divisor::kSlots;
  const int32_t* order = nullptr;  // (points), or null; see core/graph.h
};

// What is not wanted is null. Slot = uint8_t for k up to 255, int32_t for any.
template <typename T, typename Slot>
struct GravnetResult {
  T* total = nullptr;    // (rows, channels)
  T* maximum = nullptr;  // (rows, channels)
  Slot* slot = nullptr;  // (rows, channels) if maximum
};

// Rows without edges have total 0 and maximum 0. `missing_is_zero`: an edge that does not exist
// takes part in the maximum with the product 0. The same bits for any level, threads and device:
// products are rounded, then summed in slot order in sums of kSumBlock slots, which are summed in
// order.
template <typename T, typename Index, typename Slot>
void gravnet_aggregate_cpu(const GravnetGraph<T, Index>& graph, bool missing_is_zero,
                           SimdLevel level, const Executor& executor,
                           const GravnetResult<T, Slot>& result);

// The gradient of sum(grad_total * total) + sum(grad_maximum * maximum). A null gradient is zero;
// `slot` is of the forward pass. Rows of the gradients lie a stride apart. `offsets` and `edges`
// are transpose_graph's. Results that are null are not computed.
template <typename T, typename Slot, typename Edge>
struct GravnetGradient {
  const T* grad_total = nullptr;    // (rows, channels)
  const T* grad_maximum = nullptr;  // (rows, channels)
  int64_t total_stride = 0, maximum_stride = 0;
  const Slot* slot = nullptr;        // (rows, channels)
  const int64_t* offsets = nullptr;  // (points + 1)
  const Edge* edges = nullptr;       // (rows * k)
  T* grad_features = nullptr;        // (points, channels)
  T* grad_values = nullptr;          // (rows, k), 0 where there is no edge
};

// Deterministic; sums over the edges of a point are carried in double every so many edges.
template <typename T, typename Index, typename Slot, typename Edge>
void gravnet_backward_cpu(const GravnetGraph<T, Index>& graph,
                          const GravnetGradient<T, Slot, Edge>& gradient, SimdLevel level,
                          const Executor& executor);

}  // namespace hitgraph
