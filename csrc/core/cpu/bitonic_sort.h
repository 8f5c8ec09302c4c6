// A bitonic sorting network over 64-bit keys in vector registers: no branch depends on the data,
// and 64 keys are sorted without leaving the registers of AVX-512.
//
// V is a vector of V::kWidth keys with: load, store, min, max, and
//   V::mirror<s>(v)    the lanes of every group of s reversed
//   V::exchange<s>(v)  lane i takes lane i ^ s
//   V::select<s>(a, b) lanes with (i & s) == 0 from a, the others from b
//   V::load_head(p, n) the first n of the keys at p, any n, and kLastKey in the other lanes
// A step compares lane i with its partner and leaves the smaller one at the lower place.
#pragma once

#include <cstdint>

#include "core/cpu/simd_portable.h"
#include "core/cpu/sort_keys.h"

namespace hitgraph {

// Merges bitonic groups of 2 * kStride lanes inside every register.
template <int kStride, int kVectors, typename V>
HITGRAPH_INLINE void merge_lanes(V* r) {
  if constexpr (kStride >= 1) {
    for (int i = 0; i < kVectors; ++i) {
      const V other = V::template exchange<kStride>(r[i]);
      r[i] = V::template select<kStride>(V::min(r[i], other), V::max(r[i], other));
    }
    merge_lanes<kStride / 2, kVectors>(r);
  }
}

// Merges bitonic groups of 2 * kStride registers, then inside the registers.
template <int kStride, int kVectors, typename V>
HITGRAPH_INLINE void merge_registers(V* r) {
  if constexpr (kStride >= 1) {
    for (int i = 0; i < kVectors; ++i) {
      if ((i & kStride) != 0) continue;
      const V low = V::min(r[i], r[i + kStride]);
      r[i + kStride] = V::max(r[i], r[i + kStride]);
      r[i] = low;
    }
    merge_registers<kStride / 2, kVectors>(r);
  } else {
    merge_lanes<V::kWidth / 2, kVectors>(r);
  }
}

template <int kSize, int kVectors, typename V>
HITGRAPH_INLINE void sort_lanes(V* r) {
  if constexpr (kSize <= V::kWidth) {
    for (int i = 0; i < kVectors; ++i) {
      const V other = V::template mirror<kSize>(r[i]);
      r[i] = V::template select<kSize / 2>(V::min(r[i], other), V::max(r[i], other));
    }
    merge_lanes<kSize / 4, kVectors>(r);
    sort_lanes<kSize * 2, kVectors>(r);
  }
}

// From sorted groups of kGroup registers to one sorted sequence of kVectors registers.
template <int kGroup, int kVectors, typename V>
HITGRAPH_INLINE void sort_registers(V* r) {
  if constexpr (kGroup < kVectors) {
    for (int first = 0; first < kVectors; first += 2 * kGroup) {
      for (int i = 0; i < kGroup; ++i) {
        V& a = r[first + i];
        V& b = r[first + 2 * kGroup - 1 - i];
        const V other = V::template mirror<V::kWidth>(b);
        b = V::template mirror<V::kWidth>(V::max(a, other));
        a = V::min(a, other);
      }
    }
    merge_registers<kGroup / 2, kVectors>(r);
    sort_registers<kGroup * 2, kVectors>(r);
  }
}

// Sorts the first `count` keys; behind them up to kVectors * V::kWidth are overwritten.
template <typename V, int kVectors>
inline void sort_block(FloatKey* keys, int64_t count) {
  V r[kVectors];
  for (int i = 0; i < kVectors; ++i)
    r[i] = V::load_head(keys + i * V::kWidth, count - i * V::kWidth);
  sort_lanes<2, kVectors>(r);
  sort_registers<1, kVectors>(r);
  for (int i = 0; i < kVectors; ++i) r[i].store(keys + i * V::kWidth);
}

// One merge of two sorted halves of `size` keys that lie in memory.
template <typename V, int kVectors>
inline void merge_halves(FloatKey* keys, int64_t size) {
  constexpr int64_t kBlock = kVectors * V::kWidth;
  for (int64_t i = 0; i < size / 2; i += V::kWidth) {
    FloatKey* low = keys + i;
    FloatKey* high = keys + size - V::kWidth - i;
    const V a = V::load(low);
    const V b = V::template mirror<V::kWidth>(V::load(high));
    V::min(a, b).store(low);
    V::template mirror<V::kWidth>(V::max(a, b)).store(high);
  }
  for (int64_t stride = size / 4; stride >= kBlock; stride /= 2) {
    for (int64_t first = 0; first < size; first += 2 * stride) {
      for (FloatKey* low = keys + first; low < keys + first + stride; low += V::kWidth) {
        const V a = V::load(low), b = V::load(low + stride);
        V::min(a, b).store(low);
        V::max(a, b).store(low + stride);
      }
    }
  }
  for (FloatKey* block = keys; block < keys + size; block += kBlock) {
    V r[kVectors];
    for (int i = 0; i < kVectors; ++i) r[i] = V::load(block + i * V::kWidth);
    merge_registers<kVectors / 2, kVectors>(r);
    for (int i = 0; i < kVectors; ++i) r[i].store(block + i * V::kWidth);
  }
}

// Sorts `count` keys; the buffer must hold bitonic_capacity(count) keys, and those behind `count`
// are overwritten.
template <typename V>
inline void bitonic_sort(FloatKey* keys, int64_t count) {
  constexpr int64_t kBlock = 8 * V::kWidth;
  if (count <= kBlock / 8) return sort_block<V, 1>(keys, count);
  if (count <= kBlock / 4) return sort_block<V, 2>(keys, count);
  if (count <= kBlock / 2) return sort_block<V, 4>(keys, count);
  if (count <= kBlock) return sort_block<V, 8>(keys, count);
  int64_t size = 2 * kBlock;
  while (size < count) size *= 2;
  for (int64_t first = 0; first < size; first += kBlock) {
    sort_block<V, 8>(keys + first, count - first);
  }
  for (int64_t merged = 2 * kBlock; merged <= size; merged *= 2) {
    for (int64_t first = 0; first < size; first += merged) {
      merge_halves<V, 8>(keys + first, merged);
    }
  }
}

constexpr int64_t bitonic_capacity(int64_t count) {
  int64_t size = 16;
  while (size < count) size *= 2;
  return size;
}

}  // namespace hitgraph
