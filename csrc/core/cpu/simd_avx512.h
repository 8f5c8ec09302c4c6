// The lanes of simd_portable.h as AVX-512 registers: one for float and index, two for double.
#pragma once

#include <immintrin.h>

#include "core/cpu/bitonic_sort.h"
#include "core/cpu/simd_portable.h"

namespace hitgraph {
namespace avx512 {

struct FloatPack {
  __m512 v;
  static FloatPack load(const float* p) { return {_mm512_loadu_ps(p)}; }
  static FloatPack broadcast(float x) { return {_mm512_set1_ps(x)}; }
  void store(float* p) const { _mm512_storeu_ps(p, v); }
  // Compressing in a register and storing all of it is several times faster than a masked
  // compress-store on Zen 4; the pool leaves room for the lanes behind the packed ones.
  void compress_store(float* p, LaneMask mask) const {
    _mm512_storeu_ps(p, _mm512_maskz_compress_ps(static_cast<__mmask16>(mask), v));
  }
};
inline FloatPack operator-(FloatPack a, FloatPack b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline FloatPack max(FloatPack a, FloatPack b) { return {_mm512_max_ps(a.v, b.v)}; }
inline FloatPack min(FloatPack a, FloatPack b) { return {_mm512_min_ps(a.v, b.v)}; }
inline float reduce_min(FloatPack a) { return _mm512_reduce_min_ps(a.v); }
inline FloatPack fused_square_add(FloatPack a, FloatPack c) {
  return {_mm512_fmadd_ps(a.v, a.v, c.v)};
}
inline LaneMask less_equal(FloatPack a, FloatPack b) {
  return _mm512_cmp_ps_mask(a.v, b.v, _CMP_LE_OQ);
}
inline LaneMask less(FloatPack a, FloatPack b) { return _mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ); }

struct DoublePack {
  __m512d v[2];
  static DoublePack load(const double* p) { return {{_mm512_loadu_pd(p), _mm512_loadu_pd(p + 8)}}; }
  static DoublePack broadcast(double x) { return {{_mm512_set1_pd(x), _mm512_set1_pd(x)}}; }
  void store(double* p) const {
    _mm512_storeu_pd(p, v[0]);
    _mm512_storeu_pd(p + 8, v[1]);
  }
  void compress_store(double* p, LaneMask mask) const {
    const auto low = static_cast<__mmask8>(mask), high = static_cast<__mmask8>(mask >> 8);
    _mm512_storeu_pd(p, _mm512_maskz_compress_pd(low, v[0]));
    _mm512_storeu_pd(p + __builtin_popcount(low), _mm512_maskz_compress_pd(high, v[1]));
  }
};
inline DoublePack operator-(DoublePack a, DoublePack b) {
  return {{_mm512_sub_pd(a.v[0], b.v[0]), _mm512_sub_pd(a.v[1], b.v[1])}};
}
inline DoublePack max(DoublePack a, DoublePack b) {
  return {{_mm512_max_pd(a.v[0], b.v[0]), _mm512_max_pd(a.v[1], b.v[1])}};
}
inline DoublePack min(DoublePack a, DoublePack b) {
  return {{_mm512_min_pd(a.v[0], b.v[0]), _mm512_min_pd(a.v[1], b.v[1])}};
}
inline double reduce_min(DoublePack a) {
  return _mm512_reduce_min_pd(_mm512_min_pd(a.v[0], a.v[1]));
}
inline DoublePack fused_square_add(DoublePack a, DoublePack c) {
  return {{_mm512_fmadd_pd(a.v[0], a.v[0], c.v[0]), _mm512_fmadd_pd(a.v[1], a.v[1], c.v[1])}};
}
template <int kPredicate>
inline LaneMask compare(DoublePack a, DoublePack b) {
  return _mm512_cmp_pd_mask(a.v[0], b.v[0], kPredicate) |
         static_cast<LaneMask>(_mm512_cmp_pd_mask(a.v[1], b.v[1], kPredicate)) << 8;
}
inline LaneMask less_equal(DoublePack a, DoublePack b) { return compare<_CMP_LE_OQ>(a, b); }
inline LaneMask less(DoublePack a, DoublePack b) { return compare<_CMP_LT_OQ>(a, b); }

struct IndexPack {
  __m512i v;
  static IndexPack load(const int32_t* p) { return {_mm512_loadu_si512(p)}; }
  static IndexPack broadcast(int32_t x) { return {_mm512_set1_epi32(x)}; }
  void compress_store(int32_t* p, LaneMask mask) const {
    _mm512_storeu_si512(p, _mm512_maskz_compress_epi32(static_cast<__mmask16>(mask), v));
  }
};
inline LaneMask less_equal(IndexPack a, IndexPack b) { return _mm512_cmple_epi32_mask(a.v, b.v); }
inline LaneMask not_equal(IndexPack a, IndexPack b) { return _mm512_cmpneq_epi32_mask(a.v, b.v); }

// Eight sorting keys.
struct KeyVector {
  static constexpr int kWidth = 8;
  __m512i v;
  static KeyVector load(const FloatKey* p) { return {_mm512_load_si512(p)}; }
  void store(FloatKey* p) const { _mm512_store_si512(p, v); }
  static KeyVector load_head(const FloatKey* p, int64_t count) {
    const __m512i lanes = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
    const __mmask8 real = _mm512_cmpgt_epi64_mask(_mm512_set1_epi64(count), lanes);
    return {_mm512_mask_load_epi64(_mm512_set1_epi64(kLastKey), real, p)};
  }
  static KeyVector min(KeyVector a, KeyVector b) { return {_mm512_min_epi64(a.v, b.v)}; }
  static KeyVector max(KeyVector a, KeyVector b) { return {_mm512_max_epi64(a.v, b.v)}; }
  template <int kSize>
  static KeyVector mirror(KeyVector a) {
    if constexpr (kSize == 2) return exchange<1>(a);
    if constexpr (kSize == 4) return {_mm512_permutex_epi64(a.v, 0x1b)};
    const __m512i order = _mm512_setr_epi64(7, 6, 5, 4, 3, 2, 1, 0);
    return {_mm512_permutexvar_epi64(order, a.v)};
  }
  template <int kStride>
  static KeyVector exchange(KeyVector a) {
    if constexpr (kStride == 1) return {_mm512_shuffle_epi32(a.v, _MM_PERM_BADC)};
    if constexpr (kStride == 2) return {_mm512_permutex_epi64(a.v, 0x4e)};
    return {_mm512_shuffle_i64x2(a.v, a.v, 0x4e)};
  }
  template <int kStride>
  static KeyVector select(KeyVector a, KeyVector b) {
    constexpr __mmask8 kUpper = kStride == 1 ? 0xaa : kStride == 2 ? 0xcc : 0xf0;
    return {_mm512_mask_mov_epi64(a.v, kUpper, b.v)};
  }
};

template <typename T>
struct PackOf;
template <>
struct PackOf<float> {
  using type = FloatPack;
};
template <>
struct PackOf<double> {
  using type = DoublePack;
};

}  // namespace avx512

struct Avx512Simd {
  // Queries of a tile of distances: with two packs of points each, what the registers hold.
  template <typename T>
  static constexpr int kTileRows = (sizeof(T) == sizeof(float) ? 8 : 4);
  template <typename T>
  using Pack = typename avx512::PackOf<T>::type;
  using IndexPack = avx512::IndexPack;
  static void store_keys(avx512::FloatPack distance2, IndexPack index, LaneMask mask,
                         FloatKey* out) {
    const __m512i bits = _mm512_castps_si512(distance2.v);
    const auto low = static_cast<__mmask8>(mask), high = static_cast<__mmask8>(mask >> 8);
    store_eight(_mm512_castsi512_si256(bits), _mm512_castsi512_si256(index.v), low, out);
    if (high == 0) return;  // a load that spans two stores waits for both
    store_eight(_mm512_extracti64x4_epi64(bits, 1), _mm512_extracti64x4_epi64(index.v, 1), high,
                out + __builtin_popcount(low));
  }
  static void store_keys(const avx512::DoublePack& distance2, IndexPack index, LaneMask mask,
                         DoubleKey* out) {
    double lanes[kLanes];
    int32_t rows[kLanes];
    distance2.store(lanes);
    _mm512_storeu_si512(rows, index.v);
    for (; mask != 0; mask &= mask - 1, ++out) {
      *out = make_key(lanes[__builtin_ctz(mask)], rows[__builtin_ctz(mask)]);
    }
  }
  static void store_eight(__m256i bits, __m256i index, __mmask8 mask, FloatKey* out) {
    const __m512i high = _mm512_slli_epi64(_mm512_cvtepu32_epi64(bits), 32);
    const __m512i keys = _mm512_or_si512(high, _mm512_cvtepu32_epi64(index));
    _mm512_storeu_si512(out, _mm512_maskz_compress_epi64(mask, keys));
  }
  static void sort(FloatKey* keys, int64_t count) { bitonic_sort<avx512::KeyVector>(keys, count); }
};

}  // namespace hitgraph
