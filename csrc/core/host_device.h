// Arithmetic that host compilers, nvcc and NVRTC must agree on, bit for bit.
#pragma once

#if !defined(__CUDACC_RTC__)
#include <cstdint>
#include <cstring>
#endif

#if defined(__CUDACC__)
#define HITGRAPH_HOST_DEVICE __host__ __device__ __forceinline__
#else
#define HITGRAPH_HOST_DEVICE inline
#endif

namespace hitgraph {

// One rounding. Host code that is compiled without FMA instructions calls the C library: slow, and
// the same bits.
HITGRAPH_HOST_DEVICE float fused_multiply_add(float a, float b, float c) {
#if defined(__CUDA_ARCH__)
  return __fmaf_rn(a, b, c);
#else
  return __builtin_fmaf(a, b, c);
#endif
}

HITGRAPH_HOST_DEVICE double fused_multiply_add(double a, double b, double c) {
#if defined(__CUDA_ARCH__)
  return __fma_rn(a, b, c);
#else
  return __builtin_fma(a, b, c);
#endif
}

// False for infinities and NaN: their difference with themselves is NaN.
template <typename T>
HITGRAPH_HOST_DEVICE bool is_finite(T value) {
  return value - value == 0;
}

template <typename T>
HITGRAPH_HOST_DEVICE T larger(T a, T b) {
  return a < b ? b : a;
}

template <typename T>
HITGRAPH_HOST_DEVICE T smaller(T a, T b) {
  return b < a ? b : a;
}

HITGRAPH_HOST_DEVICE unsigned bits_of(float value) {
#if defined(__CUDA_ARCH__)
  return __float_as_uint(value);
#else
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
#endif
}

}  // namespace hitgraph
