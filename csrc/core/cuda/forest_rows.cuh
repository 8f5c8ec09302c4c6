// The first kernels of a build: which rows take part, and where each segment's positions start.
#pragma once

#include "core/cuda/forest.cuh"

namespace hitgraph {

HITGRAPH_DEVICE int thread_number() {
  return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
}

// One thread a segment. Nothing is read or written by the values of row_splits before they are
// known to be ascending and within the rows.
template <typename T>
__global__ void check_row_splits(Forest<T> forest) {
  const int segment = thread_number();
  if (segment >= forest.segments) return;
  const int64_t begin = forest.row_splits[segment], end = forest.row_splits[segment + 1];
  if (begin < 0 || begin > end || end > forest.rows) atomicMax(forest.malformed, 1);
}

// One thread a row. Rows outside of every segment take no part.
template <typename T>
__global__ void mark_rows(Forest<T> forest) {
  const int row = thread_number();
  if (row > forest.rows) return;
  bool marked = row < forest.rows;
  if (marked && forest.row_splits != nullptr) {
    const int malformed = forest.malformed[0];
    marked =
        malformed == 0 && row >= forest.row_splits[0] && row < forest.row_splits[forest.segments];
  }
  forest.flags[row] = marked && takes_part(forest.points, forest.mask, row, forest.dim) ? 1 : 0;
}

// One thread a row, or a segment if there are more of them: the rows that take part, in order.
template <typename T>
__global__ void list_rows(Forest<T> forest) {
  const int number = thread_number();
  if (number < forest.rows && forest.flags[number] != 0) {
    const int position = forest.ranks[number];
    forest.index[position] = number;
  }
  if (number > forest.segments) return;
  int64_t row = number == 0 ? 0 : forest.rows;
  if (forest.row_splits != nullptr) {
    const int malformed = forest.malformed[0];
    row = malformed != 0 ? 0 : static_cast<int64_t>(forest.row_splits[number]);
  }
  const int begin = forest.ranks[row];
  forest.segment_begin[number] = begin;
}

}  // namespace hitgraph
