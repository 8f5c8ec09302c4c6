// Rows of neighbours into their order, by (distance2, index). A warp sorts a row of up to kPiece
// places in shared memory; a longer row in pieces of as many, which are then merged: two runs,
// four, and so on.
#pragma once

#include "core/cuda/knn_pool.cuh"
#include "core/cuda/row_pieces.cuh"

namespace hitgraph {

constexpr int kSortThreads = 128;

template <typename T>
struct RowSort {
  RowPieces list;
  bool in_pieces;      // some row has more than kPiece; else slots are rows
  int64_t most;        // rows with as many are in order
  int capacity;        // of a pool
  Neighbours<T> rows;  // in place,
  Neighbours<T> runs;  // or where the pieces of a longer row go
};

// Where the pool of a warp lies.
HITGRAPH_HOST_DEVICE PoolPlace sort_place(int warp, int warps, int capacity, uint32_t number_size) {
  const uint32_t entries = static_cast<uint32_t>(capacity);
  const uint32_t indices = static_cast<uint32_t>(warps) * entries * number_size;
  return {static_cast<uint32_t>(warp) * entries * number_size,
          indices + static_cast<uint32_t>(warp) * entries * 4, capacity, 0};
}

// A warp a piece.
template <typename T>
__global__ void sort_pieces(RowSort<T> sort) {
  const int64_t slot = warp_number();
  Piece piece{};
  if (sort.in_pieces) {
    if (!piece.find(sort.list, slot)) return;
  } else {
    if (slot >= sort.list.rows) return;
    piece = {slot, sort.list.offsets[slot], sort.list.offsets[slot + 1], 1};
  }
  const int count = static_cast<int>(piece.end - piece.begin);
  if (sort.list.length(piece.row) == sort.most || (piece.pieces == 1 && count < 2)) return;

  const int warp = static_cast<int>(threadIdx.x) / kWarpSize;
  const Pool<T> pool(sort_place(warp, kSortThreads / kWarpSize, sort.capacity, sizeof(T)));
  for (int begin = 0; begin < count; begin += kWarpSize) {
    const bool present = begin + lane_index() < count;
    const int64_t place = piece.begin + begin + lane_index();
    const T distance2 = present ? T(sort.rows.distance2[place]) : T(0);
    const int index = present ? sort.rows.index(place) : 0;
    pool.append(begin, __ballot_sync(kFullWarp, present), distance2, index);
  }
  __syncwarp();
  const Neighbours<T>& to = piece.pieces == 1 ? sort.rows : sort.runs;
  pool.rank(count, [&](int rank, T distance2, int index) {
    to.write(piece.begin + rank, distance2, index);
  });
}

// Of runs of `width` places, two and two become one.
template <typename T>
struct RunMerge {
  RowPieces list;
  int64_t most;
  int64_t width;
  Neighbours<T> from, to;
};

// A warp a piece. A neighbour moves beyond those of the other run that are before it, which a
// binary search counts: lanes search for neighbours of each other, mostly in the same places.
template <typename T>
__global__ void merge_runs(RunMerge<T> merge) {
  Piece piece;
  if (!piece.find(merge.list, warp_number()) || piece.pieces == 1) return;
  if (merge.list.length(piece.row) == merge.most) return;
  const int64_t first = merge.list.offsets[piece.row], past = merge.list.offsets[piece.row + 1];
  const int64_t run = (piece.begin - first) / merge.width;
  const int64_t own = first + run * merge.width;
  const int64_t other = first + (run ^ 1) * merge.width;
  const int64_t end = smaller(other + merge.width, past);  // before `other`: there is no such run
  for (int64_t place = piece.begin + lane_index(); place < piece.end; place += kWarpSize) {
    const T distance2 = merge.from.distance2[place];
    const int index = merge.from.index(place);
    int64_t low = other, high = end;
    while (low < high) {
      const int64_t middle = low + (high - low) / 2;
      const T there = merge.from.distance2[middle];
      if (not_after(there, merge.from.index(middle), distance2, index)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    merge.to.write(smaller(own, other) + (place - own) + (low - other), distance2, index);
  }
}

}  // namespace hitgraph
