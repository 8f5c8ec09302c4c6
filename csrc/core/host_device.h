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

#if defined(__CUDA_ARCH__)
HITGRAPH_HOST_DEVICE unsigned bits_of(float value) { return __float_as_uint(value); }
HITGRAPH_HOST_DEVICE float float_of_bits(unsigned bits) { return __uint_as_float(bits); }
HITGRAPH_HOST_DEVICE unsigned long long bits_of(double value) {
  return static_cast<unsigned long long>(__double_as_longlong(value));
}
HITGRAPH_HOST_DEVICE double double_of_bits(unsigned long long bits) {
  return __longlong_as_double(static_cast<long long>(bits));
}
#else
template <typename To, typename From>
HITGRAPH_HOST_DEVICE To same_bits(From from) {
  static_assert(sizeof(To) == sizeof(From), "bits are neither added nor lost");
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}
HITGRAPH_HOST_DEVICE unsigned bits_of(float value) { return same_bits<unsigned>(value); }
HITGRAPH_HOST_DEVICE float float_of_bits(unsigned bits) { return same_bits<float>(bits); }
HITGRAPH_HOST_DEVICE unsigned long long bits_of(double value) {
  return same_bits<unsigned long long>(value);
}
HITGRAPH_HOST_DEVICE double double_of_bits(unsigned long long bits) {
  return same_bits<double>(bits);
}
#endif

template <typename T>
HITGRAPH_HOST_DEVICE T largest_finite();
template <>
HITGRAPH_HOST_DEVICE float largest_finite<float>() {
  return float_of_bits(0x7f7fffffu);
}
template <>
HITGRAPH_HOST_DEVICE double largest_finite<double>() {
  return double_of_bits(0x7fefffffffffffffull);
}

}  // namespace hitgraph
