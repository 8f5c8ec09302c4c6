// What launches of kernels with a group of lanes a row have in common.
#pragma once

#include "core/cuda/row_group.cuh"

namespace hitgraph {

template <typename T>
constexpr int kVectorWidth = LaneChannels<T, true>::kWidth;

// Lanes a row: a power of two that has one lane for every vector, if that is not more than a warp.
template <typename T>
int row_group_lanes(int64_t channels) {
  int lanes = kSmallestGroup;
  while (lanes < kWarpSize && lanes * kVectorWidth<T> < channels) lanes *= 2;
  return lanes;
}

// Of `threads`, for so many groups of `lanes`.
inline int64_t group_blocks(int64_t groups, int lanes, int threads) {
  return (groups * lanes + threads - 1) / threads;
}

// Whether every row of an array begins where a vector may. Of an array that is not there: yes.
template <int kWidth, typename T>
bool holds_vectors(Global<T> array, int64_t stride) {
#if defined(HITGRAPH_HOST_CUDA)
  const auto address = reinterpret_cast<uintptr_t>(host_cuda::data(array));
#else
  const auto address = reinterpret_cast<uintptr_t>(array);
#endif
  return array == nullptr || (address % (kWidth * sizeof(T)) == 0 && stride % kWidth == 0);
}

}  // namespace hitgraph
