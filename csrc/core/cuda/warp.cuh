// What 32 lanes do together. Everything newer than sm_61 has its fallback here.
#pragma once

#include "core/cuda/platform.cuh"

namespace hitgraph {

constexpr int kWarpSize = 32;
constexpr unsigned kFullWarp = 0xffffffffu;

HITGRAPH_DEVICE int lane_index() { return static_cast<int>(threadIdx.x % kWarpSize); }

HITGRAPH_DEVICE unsigned lanes_below() { return (1u << lane_index()) - 1; }

template <typename T>
HITGRAPH_DEVICE T infinity();
template <>
HITGRAPH_DEVICE float infinity<float>() {
  return __uint_as_float(0x7f800000u);
}
template <>
HITGRAPH_DEVICE double infinity<double>() {
  return __longlong_as_double(0x7ff0000000000000ll);
}

// Every lane gets the result, combined in the same order on every lane.
template <typename T>
HITGRAPH_DEVICE T warp_min(T value) {
  for (int distance = kWarpSize / 2; distance > 0; distance /= 2) {
    const T other = __shfl_xor_sync(kFullWarp, value, distance);
    value = other < value ? other : value;
  }
  return value;
}

template <typename T>
HITGRAPH_DEVICE T warp_max(T value) {
  for (int distance = kWarpSize / 2; distance > 0; distance /= 2) {
    const T other = __shfl_xor_sync(kFullWarp, value, distance);
    value = value < other ? other : value;
  }
  return value;
}

// A sum of doubles is the same on every run, since the order of a butterfly is fixed.
template <typename T>
HITGRAPH_DEVICE T warp_sum(T value) {
  for (int distance = kWarpSize / 2; distance > 0; distance /= 2) {
    value += __shfl_xor_sync(kFullWarp, value, distance);
  }
  return value;
}

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
HITGRAPH_DEVICE unsigned warp_min(unsigned value) { return __reduce_min_sync(kFullWarp, value); }
HITGRAPH_DEVICE unsigned warp_max(unsigned value) { return __reduce_max_sync(kFullWarp, value); }
HITGRAPH_DEVICE int warp_min(int value) { return __reduce_min_sync(kFullWarp, value); }
HITGRAPH_DEVICE int warp_max(int value) { return __reduce_max_sync(kFullWarp, value); }
HITGRAPH_DEVICE int warp_sum(int value) { return __reduce_add_sync(kFullWarp, value); }
#endif

// The lanes with the same `digit` (of `bits` bits) as this one, among those in `lanes`. What
// __match_any_sync does from sm_70 on, for small digits and for every device.
HITGRAPH_DEVICE unsigned lanes_alike(unsigned digit, int bits, unsigned lanes) {
  for (int bit = 0; bit < bits; ++bit) {
    const unsigned set = __ballot_sync(kFullWarp, (digit >> bit & 1u) != 0);
    lanes &= (digit >> bit & 1u) != 0 ? set : ~set;
  }
  return lanes;
}

}  // namespace hitgraph
