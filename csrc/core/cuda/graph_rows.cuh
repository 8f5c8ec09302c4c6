// A graph of fixed out-degree, as kernels read it row by row.
#pragma once

#include "core/cuda/platform.cuh"

namespace hitgraph {

// In place of a point: where an edge does not exist, and where no slot does.
constexpr int kMissing = -1, kBeyond = -2;

template <typename Index>
struct GraphRows {
  Global<const Index> index;  // (rows, k)
  int64_t rows, points;
  int k;

  // The point at the end of a row's edge; kMissing if there is none, or none that could be.
  HITGRAPH_DEVICE int point_of(int64_t row, int slot) const {
    if (row >= rows || slot >= k) return kBeyond;
    const Index point = index[row * k + slot];
    return point >= 0 && point < points ? static_cast<int>(point) : kMissing;
  }
};

}  // namespace hitgraph
