// The one definition of distance, of the bound of a box, and of the tie rule, for every device.
//
// Distance: direct differences, one fused multiply-add per axis, axes in order. Never
// |x|^2 + |y|^2 - 2xy: its cancellation loses the neighbours of a tight cluster far from the
// origin. The bound of a box runs the same chain on clamped differences, and rounding is monotone,
// so bound <= distance holds bit for bit and needs no tolerance.
#pragma once

#include "core/host_device.h"

namespace hitgraph {

// The next link of the chain: sum + difference^2, rounded once.
template <typename T>
HITGRAPH_HOST_DEVICE T fused_square_add(T difference, T sum) {
  return fused_multiply_add(difference, difference, sum);
}

// How far the interval [low, high] is from the interval [from_low, from_high] on one axis; zero if
// they meet. No difference of a point of one and a point of the other is smaller.
template <typename T>
HITGRAPH_HOST_DEVICE T axis_gap(T low, T high, T from_low, T from_high) {
  return larger(larger(low - from_high, from_low - high), T(0));
}

// The order of neighbours: by distance2, equal ones by index. True for equal pairs too.
template <typename T, typename Index>
HITGRAPH_HOST_DEVICE bool not_after(T distance2, Index index, T other_distance2,
                                    Index other_index) {
  return distance2 < other_distance2 || (distance2 == other_distance2 && index <= other_index);
}

template <typename T>
HITGRAPH_HOST_DEVICE T squared_distance(const T* a, const T* b, int64_t dim) {
  T sum = 0;
  for (int64_t axis = 0; axis < dim; ++axis) sum = fused_square_add(a[axis] - b[axis], sum);
  return sum;
}

// Whether row `row` of `coordinates` (row-major) takes part: allowed by the mask, if there is one,
// and without a NaN or an infinity. What does not is nobody's neighbour and has none.
template <typename Coordinates, typename Mask>
HITGRAPH_HOST_DEVICE bool takes_part(Coordinates coordinates, Mask mask, int64_t row, int64_t dim) {
  if (mask != nullptr && !mask[row]) return false;
  for (int64_t axis = 0; axis < dim; ++axis) {
    if (!is_finite(coordinates[row * dim + axis])) return false;
  }
  return true;
}

}  // namespace hitgraph
