// What the search in many dimensions is told, and how it lays out shared memory.
#pragma once

#include "core/cuda/knn_launch.cuh"

namespace hitgraph {

constexpr int kWarpQueries = 8;    // of one warp of a block, which share what the block reads
constexpr int kMostTileWarps = 4;  // the queries of a whole bucket
constexpr int kTileAxes = 16;      // that are in shared memory at once
constexpr int kCheckedAxes = 32;   // after which a tile is left if nobody is within a limit
constexpr int kTileBlocks = 4;     // of four warps on a multiprocessor, at least

// Points beside each other that a lane reads at once: one of each of as many buckets.
template <typename T>
constexpr int kTileBuckets = 16 / static_cast<int>(sizeof(T));

// Offsets in bytes, for a block of `warps`. 16-byte vectors first, so that all are aligned.
struct TileLayout {
  int warps;
  uint32_t points;   // [axis][lane], a vector of one point of each bucket
  uint32_t queries;  // [query][axis], in vectors
  uint32_t states, limits, near, low, high, pool_distance2;
  uint32_t alive, pool_index;
  uint32_t bytes;
};

HITGRAPH_HOST_DEVICE TileLayout tile_layout(int warps, int dim, int levels, int capacity,
                                            uint32_t number_size) {
  TileLayout layout;
  layout.warps = warps;
  const int queries = warps * kWarpQueries;
  uint32_t at = 0;
  const auto take = [&](int count, uint32_t size) {
    const uint32_t place = at;
    at += (static_cast<uint32_t>(count) * size + 15) / 16 * 16;
    return place;
  };
  layout.points = take(kTileAxes * kWarpSize, 16);
  layout.queries = take(queries * kTileAxes, number_size);
  layout.states = take(queries, 16);
  layout.limits = take(queries, number_size);
  layout.near = take(warps * levels * kWarpSize, number_size);
  layout.low = take(levels > 0 ? dim : 0, number_size);
  layout.high = take(levels > 0 ? dim : 0, number_size);
  layout.pool_distance2 = take(queries * capacity, number_size);
  layout.alive = take(warps, 4);
  layout.pool_index = take(queries * capacity, 4);
  layout.bytes = at;
  return layout;
}

template <typename T>
struct TileLaunch {
  Forest<T> forest;        // of the points; without levels their buckets have no boxes
  QueryGroups<T> queries;  // groups of a block's
  int k;
  PoolSizes pool;
  TileLayout layout;
  T max_distance2;
  bool exclude_self;
  Neighbours<T> found;                  // (rows, k)
  Global<unsigned long long> counters;  // (kCounters), null unless counting
};

}  // namespace hitgraph
