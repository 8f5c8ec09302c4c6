// What one edge of GravNet's aggregation does, once for every device.
#pragma once

#include "core/exponential.h"

namespace hitgraph {

// Products are summed in blocks of this many slots: the error of a sum grows with the length of a
// block and with the number of blocks, not with k.
constexpr int kSumBlock = 16;

// From a distance2 to a weight, or weights as they are given.
template <typename T>
struct Weighting {
  // exp(-scale * distance2); the scale is a double, in two parts if T is float.
  T scale = 0, scale_rest = 0;
  bool given = false;

  HITGRAPH_HOST_DEVICE static Weighting exponential_of(double scale) {
    Weighting weighting;
    weighting.scale = static_cast<T>(scale);
    weighting.scale_rest = static_cast<T>(scale - static_cast<double>(weighting.scale));
    return weighting;
  }
  HITGRAPH_HOST_DEVICE static Weighting as_given() {
    Weighting weighting;
    weighting.given = true;
    return weighting;
  }

  // The argument's own rounding would cost |argument| roundings of the weight.
  HITGRAPH_HOST_DEVICE T exponential_at(T distance2) const {
    const T argument = -scale * distance2;
    const T lost = fused_multiply_add(-scale, distance2, -argument);
    return exponential(argument, fused_multiply_add(-scale_rest, distance2, lost));
  }
  HITGRAPH_HOST_DEVICE T weight(T value) const { return given ? value : exponential_at(value); }

  // d(weight) / d(value) times `grad`.
  HITGRAPH_HOST_DEVICE T value_gradient(T grad, T weight) const {
    return given ? grad : -scale * weight * grad;
  }
};

// Whether a product later in the row replaces the best so far: the first of equal ones stays, and
// so does the first NaN. For numbers and for vectors of them, lane by lane.
template <typename T>
HITGRAPH_HOST_DEVICE auto replaces(T product, T best) {
  return (!(product <= best)) & (best == best);
}

// The slot of a maximum over no edges.
template <typename Slot>
HITGRAPH_HOST_DEVICE constexpr Slot no_slot() {
  return static_cast<Slot>(-1);
}

// What a total is divided by: nothing, the number of slots, that of the edges that exist.
enum class Divisor { kOne, kSlots, kPresent };

template <typename T>
HITGRAPH_HOST_DEVICE T gravnet_divisor(Divisor divisor, int64_t k, int64_t present) {
  if (divisor == Divisor::kOne) return 1;
  if (divisor == Divisor::kSlots) return static_cast<T>(k);
  return static_cast<T>(present < 1 ? 1 : present);
}

}  // namespace hitgraph
