// Neighbouring elements that one lane reads or writes at once.
#pragma once

#include "core/cuda/platform.cuh"

namespace hitgraph {

// What one access of a lane moves at most.
constexpr int kVectorBytes = 16;

template <typename T, int kWidth>
struct alignas(sizeof(T) * kWidth) Vector {
  T lanes[kWidth];
};

template <int kWidth, typename T>
HITGRAPH_DEVICE Vector<T, kWidth> broadcast(T value) {
  Vector<T, kWidth> vector;
  for (int v = 0; v < kWidth; ++v) vector.lanes[v] = value;
  return vector;
}

// `first` is a multiple of kWidth, and the array is aligned to kWidth elements. The host checks it.
#if defined(HITGRAPH_HOST_CUDA)
template <typename T, int kWidth>
Vector<T, kWidth> load_vector(Global<const T> array, host_cuda::Index first) {
  array.check_aligned(first, kWidth);
  Vector<T, kWidth> vector;
  for (int v = 0; v < kWidth; ++v) {
    vector.lanes[v] = array[host_cuda::Index(first.value + v, first.line, first.file)];
  }
  return vector;
}
template <typename T, int kWidth>
void store_vector(const Vector<T, kWidth>& vector, Global<T> array, host_cuda::Index first) {
  array.check_aligned(first, kWidth);
  for (int v = 0; v < kWidth; ++v) {
    array[host_cuda::Index(first.value + v, first.line, first.file)] = vector.lanes[v];
  }
}
#else
template <typename T, int kWidth>
HITGRAPH_DEVICE Vector<T, kWidth> load_vector(Global<const T> array, int64_t first) {
  return *reinterpret_cast<const Vector<T, kWidth>*>(array + first);
}
template <typename T, int kWidth>
HITGRAPH_DEVICE void store_vector(const Vector<T, kWidth>& vector, Global<T> array, int64_t first) {
  *reinterpret_cast<Vector<T, kWidth>*>(array + first) = vector;
}
#endif

}  // namespace hitgraph
