// Sixteen lanes in plain C++: the meaning of every operation that simd_avx2.h and simd_avx512.h do
// with instructions. A mask has one bit a lane, lane 0 lowest.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/cpu/sort_keys.h"

// A call between two steps of a network of registers would spill all of them.
#if defined(__GNUC__)
#define HITGRAPH_INLINE inline __attribute__((always_inline))
#else
#define HITGRAPH_INLINE inline
#endif

namespace hitgraph {

constexpr int kLanes = 16;
using LaneMask = uint32_t;

namespace portable {

template <typename V>
inline void store_lanes(const V* lanes, LaneMask mask, V* out) {
  for (; mask != 0; mask &= mask - 1) *out++ = lanes[__builtin_ctz(mask)];
}

template <typename T>
struct Pack {
  T lane[kLanes];

  static Pack load(const T* p) {
    Pack pack;
    for (int i = 0; i < kLanes; ++i) pack.lane[i] = p[i];
    return pack;
  }
  static Pack broadcast(T value) {
    Pack pack;
    for (int i = 0; i < kLanes; ++i) pack.lane[i] = value;
    return pack;
  }
  void store(T* p) const {
    for (int i = 0; i < kLanes; ++i) p[i] = lane[i];
  }
  // Writes the lanes of `mask`, packed; may write up to kLanes elements.
  void compress_store(T* p, LaneMask mask) const { store_lanes(lane, mask, p); }
};

template <typename T>
inline Pack<T> operator-(const Pack<T>& a, const Pack<T>& b) {
  Pack<T> pack;
  for (int i = 0; i < kLanes; ++i) pack.lane[i] = a.lane[i] - b.lane[i];
  return pack;
}
template <typename T>
inline Pack<T> max(const Pack<T>& a, const Pack<T>& b) {
  Pack<T> pack;
  for (int i = 0; i < kLanes; ++i) pack.lane[i] = a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i];
  return pack;
}
template <typename T>
inline Pack<T> min(const Pack<T>& a, const Pack<T>& b) {
  Pack<T> pack;
  for (int i = 0; i < kLanes; ++i) pack.lane[i] = a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i];
  return pack;
}
template <typename T>
inline T reduce_min(const Pack<T>& a) {
  T smallest = a.lane[0];
  for (int i = 1; i < kLanes; ++i) smallest = a.lane[i] < smallest ? a.lane[i] : smallest;
  return smallest;
}
// a * a + c, rounded once.
template <typename T>
inline Pack<T> fused_square_add(const Pack<T>& a, const Pack<T>& c) {
  Pack<T> pack;
  for (int i = 0; i < kLanes; ++i) pack.lane[i] = std::fma(a.lane[i], a.lane[i], c.lane[i]);
  return pack;
}
template <typename T>
inline LaneMask less_equal(const Pack<T>& a, const Pack<T>& b) {
  LaneMask mask = 0;
  for (int i = 0; i < kLanes; ++i) mask |= static_cast<LaneMask>(a.lane[i] <= b.lane[i]) << i;
  return mask;
}
template <typename T>
inline LaneMask less(const Pack<T>& a, const Pack<T>& b) {
  LaneMask mask = 0;
  for (int i = 0; i < kLanes; ++i) mask |= static_cast<LaneMask>(a.lane[i] < b.lane[i]) << i;
  return mask;
}
template <typename T>
inline LaneMask not_equal(const Pack<T>& a, const Pack<T>& b) {
  LaneMask mask = 0;
  for (int i = 0; i < kLanes; ++i) mask |= static_cast<LaneMask>(a.lane[i] != b.lane[i]) << i;
  return mask;
}

}  // namespace portable

// The types that one instruction set offers to the search.
struct PortableSimd {
  // Queries of a tile of distances: with two packs of points each, what the registers hold.
  template <typename T>
  static constexpr int kTileRows = 2;
  template <typename T>
  using Pack = portable::Pack<T>;
  using IndexPack = portable::Pack<int32_t>;
  // Writes the keys of the lanes of `mask`, packed; may write up to kLanes keys.
  template <typename AnyPack, typename Key>
  static void store_keys(const AnyPack& distance2, const IndexPack& index, LaneMask mask,
                         Key* out) {
    for (; mask != 0; mask &= mask - 1) {
      const int lane = __builtin_ctz(mask);
      *out++ = make_key(distance2.lane[lane], index.lane[lane]);
    }
  }
  static void sort(FloatKey* keys, int64_t count) { sort_keys(keys, count); }
};

}  // namespace hitgraph
