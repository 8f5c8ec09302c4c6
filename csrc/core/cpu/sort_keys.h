// Sorting the neighbours of a row. A float neighbour is one integer key, distance2 above index: for
// numbers that are not negative the bits of a float order like integers, so one comparison decides
// distance and tie alike. A double neighbour is a pair with the same order.
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>

namespace hitgraph {

using FloatKey = int64_t;

struct DoubleKey {
  double distance2;
  int32_t index;
};

template <typename T>
struct KeyOf;
template <>
struct KeyOf<float> {
  using type = FloatKey;
};
template <>
struct KeyOf<double> {
  using type = DoubleKey;
};

inline FloatKey make_key(float distance2, int32_t index) {
  int32_t bits;
  std::memcpy(&bits, &distance2, sizeof bits);
  return static_cast<int64_t>(bits) << 32 | static_cast<uint32_t>(index);
}
inline float key_distance2(FloatKey key) {
  const auto bits = static_cast<int32_t>(key >> 32);
  float distance2;
  std::memcpy(&distance2, &bits, sizeof distance2);
  return distance2;
}
inline int32_t key_index(FloatKey key) { return static_cast<int32_t>(key); }

inline DoubleKey make_key(double distance2, int32_t index) { return {distance2, index}; }
inline double key_distance2(const DoubleKey& key) { return key.distance2; }
inline int32_t key_index(const DoubleKey& key) { return key.index; }

// Above every key of a real neighbour, whose distance2 is finite; below the bits of an infinite
// double (simd_avx2.h).
constexpr FloatKey kLastKey = FloatKey{0x7fd} << 52;

// Ascending. Not inline: the files compiled for one instruction set call them, and must not emit
// copies of library code that another processor could end up running.
void sort_keys(FloatKey* keys, int64_t count);
void sort_keys(DoubleKey* keys, int64_t count);

}  // namespace hitgraph
