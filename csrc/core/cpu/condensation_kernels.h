// The loops of an object condensation potential, one table of them for every instruction set.
#pragma once

#include <cstdint>

#include "core/condensation_rules.h"
#include "core/simd_level.h"

namespace hitgraph {

constexpr int64_t kHitBlock = 128;  // hits of one bounding box
constexpr int64_t kTileBlocks = 8;  // blocks that are worked on while they lie in the nearest cache
constexpr int64_t kTileHits = kHitBlock * kTileBlocks;

// Up to kTileHits hits of one event, in the order of their objects. Absent ones stand where the
// first of their block does, with weight 0.
template <typename T>
struct HitTile {
  int64_t first = 0;  // place of the first hit in the event
  int64_t hits = 0, blocks = 0, dim = 0;
  T* coordinates = nullptr;                                // [block][axis][kHitBlock]
  T* weights = nullptr;                                    // [block][kHitBlock]
  T *low = nullptr, *high = nullptr;                       // [axis][kTileBlocks]
  T *grad_coordinates = nullptr, *grad_weights = nullptr;  // laid out alike
};

// One object as a tile meets it.
template <typename T>
struct TileObject {
  const T* centre = nullptr;
  T factor = 0;
  int64_t begin = 0, end = 0;  // places of its hits in the event
  Attraction attraction = Attraction::kQuadratic;
  T epsilon = 0;
  T grad_attraction = 0, grad_repulsion = 0;  // backward alone
};

template <typename T>
struct CondensationKernels {
  // sums[0] += attraction, sums[1] += repulsion
  void (*sum)(const HitTile<T>& tile, const TileObject<T>& object, double* sums);
  // Adds to the tile's gradients; sums[axis] += the centre's, sums[dim] += the factor's.
  void (*differentiate)(const HitTile<T>& tile, const TileObject<T>& object, double* sums);
};

template <typename T>
CondensationKernels<T> condensation_kernels_portable(Repulsion repulsion);
template <typename T>
CondensationKernels<T> condensation_kernels_avx2(Repulsion repulsion);
template <typename T>
CondensationKernels<T> condensation_kernels_avx512(Repulsion repulsion);

template <typename T>
CondensationKernels<T> condensation_kernels(SimdLevel level, Repulsion repulsion) {
  return HITGRAPH_AT_SIMD_LEVEL(level, condensation_kernels, <T>(repulsion));
}

}  // namespace hitgraph
