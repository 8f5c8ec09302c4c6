// The inner loops of GravNet's aggregation, one table of them for every instruction set.
#pragma once

#include "core/gravnet_rules.h"
#include "core/simd_level.h"

namespace hitgraph {

// Edges of a row that take part, in slot order.
template <typename T>
struct RowEdges {
  const T* const* rows = nullptr;  // of features
  const T* weights = nullptr;
  const int32_t* slots = nullptr;
  int64_t size = 0;
};

// So many edges of a point are worked on together, and so many products summed in T before the sum
// goes into a double.
constexpr int64_t kEdgeBatch = 32;

// At most kEdgeBatch edges that reach one point.
template <typename T, typename Slot>
struct PointEdges {
  const T* const* rows = nullptr;  // of gradients
  const T* weights = nullptr;
  const Slot* const* slot_rows = nullptr;  // for maxima: which slot won each channel
  const Slot* slots = nullptr;             // and the edge's own
  int64_t size = 0;
};

template <typename T, typename Slot>
struct GravnetKernels {
  void (*weigh)(const T* values, int64_t count, const Weighting<T>& weighting, T* weights);
  // The sums and the maxima of the edges' products, of at least one edge. Null: not wanted.
  void (*total)(const RowEdges<T>& edges, int64_t channels, T* total);
  void (*maximum)(const RowEdges<T>& edges, int64_t channels, T* total, T* maximum, Slot* slot);
  // sum += sum over the edges of weights[e] rows[e], dots[e] = rows[e] . features
  void (*add)(const PointEdges<T, Slot>& edges, const T* features, int64_t channels, double* sum,
              T* dots);
  // The same of the rows where the edge won.
  void (*add_won)(const PointEdges<T, Slot>& edges, const T* features, int64_t channels,
                  double* sum, T* dots);
};

template <typename T, typename Slot>
GravnetKernels<T, Slot> gravnet_kernels_portable();
template <typename T, typename Slot>
GravnetKernels<T, Slot> gravnet_kernels_avx2();
template <typename T, typename Slot>
GravnetKernels<T, Slot> gravnet_kernels_avx512();

template <typename T, typename Slot>
GravnetKernels<T, Slot> gravnet_kernels(SimdLevel level) {
  return HITGRAPH_AT_SIMD_LEVEL(level, gravnet_kernels, <T, Slot>());
}

}  // namespace hitgraph
