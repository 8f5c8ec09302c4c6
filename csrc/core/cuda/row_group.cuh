// A warp in groups of lanes, each of which has a row of its own and the row's channels dealt out
// among its lanes.
#pragma once

#include "core/cuda/vector.cuh"
#include "core/cuda/warp.cuh"

namespace hitgraph {

// A group has at least as many lanes.
constexpr int kSmallestGroup = 4;

// `size` lanes, a power of two. Groups of a warp go through the same steps, since every collective
// is one of the whole warp.
struct RowGroup {
  int size, lane;
  unsigned number;  // among all groups

  // In the body: nvcc shows an initializer list to the host's compiler, which has no __ffs.
  HITGRAPH_DEVICE explicit RowGroup(int lanes) {
    const int64_t thread = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    size = lanes;
    lane = static_cast<int>(threadIdx.x) & (lanes - 1);
    number = static_cast<unsigned>(thread >> (__ffs(lanes) - 1));
  }

  template <typename T>
  HITGRAPH_DEVICE T from(int source, T value) const {
    return __shfl_sync(kFullWarp, value, source, size);
  }
  // Of the group's own lanes, bit 0 its first.
  HITGRAPH_DEVICE unsigned ballot(bool vote) const {
    const unsigned votes = __ballot_sync(kFullWarp, vote) >> (lane_index() & -size);
    return votes & (kFullWarp >> (kWarpSize - size));
  }

  // The sum over the lanes of sums[lane % 4]: four sums for little more than the price of one. Each
  // exchange halves what a lane still has to sum.
  template <typename T>
  HITGRAPH_DEVICE T sum_of_four(const T (&sums)[4]) const {
    const bool odd = (lane & 1) != 0, high = (lane & 2) != 0;
    const T low_pair =
        (odd ? sums[1] : sums[0]) + __shfl_xor_sync(kFullWarp, odd ? sums[0] : sums[1], 1);
    const T high_pair =
        (odd ? sums[3] : sums[2]) + __shfl_xor_sync(kFullWarp, odd ? sums[2] : sums[3], 1);
    T sum =
        (high ? high_pair : low_pair) + __shfl_xor_sync(kFullWarp, high ? low_pair : high_pair, 2);
    for (int distance = 4; distance < size; distance *= 2) {
      sum += __shfl_xor_sync(kFullWarp, sum, distance);
    }
    return sum;
  }
};

// The channels of one lane in the tile that begins at channel `tile`: neighbours, if rows allow one
// access for all of them, or else a group apart. Beyond the last channel a lane reads the last
// again, which is simpler than not to read, and writes nothing.
template <typename T, bool kVector>
struct LaneChannels {
  static constexpr int kWidth = kVectorBytes / static_cast<int>(sizeof(T));
  static constexpr bool kHasVectors = kVector;
  // So many rows are asked for before the first is used.
  static constexpr int kInFlight = kVector ? 4 : 2;

  int own[kVector ? 1 : kWidth];  // where rows are read
  unsigned there;                 // a bit a channel: it exists

  HITGRAPH_DEVICE LaneChannels(const RowGroup& group, int tile, int channels) : there(0) {
    for (int v = 0; v < (kVector ? 1 : kWidth); ++v) {
      const int channel = tile + (kVector ? group.lane * kWidth : group.lane + v * group.size);
      const int last = channels - (kVector ? kWidth : 1);
      own[v] = channel < last ? channel : last;
      if (channel <= last) there |= kVector ? (1u << kWidth) - 1 : 1u << v;
    }
  }
  HITGRAPH_DEVICE bool has(int v) const { return (there >> v & 1u) != 0; }

  // Of the row that begins at `row`.
  template <typename U>
  HITGRAPH_DEVICE Vector<U, kWidth> load(Global<const U> array, int64_t row) const {
    if constexpr (kVector) {
      return load_vector<U, kWidth>(array, row + own[0]);
    } else {
      Vector<U, kWidth> vector;
      for (int v = 0; v < kWidth; ++v) vector.lanes[v] = array[row + own[v]];
      return vector;
    }
  }
  // Of a row that this lane writes, too: what lies beyond the last channel is not read again.
  template <typename U>
  HITGRAPH_DEVICE Vector<U, kWidth> load_own(Global<U> array, int64_t row) const {
    Vector<U, kWidth> vector = broadcast<kWidth>(U(0));
    if constexpr (kVector) {
      if (has(0)) vector = load_vector<U, kWidth>(Global<const U>(array), row + own[0]);
    } else {
      for (int v = 0; v < kWidth; ++v) {
        if (has(v)) vector.lanes[v] = array[row + own[v]];
      }
    }
    return vector;
  }
  template <typename U>
  HITGRAPH_DEVICE void store(const Vector<U, kWidth>& vector, Global<U> array, int64_t row) const {
    if constexpr (kVector) {
      if (has(0)) store_vector<U, kWidth>(vector, array, row + own[0]);
    } else {
      for (int v = 0; v < kWidth; ++v) {
        if (has(v)) array[row + own[v]] = vector.lanes[v];
      }
    }
  }
};

}  // namespace hitgraph
