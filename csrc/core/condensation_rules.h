// What one pair of a hit and an object adds to an object condensation loss, once for every device.
#pragma once

#include "core/exponential.h"

#if !defined(__CUDACC_RTC__)
#include <cmath>
#endif

namespace hitgraph {

// u: u = factor * distance2. ln(e u + 1).
enum class Attraction { kQuadratic, kLogarithmic };
// max(0, 1 - sqrt(u + epsilon)). exp(-u).
enum class Repulsion { kHinge, kExponential };

constexpr double kEuler = 2.718281828459045235;

HITGRAPH_HOST_DEVICE float square_root(float x) { return sqrtf(x); }
HITGRAPH_HOST_DEVICE double square_root(double x) { return sqrt(x); }
HITGRAPH_HOST_DEVICE float logarithm_of_one_plus(float x) { return log1pf(x); }
HITGRAPH_HOST_DEVICE double logarithm_of_one_plus(double x) { return log1p(x); }

// A potential and its derivative by u, for u not below 0.
template <typename T>
struct PairValue {
  T value, slope;
};

template <typename T>
HITGRAPH_HOST_DEVICE PairValue<T> attract(Attraction kind, T u) {
  if (kind == Attraction::kQuadratic) return {u, T(1)};
  const T above_one = static_cast<T>(kEuler) * u;
  return {logarithm_of_one_plus(above_one), static_cast<T>(kEuler) / (above_one + 1)};
}

// The root has no derivative at 0: none is taken.
template <typename T>
HITGRAPH_HOST_DEVICE PairValue<T> repel_by_hinge(T u, T epsilon) {
  const T root = square_root(u + epsilon);
  const T value = 1 - root;
  const bool within = value > 0;
  return {within ? value : T(0), within && root > 0 ? T(-0.5) / root : T(0)};
}

template <typename T>
HITGRAPH_HOST_DEVICE PairValue<T> repel_by_exponential(T u) {
  const T value = exponential(-u, T(0));
  return {value, -value};
}

template <typename T>
HITGRAPH_HOST_DEVICE PairValue<T> repel(Repulsion kind, T u, T epsilon) {
  return kind == Repulsion::kHinge ? repel_by_hinge(u, epsilon) : repel_by_exponential(u);
}

// Beyond this u the repulsion is zero, as it is computed.
template <typename T>
HITGRAPH_HOST_DEVICE constexpr T reach_of(Repulsion kind) {
  if (kind == Repulsion::kHinge) return 1;
  return sizeof(T) == sizeof(float) ? 87 : 708;
}

}  // namespace hitgraph
