// The one definition of distance: direct differences, one fused multiply-add per axis, axes in
// order. Never |x|^2 + |y|^2 - 2xy: its cancellation loses the neighbours of a tight cluster far
// from the origin. The bound of a box (core/cpu/box.h) runs the same chain on clamped differences,
// and rounding is monotone, so bound <= distance holds bit for bit and needs no tolerance.
#pragma once

#include <cmath>
#include <cstdint>

namespace hitgraph {

template <typename T>
inline T squared_distance(const T* a, const T* b, int64_t dim) {
  T sum = 0;
  for (int64_t axis = 0; axis < dim; ++axis) {
    const T difference = a[axis] - b[axis];
    sum = std::fma(difference, difference, sum);
  }
  return sum;
}

// A row with a NaN or an infinity is nobody's neighbour and has none.
template <typename T>
inline bool is_finite_row(const T* row, int64_t dim) {
  for (int64_t axis = 0; axis < dim; ++axis) {
    if (!std::isfinite(row[axis])) return false;
  }
  return true;
}

template <typename T>
inline bool takes_part(const T* coordinates, const bool* mask, int64_t row, int64_t dim) {
  return (mask == nullptr || mask[row]) && is_finite_row(coordinates + row * dim, dim);
}

}  // namespace hitgraph
