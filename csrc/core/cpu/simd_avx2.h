// The lanes of simd_portable.h as AVX2 registers: two for float and index, four for double.
#pragma once

#include <immintrin.h>

#include <array>

#include "core/cpu/bitonic_sort.h"
#include "core/cpu/simd_portable.h"

namespace hitgraph {
namespace avx2 {

// Row m lists the set bits of m: the lane order that packs the lanes of an 8-bit mask to the front.
struct PackingOrders {
  alignas(64) std::array<std::array<int32_t, 8>, 256> row{};
  constexpr PackingOrders() {
    for (int mask = 0; mask < 256; ++mask) {
      int out = 0;
      for (int lane = 0; lane < 8; ++lane) {
        if ((mask >> lane & 1) != 0) row[mask][out++] = lane;
      }
    }
  }
};
inline constexpr PackingOrders kPackingOrders{};

inline __m256i packing_order(LaneMask mask8) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(kPackingOrders.row[mask8].data()));
}

struct FloatPack {
  __m256 v[2];
  static FloatPack load(const float* p) { return {{_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}}; }
  static FloatPack broadcast(float x) { return {{_mm256_set1_ps(x), _mm256_set1_ps(x)}}; }
  void store(float* p) const {
    _mm256_storeu_ps(p, v[0]);
    _mm256_storeu_ps(p + 8, v[1]);
  }
  void compress_store(float* p, LaneMask mask) const {
    const LaneMask low = mask & 0xff, high = mask >> 8;
    _mm256_storeu_ps(p, _mm256_permutevar8x32_ps(v[0], packing_order(low)));
    _mm256_storeu_ps(p + __builtin_popcount(low),
                     _mm256_permutevar8x32_ps(v[1], packing_order(high)));
  }
};
inline FloatPack operator-(const FloatPack& a, const FloatPack& b) {
  return {{_mm256_sub_ps(a.v[0], b.v[0]), _mm256_sub_ps(a.v[1], b.v[1])}};
}
inline FloatPack max(const FloatPack& a, const FloatPack& b) {
  return {{_mm256_max_ps(a.v[0], b.v[0]), _mm256_max_ps(a.v[1], b.v[1])}};
}
inline FloatPack min(const FloatPack& a, const FloatPack& b) {
  return {{_mm256_min_ps(a.v[0], b.v[0]), _mm256_min_ps(a.v[1], b.v[1])}};
}
inline float reduce_min(const FloatPack& a) {
  const __m256 eight = _mm256_min_ps(a.v[0], a.v[1]);
  __m128 four = _mm_min_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  four = _mm_min_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_min_ss(four, _mm_movehdup_ps(four)));
}
inline FloatPack fused_square_add(const FloatPack& a, const FloatPack& c) {
  return {{_mm256_fmadd_ps(a.v[0], a.v[0], c.v[0]), _mm256_fmadd_ps(a.v[1], a.v[1], c.v[1])}};
}
template <int kPredicate>
inline LaneMask compare(const FloatPack& a, const FloatPack& b) {
  const auto low =
      static_cast<LaneMask>(_mm256_movemask_ps(_mm256_cmp_ps(a.v[0], b.v[0], kPredicate)));
  const auto high =
      static_cast<LaneMask>(_mm256_movemask_ps(_mm256_cmp_ps(a.v[1], b.v[1], kPredicate)));
  return low | high << 8;
}
inline LaneMask less_equal(const FloatPack& a, const FloatPack& b) {
  return compare<_CMP_LE_OQ>(a, b);
}
inline LaneMask less(const FloatPack& a, const FloatPack& b) { return compare<_CMP_LT_OQ>(a, b); }

struct DoublePack {
  __m256d v[4];
  static DoublePack load(const double* p) {
    return {{_mm256_loadu_pd(p), _mm256_loadu_pd(p + 4), _mm256_loadu_pd(p + 8),
             _mm256_loadu_pd(p + 12)}};
  }
  static DoublePack broadcast(double x) {
    const __m256d v = _mm256_set1_pd(x);
    return {{v, v, v, v}};
  }
  void store(double* p) const {
    for (int i = 0; i < 4; ++i) _mm256_storeu_pd(p + 4 * i, v[i]);
  }
  void compress_store(double* p, LaneMask mask) const {
    double lanes[kLanes];
    store(lanes);
    portable::store_lanes(lanes, mask, p);
  }
};
inline DoublePack operator-(const DoublePack& a, const DoublePack& b) {
  DoublePack pack;
  for (int i = 0; i < 4; ++i) pack.v[i] = _mm256_sub_pd(a.v[i], b.v[i]);
  return pack;
}
inline DoublePack max(const DoublePack& a, const DoublePack& b) {
  DoublePack pack;
  for (int i = 0; i < 4; ++i) pack.v[i] = _mm256_max_pd(a.v[i], b.v[i]);
  return pack;
}
inline DoublePack min(const DoublePack& a, const DoublePack& b) {
  DoublePack pack;
  for (int i = 0; i < 4; ++i) pack.v[i] = _mm256_min_pd(a.v[i], b.v[i]);
  return pack;
}
inline double reduce_min(const DoublePack& a) {
  const __m256d four = _mm256_min_pd(_mm256_min_pd(a.v[0], a.v[1]), _mm256_min_pd(a.v[2], a.v[3]));
  const __m128d two = _mm_min_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
  return _mm_cvtsd_f64(_mm_min_sd(two, _mm_unpackhi_pd(two, two)));
}
inline DoublePack fused_square_add(const DoublePack& a, const DoublePack& c) {
  DoublePack pack;
  for (int i = 0; i < 4; ++i) pack.v[i] = _mm256_fmadd_pd(a.v[i], a.v[i], c.v[i]);
  return pack;
}
template <int kPredicate>
inline LaneMask compare(const DoublePack& a, const DoublePack& b) {
  LaneMask mask = 0;
  for (int i = 0; i < 4; ++i) {
    const int four = _mm256_movemask_pd(_mm256_cmp_pd(a.v[i], b.v[i], kPredicate));
    mask |= static_cast<LaneMask>(four) << (4 * i);
  }
  return mask;
}
inline LaneMask less_equal(const DoublePack& a, const DoublePack& b) {
  return compare<_CMP_LE_OQ>(a, b);
}
inline LaneMask less(const DoublePack& a, const DoublePack& b) { return compare<_CMP_LT_OQ>(a, b); }

struct IndexPack {
  __m256i v[2];
  static IndexPack load(const int32_t* p) {
    const auto* q = reinterpret_cast<const __m256i*>(p);
    return {{_mm256_loadu_si256(q), _mm256_loadu_si256(q + 1)}};
  }
  static IndexPack broadcast(int32_t x) { return {{_mm256_set1_epi32(x), _mm256_set1_epi32(x)}}; }
  void compress_store(int32_t* p, LaneMask mask) const {
    const LaneMask low = mask & 0xff, high = mask >> 8;
    auto* behind = p + __builtin_popcount(low);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm256_permutevar8x32_epi32(v[0], packing_order(low)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(behind),
                        _mm256_permutevar8x32_epi32(v[1], packing_order(high)));
  }
};
inline LaneMask lane_mask(__m256i low, __m256i high) {
  return static_cast<LaneMask>(_mm256_movemask_ps(_mm256_castsi256_ps(low))) |
         static_cast<LaneMask>(_mm256_movemask_ps(_mm256_castsi256_ps(high))) << 8;
}
inline LaneMask less_equal(const IndexPack& a, const IndexPack& b) {
  return 0xffff &
         ~lane_mask(_mm256_cmpgt_epi32(a.v[0], b.v[0]), _mm256_cmpgt_epi32(a.v[1], b.v[1]));
}
inline LaneMask not_equal(const IndexPack& a, const IndexPack& b) {
  return 0xffff &
         ~lane_mask(_mm256_cmpeq_epi32(a.v[0], b.v[0]), _mm256_cmpeq_epi32(a.v[1], b.v[1]));
}

// Four sorting keys. There is no instruction for the smaller of two 64-bit integers, but one for
// doubles, whose bits order alike: a key lies below the bits of infinity (kLastKey), and `kNormal`
// is added while it is in a register, so that none is a denormal, which a process may have told the
// processor to take for zero.
struct KeyVector {
  static constexpr int kWidth = 4;
  static constexpr FloatKey kNormal = FloatKey{1} << 52;
  static_assert(kLastKey + kNormal < FloatKey{0x7ff} << 52);
  __m256i v;
  static KeyVector load(const FloatKey* p) {
    return {_mm256_add_epi64(_mm256_load_si256(reinterpret_cast<const __m256i*>(p)),
                             _mm256_set1_epi64x(kNormal))};
  }
  void store(FloatKey* p) const {
    _mm256_store_si256(reinterpret_cast<__m256i*>(p),
                       _mm256_sub_epi64(v, _mm256_set1_epi64x(kNormal)));
  }
  static KeyVector load_head(const FloatKey* p, int64_t count) {
    const __m256i lanes = _mm256_setr_epi64x(0, 1, 2, 3);
    const __m256i real = _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), lanes);
    return {_mm256_blendv_epi8(_mm256_set1_epi64x(kLastKey), load(p).v, real)};
  }
  static KeyVector min(KeyVector a, KeyVector b) {
    return {_mm256_castpd_si256(_mm256_min_pd(_mm256_castsi256_pd(a.v), _mm256_castsi256_pd(b.v)))};
  }
  static KeyVector max(KeyVector a, KeyVector b) {
    return {_mm256_castpd_si256(_mm256_max_pd(_mm256_castsi256_pd(a.v), _mm256_castsi256_pd(b.v)))};
  }
  template <int kSize>
  static KeyVector mirror(KeyVector a) {
    if constexpr (kSize == 2) return exchange<1>(a);
    return {_mm256_permute4x64_epi64(a.v, 0x1b)};
  }
  template <int kStride>
  static KeyVector exchange(KeyVector a) {
    if constexpr (kStride == 1) return {_mm256_shuffle_epi32(a.v, 0x4e)};
    return {_mm256_permute4x64_epi64(a.v, 0x4e)};
  }
  template <int kStride>
  static KeyVector select(KeyVector a, KeyVector b) {
    return {_mm256_blend_epi32(a.v, b.v, kStride == 1 ? 0xcc : 0xf0)};
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

}  // namespace avx2

struct Avx2Simd {
  // Queries of a tile of distances: with two packs of points each, what the registers hold.
  template <typename T>
  static constexpr int kTileRows = (sizeof(T) == sizeof(float) ? 2 : 1);
  template <typename T>
  using Pack = typename avx2::PackOf<T>::type;
  using IndexPack = avx2::IndexPack;
  static void store_keys(const avx2::FloatPack& distance2, const IndexPack& index, LaneMask mask,
                         FloatKey* out) {
    store_eight(distance2.v[0], index.v[0], mask & 0xff, out);
    if (mask >> 8 == 0) return;  // a load that spans two stores waits for both
    store_eight(distance2.v[1], index.v[1], mask >> 8, out + __builtin_popcount(mask & 0xff));
  }
  // Distances and indices are packed, then joined.
  static void store_eight(__m256 distance2, __m256i index, LaneMask mask8, FloatKey* out) {
    const __m256i order = avx2::packing_order(mask8);
    const __m256i high = _mm256_permutevar8x32_epi32(_mm256_castps_si256(distance2), order);
    const __m256i low = _mm256_permutevar8x32_epi32(index, order);
    const __m256i even = _mm256_unpacklo_epi32(low, high), odd = _mm256_unpackhi_epi32(low, high);
    auto* to = reinterpret_cast<__m256i*>(out);
    _mm256_storeu_si256(to, _mm256_permute2x128_si256(even, odd, 0x20));
    _mm256_storeu_si256(to + 1, _mm256_permute2x128_si256(even, odd, 0x31));
  }
  static void store_keys(const avx2::DoublePack& distance2, const IndexPack& index, LaneMask mask,
                         DoubleKey* out) {
    double packed[2 * kLanes];
    int32_t rows[2 * kLanes];
    distance2.compress_store(packed, mask);
    index.compress_store(rows, mask);
    const int count = __builtin_popcount(mask);
    for (int i = 0; i < count; ++i) out[i] = make_key(packed[i], rows[i]);
  }
  static void sort(FloatKey* keys, int64_t count) { bitonic_sort<avx2::KeyVector>(keys, count); }
};

}  // namespace hitgraph
