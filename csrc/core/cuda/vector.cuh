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
template <int kCount>
unsigned load_bytes(Global<const unsigned char> array, host_cuda::Index first) {
  const auto bytes = load_vector<unsigned char, kCount>(array, first);
  unsigned number = 0;
  for (int i = 0; i < kCount; ++i) number |= static_cast<unsigned>(bytes.lanes[i]) << 8 * i;
  return number;
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
// Two or four, the first in the lowest bits.
template <int kCount>
HITGRAPH_DEVICE unsigned load_bytes(Global<const unsigned char> array, int64_t first) {
  static_assert(kCount == 2 || kCount == 4, "a number of a register");
  if constexpr (kCount == 2) return *reinterpret_cast<const unsigned short*>(array + first);
  return *reinterpret_cast<const unsigned*>(array + first);
}
#endif

}  // namespace hitgraph
