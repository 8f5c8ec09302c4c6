// The channels of a feature row, in vectors of an instruction set: the compiler's own vector types,
// whose operators work lane by lane.
#pragma once

#include <cstdint>
#include <cstring>

// What is compiled for one instruction set must not be found by the linker for another.
#define HITGRAPH_INLINE inline __attribute__((always_inline))

namespace hitgraph {

struct PortableVectors {
  static constexpr int kBytes = 16;
};
struct Avx2Vectors {
  static constexpr int kBytes = 32;
};
struct Avx512Vectors {
  static constexpr int kBytes = 64;
};

template <typename T>
struct IntegerLike;
template <>
struct IntegerLike<float> {
  using Type = int32_t;
};
template <>
struct IntegerLike<double> {
  using Type = int64_t;
};

// kVectors times kLanes channels that are worked on at once. Isa makes every instance one of a
// single instruction set.
template <typename Isa, typename T, int kLaneCount, int kVectorCount>
struct Channels {
  static constexpr int kLanes = kLaneCount, kVectors = kVectorCount;
  static constexpr int kWidth = kLanes * kVectors;
  using Integer = typename IntegerLike<T>::Type;
  typedef T Vector __attribute__((vector_size(kLanes * sizeof(T))));
  typedef Integer Integers __attribute__((vector_size(kLanes * sizeof(T))));

  static HITGRAPH_INLINE Vector load(const T* from) {
    Vector vector;
    std::memcpy(&vector, from, sizeof vector);
    return vector;
  }
  static HITGRAPH_INLINE void store(Vector vector, T* to) {
    std::memcpy(to, &vector, sizeof vector);
  }
  static HITGRAPH_INLINE Vector broadcast(T value) { return value - Vector{}; }
  static HITGRAPH_INLINE Integers broadcast_integer(int64_t value) {
    return static_cast<Integer>(value) - Integers{};
  }
  // All bits of the lanes from `first`, none of those before.
  static HITGRAPH_INLINE Integers lanes_from(int64_t first) {
    Integers lanes = {};
    for (int lane = 0; lane < kLanes; ++lane) lanes[lane] = lane >= first ? -1 : 0;
    return lanes;
  }
  // Whether a lane has a bit.
  static HITGRAPH_INLINE bool any(Integers lanes) {
    Integer numbers[kLanes], bits = 0;
    std::memcpy(numbers, &lanes, sizeof numbers);
    for (int lane = 0; lane < kLanes; ++lane) bits |= numbers[lane];
    return bits != 0;
  }
  // By loops: GCC 12 converts vectors of other lengths element by element.
  template <typename Slot>
  static HITGRAPH_INLINE Integers load_slots(const Slot* from) {
    Integer lanes[kLanes];
    for (int lane = 0; lane < kLanes; ++lane) lanes[lane] = from[lane];
    Integers integers;
    std::memcpy(&integers, lanes, sizeof lanes);
    return integers;
  }
  template <typename Slot>
  static HITGRAPH_INLINE void store_slots(Integers integers, Slot* to) {
    Integer lanes[kLanes];
    std::memcpy(lanes, &integers, sizeof lanes);
    for (int lane = 0; lane < kLanes; ++lane) to[lane] = static_cast<Slot>(lanes[lane]);
  }
};

// Calls body(Channels<...>(), begin, fresh) until every channel was in one tile. A rest that fills
// no vector is done by a vector that overlaps what was done: `fresh` is where its own channels
// begin.
template <typename Isa, typename T, int kLanes = Isa::kBytes / static_cast<int>(sizeof(T)),
          typename Body>
HITGRAPH_INLINE void for_each_tile(int64_t channels, const Body& body) {
  if constexpr (kLanes > 1) {
    if (channels < kLanes) return for_each_tile<Isa, T, kLanes / 2>(channels, body);
  }
  int64_t begin = 0;
  for (; channels - begin >= 4 * kLanes; begin += 4 * kLanes) {
    body(Channels<Isa, T, kLanes, 4>(), begin, begin);
  }
  if (channels - begin >= 2 * kLanes) {
    body(Channels<Isa, T, kLanes, 2>(), begin, begin);
    begin += 2 * kLanes;
  }
  if (channels - begin >= kLanes) {
    body(Channels<Isa, T, kLanes, 1>(), begin, begin);
    begin += kLanes;
  }
  if (begin < channels) body(Channels<Isa, T, kLanes, 1>(), channels - kLanes, begin);
}

}  // namespace hitgraph
