// The inner loops of GravNet's aggregation, one table of them for every instruction set.
#pragma once

#include "core/gravnet_rules.h"
#include "core/simd_level.h"

namespace hitgraph {

// Edges that are worked on together: those of a row that take part, in slot order, or some that
// reach one point.
template <typename T>
struct EdgeList {
  const T* const* rows = nullptr;  // of features or gradients, one an edge
  const T* weights = nullptr;
  const int32_t* slots = nullptr;
  int64_t size = 0;
};

template <typename T, typename Slot>
struct GravnetKernels {
  void (*weigh)(const T* values, int64_t count, const Weighting<T>& weighting, T* weights);
  // The sums and the maxima of the edges' products, of at least one edge. Null: not wanted.
  void (*total)(const EdgeList<T>& edges, int64_t channels, T* total);
  void (*maximum)(const EdgeList<T>& edges, int64_t channels, T* total, T* maximum, Slot* slot);
  // dots[e] = rows[e] . vector
  void (*dot)(const EdgeList<T>& edges, const T* vector, int64_t channels, T* dots);
  // sum += sum over the edges of weights[e] rows[e]
  void (*add)(const EdgeList<T>& edges, int64_t channels, double* sum);
  // sum += weight * row where the slot is this one
  void (*add_where)(const T* row, const Slot* slots, Slot slot, T weight, int64_t channels, T* sum);
};

template <typename T, typename Slot>
GravnetKernels<T, Slot> gravnet_kernels_portable();
template <typename T, typename Slot>
GravnetKernels<T, Slot> gravnet_kernels_avx2();
template <typename T, typename Slot>
GravnetKernels<T, Slot> gravnet_kernels_avx512();

template <typename T, typename Slot>
GravnetKernels<T, Slot> gravnet_kernels(SimdLevel level) {
#if defined(HITGRAPH_HAVE_AVX512)
  if (level == SimdLevel::kAvx512) return gravnet_kernels_avx512<T, Slot>();
#endif
#if defined(HITGRAPH_HAVE_AVX2)
  if (level == SimdLevel::kAvx2) return gravnet_kernels_avx2<T, Slot>();
#endif
  (void)level;
  return gravnet_kernels_portable<T, Slot>();
}

}  // namespace hitgraph
