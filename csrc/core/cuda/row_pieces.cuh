// The rows of a compressed list (CSR), dealt out in pieces of which no warp has more than one.
#pragma once

#include "core/cuda/ascending.cuh"
#include "core/cuda/warp.cuh"
#include "core/host_device.h"

namespace hitgraph {

HITGRAPH_DEVICE int64_t long_thread_number() {
  return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

HITGRAPH_DEVICE int64_t warp_number() { return long_thread_number() / kWarpSize; }

constexpr int kPiece = 1024;  // places

// Pieces of kSize places, numbered like the slots of forest.cuh.
template <int kSize>
struct PiecesOf {
  int64_t rows, slots;
  Global<const int64_t> offsets;  // (rows + 1)

  HITGRAPH_HOST_DEVICE static int64_t slot_count(int64_t rows, int64_t places) {
    return rows == 0 ? 0 : rows + places / kSize;
  }
  HITGRAPH_DEVICE int64_t length(int64_t row) const { return offsets[row + 1] - offsets[row]; }
  HITGRAPH_DEVICE int64_t first_slot(int64_t row) const { return row + offsets[row] / kSize; }
};
using RowPieces = PiecesOf<kPiece>;

// At most kSize places of one row. `pieces` is how many the row has; an empty row has an empty one.
struct Piece {
  int64_t row = 0, begin = 0, end = 0;
  int pieces = 0;

  // False if the slot is empty.
  template <int kSize>
  HITGRAPH_DEVICE bool find(const PiecesOf<kSize>& list, int64_t slot) {
    if (slot >= list.slots) return false;
    row = last_not_beyond(list.rows, slot, [&](int64_t r) { return list.first_slot(r); });
    const int64_t first = list.offsets[row], past = list.offsets[row + 1];
    const int64_t number = slot - list.first_slot(row);
    pieces = past == first ? 1 : static_cast<int>((past - first + kSize - 1) / kSize);
    begin = first + number * kSize;
    end = begin + kSize < past ? begin + kSize : past;
    return number < pieces;
  }
};

}  // namespace hitgraph
