// The inner loops of EdgeConv, one table of them for every instruction set.
#pragma once

#include <cstdint>

#include "core/simd_level.h"

namespace hitgraph {

// Edges of a row that exist, in slot order, or edges that reach a point.
template <typename T, typename Slot>
struct EdgeRows {
  const T* const* rows = nullptr;          // of neighbours, or of centers
  const int32_t* slots = nullptr;          // of each edge in its row
  const T* const* grad_rows = nullptr;     // of an edge's row, where edges reach a point
  const Slot* const* slot_rows = nullptr;  // which slot that row selected
  int64_t size = 0;
};

template <typename T, typename Slot>
struct EdgeConvKernels {
  // Of at least one edge: best = the largest sign * row, and its slot; squares = the sum over edges
  // of (offset + row)^2 if not null.
  void (*select)(const EdgeRows<T, Slot>& edges, int64_t channels, const T* sign, const T* offset,
                 T* best, Slot* slot, T* squares);
  // selected = the row at the slot that was selected, sum = the sum of all rows.
  void (*revisit)(const EdgeRows<T, Slot>& edges, int64_t channels, const Slot* slot, T* selected,
                  T* sum);
  // sums[c] += the sum of all rows, sums[channels + c] += that of the gradients where the edge was
  // selected. At most kEdgeBatch edges; added up in T first.
  void (*reach)(const EdgeRows<T, Slot>& edges, int64_t channels, double* sums);
};

template <typename T, typename Slot>
EdgeConvKernels<T, Slot> edge_conv_kernels_portable();
template <typename T, typename Slot>
EdgeConvKernels<T, Slot> edge_conv_kernels_avx2();
template <typename T, typename Slot>
EdgeConvKernels<T, Slot> edge_conv_kernels_avx512();

template <typename T, typename Slot>
EdgeConvKernels<T, Slot> edge_conv_kernels(SimdLevel level) {
  return HITGRAPH_AT_SIMD_LEVEL(level, edge_conv_kernels, <T, Slot>());
}

}  // namespace hitgraph
