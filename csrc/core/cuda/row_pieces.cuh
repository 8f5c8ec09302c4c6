// The rows of a compressed list (CSR), dealt out in pieces of which no warp has more than one.
#pragma once

#include "core/cuda/warp.cuh"
#include "core/host_device.h"

namespace hitgraph {

HITGRAPH_DEVICE int64_t long_thread_number() {
  return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

HITGRAPH_DEVICE int64_t warp_number() { return long_thread_number() / kWarpSize; }

constexpr int kPiece = 1024;  // places

// Pieces are numbered like the slots of forest.cuh.
struct RowPieces {
  int64_t rows, slots;
  Global<const int64_t> offsets;  // (rows + 1)

  HITGRAPH_HOST_DEVICE static int64_t slot_count(int64_t rows, int64_t places) {
    return rows == 0 ? 0 : rows + places / kPiece;
  }
  HITGRAPH_DEVICE int64_t length(int64_t row) const { return offsets[row + 1] - offsets[row]; }
  HITGRAPH_DEVICE int64_t first_slot(int64_t row) const { return row + offsets[row] / kPiece; }
};

// At most kPiece places of one row. `pieces` is how many the row has; an empty row has an empty
// one.
struct Piece {
  int64_t row, begin, end;
  int pieces;

  // False if the slot is empty.
  HITGRAPH_DEVICE bool find(const RowPieces& list, int64_t slot) {
    if (slot >= list.slots) return false;
    int64_t low = 0, high = list.rows;
    while (high - low > 1) {
      const int64_t middle = low + (high - low) / 2;
      if (list.first_slot(middle) <= slot) {
        low = middle;
      } else {
        high = middle;
      }
    }
    row = low;
    const int64_t first = list.offsets[row], past = list.offsets[row + 1];
    const int64_t number = slot - list.first_slot(row);
    pieces = past == first ? 1 : static_cast<int>((past - first + kPiece - 1) / kPiece);
    begin = first + number * kPiece;
    end = begin + kPiece < past ? begin + kPiece : past;
    return number < pieces;
  }
};

}  // namespace hitgraph
