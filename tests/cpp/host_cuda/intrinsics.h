// CUDA's functions of one lane: bits, rounding, reinterpretation, min and max.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

namespace hitgraph::host_cuda {

// The type of a value in an expression: a reference into memory becomes what it loads, and what is
// smaller than int becomes int.
template <typename T>
using Operand = decltype(+std::declval<T>());

template <typename To, typename From>
To bit_cast(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof(to));
  return to;
}

// The compiler must not contract what is rounded here with what follows.
template <typename T>
T rounded(T value) {
#if defined(__x86_64__)
  asm("" : "+x"(value));
#elif defined(__aarch64__)
  asm("" : "+w"(value));
#endif
  return value;
}

}  // namespace hitgraph::host_cuda

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz(static_cast<unsigned>(x)); }
inline int __clzll(long long x) {
  return x == 0 ? 64 : __builtin_clzll(static_cast<unsigned long long>(x));
}

inline unsigned __float_as_uint(float x) { return hitgraph::host_cuda::bit_cast<unsigned>(x); }
inline int __float_as_int(float x) { return hitgraph::host_cuda::bit_cast<int>(x); }
inline float __uint_as_float(unsigned x) { return hitgraph::host_cuda::bit_cast<float>(x); }
inline float __int_as_float(int x) { return hitgraph::host_cuda::bit_cast<float>(x); }
inline long long __double_as_longlong(double x) {
  return hitgraph::host_cuda::bit_cast<long long>(x);
}
inline double __longlong_as_double(long long x) { return hitgraph::host_cuda::bit_cast<double>(x); }

inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline double __fma_rn(double a, double b, double c) { return std::fma(a, b, c); }
inline float __fadd_rn(float a, float b) { return hitgraph::host_cuda::rounded(a + b); }
inline float __fsub_rn(float a, float b) { return hitgraph::host_cuda::rounded(a - b); }
inline float __fmul_rn(float a, float b) { return hitgraph::host_cuda::rounded(a * b); }
inline float __fdiv_rn(float a, float b) { return hitgraph::host_cuda::rounded(a / b); }
inline float __fsqrt_rn(float a) { return hitgraph::host_cuda::rounded(std::sqrt(a)); }
inline double __dadd_rn(double a, double b) { return hitgraph::host_cuda::rounded(a + b); }
inline double __dsub_rn(double a, double b) { return hitgraph::host_cuda::rounded(a - b); }
inline double __dmul_rn(double a, double b) { return hitgraph::host_cuda::rounded(a * b); }
inline double __ddiv_rn(double a, double b) { return hitgraph::host_cuda::rounded(a / b); }
inline double __dsqrt_rn(double a) { return hitgraph::host_cuda::rounded(std::sqrt(a)); }

inline void __threadfence() {}
inline void __threadfence_block() {}

// Of a NaN and a number the number, as on a device.
template <typename A, typename B>
constexpr auto min(const A& a, const B& b)
    -> std::common_type_t<hitgraph::host_cuda::Operand<A>, hitgraph::host_cuda::Operand<B>> {
  using T = std::common_type_t<hitgraph::host_cuda::Operand<A>, hitgraph::host_cuda::Operand<B>>;
  const T x = static_cast<T>(a), y = static_cast<T>(b);
  return y < x || x != x ? y : x;
}

template <typename A, typename B>
constexpr auto max(const A& a, const B& b)
    -> std::common_type_t<hitgraph::host_cuda::Operand<A>, hitgraph::host_cuda::Operand<B>> {
  using T = std::common_type_t<hitgraph::host_cuda::Operand<A>, hitgraph::host_cuda::Operand<B>>;
  const T x = static_cast<T>(a), y = static_cast<T>(b);
  return x < y || x != x ? y : x;
}
