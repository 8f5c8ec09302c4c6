// EdgeConv's linear edge network over a graph of fixed out-degree, without an edge tensor. The
// channel c of edge (i, j) is
//   y = center_ic + neighbour_jc,
// two products that were made point by point. A row's result is the largest of its edges, or the
// smallest where `sign` is negative: batch normalisation with a negative factor turns the order.
// Statistics are over all edges that exist.
#pragma once

#include <cstdint>

#include "core/executor.h"
#include "core/simd_level.h"

namespace hitgraph {

// Some channels of a layer. Rows of center and neighbour lie `stride` apart.
template <typename T, typename Index>
struct EdgeConvGraph {
  const T* center = nullptr;     // (rows, channels)
  const T* neighbour = nullptr;  // (points, channels)
  const Index* index = nullptr;  // (rows, k), -1 where there is no edge
  int64_t rows = 0, k = 0, points = 0, channels = 0;
  int64_t center_stride = 0, neighbour_stride = 0;
};

// What a layer makes of its edges: act(shift + factor (y - mean)), factor = scale / sqrt(variance +
// eps), or scale if it is not `normal`; act(z) = z, or slope z below 0.
template <typename T>
struct EdgeConvLayer {
  const T *scale = nullptr, *shift = nullptr;  // (channels)
  T *mean = nullptr, *variance = nullptr;      // (channels): given, or those of the edges
  double eps = 0;
  T slope = 1;
  bool normal = false;
  bool trained = false;  // mean and variance are those of the edges
};

// How often a row asks and a point is reached; the sum of either is the number of edges.
template <typename Index>
void edge_degrees(const Index* index, int64_t rows, int64_t k, int64_t points, int32_t* of_rows,
                  int32_t* of_points);

// sums[c] = sum over rows of degree * values, in double, in a fixed order.
template <typename T>
void weighted_column_sums(const T* values, int64_t stride, int64_t rows, int64_t channels,
                          const int32_t* degrees, const Executor& executor, double* sums);

// value and slot (of rows `stride` apart): the selected edge's y and its slot, the first of equal
// ones; 0 and no_slot in a row without edges. square_sums[c] = sum over edges of (y - mean)^2, if
// it is not null.
template <typename T, typename Slot>
struct EdgeConvSelection {
  const T* sign = nullptr;  // (channels), 1 or -1
  const T* mean = nullptr;  // (channels)
  T* value = nullptr;
  Slot* slot = nullptr;
  int64_t stride = 0;
  double* square_sums = nullptr;
};
template <typename T, typename Index, typename Slot>
void edge_conv_select_cpu(const EdgeConvGraph<T, Index>& graph, SimdLevel level,
                          const Executor& executor, const EdgeConvSelection<T, Slot>& selection);

// value = act(shift + factor (value - mean)) in rows with edges; act as below.
template <typename T, typename Slot>
void edge_conv_activate_cpu(const EdgeConvSelection<T, Slot>& selection, int64_t rows,
                            int64_t channels, const T* factor, const T* shift, T slope,
                            const Executor& executor);

// The activated, normalised result is act(shift + factor (y - mean)), act(z) = z or, below 0, slope
// z. Its gradient by y of an edge is
//   factor (dz [selected] - (grad_shift + normal grad_scale) / edges), normal = (y - mean) inverse,
// the second part only where mean and deviation are those of the edges (`trained`).
template <typename T, typename Slot, typename Edge>
struct EdgeConvGradient {
  const T* grad = nullptr;  // of the result; rows `stride` apart, as those of slot
  const Slot* slot = nullptr;
  int64_t grad_stride = 0, slot_stride = 0;
  const T *mean = nullptr, *inverse = nullptr, *factor = nullptr, *shift = nullptr;  // (channels)
  T slope = 1;
  bool trained = false;
  const int64_t* offsets = nullptr;  // of the transposed graph
  const Edge* edges = nullptr;
  T *grad_scale = nullptr, *grad_shift = nullptr;  // (channels)
  T* grad_center = nullptr;                        // (rows, channels)
  T* by_selected = nullptr;                        // (rows, channels): scratch
  // (points, 2 * channels): scratch, and beside it in every row the gradient of the neighbours.
  T* sums = nullptr;
};
template <typename T, typename Index, typename Slot, typename Edge>
void edge_conv_backward_cpu(const EdgeConvGraph<T, Index>& graph, SimdLevel level,
                            const Executor& executor,
                            const EdgeConvGradient<T, Slot, Edge>& gradient);

}  // namespace hitgraph
