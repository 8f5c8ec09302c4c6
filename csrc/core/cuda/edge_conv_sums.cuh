// Sums over all rows of a layer, channel by channel, the same on every run: a block adds up a share
// of the rows, its groups in their order, and one more launch adds up the shares.
#pragma once

#include "core/cuda/row_group.cuh"
#include "core/host_device.h"

namespace hitgraph {

constexpr int kEdgeConvThreads = 128;
// Of a multiprocessor, at least: 24 warps.
constexpr int kEdgeConvBlocks = 6;
// Threads that join shares: a warp has every kJoinThreads / 32nd share of 32 columns.
constexpr int kJoinThreads = 512;

// `count` shares of `rows` rows; the last may have fewer.
struct RowShares {
  int64_t rows, count;
};

// A block's part of the rows of a share: as many at a time as it has groups. Groups without a row
// go through the same steps, with a row beyond all rows.
struct ShareWalk {
  int64_t begin, end, all;
  int step, own;

  HITGRAPH_DEVICE ShareWalk(const RowShares& shares, int64_t share, int64_t rows,
                            const RowGroup& group) {
    begin = share * shares.rows;
    end = begin + shares.rows < rows ? begin + shares.rows : rows;
    all = rows;
    step = static_cast<int>(blockDim.x) / group.size;
    own = static_cast<int>(threadIdx.x) / group.size;
  }
  HITGRAPH_DEVICE int64_t row(int64_t first) const { return first + own < end ? first + own : all; }
};

template <int kWidth, typename T>
HITGRAPH_DEVICE void add_to(Vector<double, kWidth>& sum, const Vector<T, kWidth>& values) {
  for (int v = 0; v < kWidth; ++v) sum.lanes[v] += static_cast<double>(values.lanes[v]);
}

// Adds up what the groups of the block hold of the same channels, at partial[place] and on.
template <typename Channels>
HITGRAPH_DEVICE void write_share(const RowGroup& group, const Channels& channels,
                                 const Vector<double, Channels::kWidth>& own,
                                 Global<double> partial, int64_t place) {
  constexpr int kWidth = Channels::kWidth;
  const int thread = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
  const Shared<double> held = shared_array<double>(0, kWidth * kEdgeConvThreads);
  for (int v = 0; v < kWidth; ++v) held[v * threads + thread] = own.lanes[v];
  __syncthreads();
  if (thread < group.size) {
    auto sum = own;
    for (int other = thread + group.size; other < threads; other += group.size) {
      for (int v = 0; v < kWidth; ++v) sum.lanes[v] += held[v * threads + other];
    }
    channels.template store<double>(sum, partial, place);
  }
  __syncthreads();
}

template <typename T>
HITGRAPH_HOST_DEVICE constexpr uint32_t share_bytes() {
  return kEdgeConvThreads * (kVectorBytes / sizeof(T)) * sizeof(double);
}

// A block adds up the shares of 32 columns; the sums are those of its first warp.
HITGRAPH_DEVICE double join_shares(Global<const double> partial, int64_t shares, int64_t columns,
                                   int64_t column) {
  const int warp = static_cast<int>(threadIdx.x) / kWarpSize;
  double sum = 0;
  if (column < columns) {
    for (int64_t share = warp; share < shares; share += kJoinThreads / kWarpSize) {
      sum += partial[share * columns + column];
    }
  }
  const Shared<double> held = shared_array<double>(0, kJoinThreads);
  held[threadIdx.x] = sum;
  __syncthreads();
  double joined = 0;
  for (int other = lane_index(); other < kJoinThreads && warp == 0; other += kWarpSize) {
    joined += held[other];
  }
  __syncthreads();
  return joined;
}
constexpr uint32_t kJoinBytes = kJoinThreads * sizeof(double);

}  // namespace hitgraph
