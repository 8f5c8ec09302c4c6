// The launch of the search in many dimensions, for any Device (see forest_build.h).
#pragma once

#include "core/cuda/forest_build.h"
#include "core/cuda/tile_search.cuh"

namespace hitgraph {

// From this dimension on the queries of a bucket go together where points are in boxes, and from
// the other one, which no kernel is specialised for, where every pair is compared.
constexpr int64_t kTileDim = 16, kEveryPairDim = 9;

struct TileSizes {
  PoolSizes pool;
  TileLayout layout;
};

// The largest block of 48 KB, which every device gives without being asked; of no warps if the
// pools of one do not fit.
inline TileSizes tile_sizes(int64_t k, int64_t dim, int levels, uint32_t number_size) {
  constexpr uint32_t kBlockLimit = 48 * 1024;
  TileSizes sizes{};
  if (k > kMostPerPass) return sizes;
  sizes.pool = pool_sizes(static_cast<int>(k), 24);
  for (int warps = kMostTileWarps; warps > 0; warps /= 2) {
    sizes.layout =
        tile_layout(warps, static_cast<int>(dim), levels, sizes.pool.capacity, number_size);
    if (sizes.layout.bytes <= kBlockLimit) return sizes;
  }
  sizes.layout.warps = 0;
  return sizes;
}

// Compiled by tile_search.cu alone (tile_instances.h).
template <typename T, typename Device>
void launch_tile_search(Device& device, const TileLaunch<T>& launch) {
  device.launch(
      "search_tiles", launch.counters != nullptr ? search_tiles<T, true> : search_tiles<T, false>,
      launch.queries.count(), launch.layout.warps * kWarpSize, launch.layout.bytes, launch);
}

}  // namespace hitgraph
