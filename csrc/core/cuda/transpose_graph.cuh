// The edges of a graph by the point they reach (see core/graph.h), by one stable sort.
#pragma once

#include "core/cuda/warp.cuh"
#include "core/host_device.h"

namespace hitgraph {

HITGRAPH_DEVICE int64_t long_thread_number() {
  return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

// A point with many edges is a hub: all points identical, and the first k are everybody's
// neighbours. Its edges are dealt out in pieces of this many, so that no warp has more. Pieces are
// numbered like the slots of forest.cuh.
constexpr int kPiece = 1024;

template <typename Edge>
struct TransposedGraph {
  int64_t points, slots;          // slots: of pieces
  Global<const int64_t> offsets;  // (points + 1)
  Global<const Edge> edges;       // (edges) by the point they reach, ascending for each

  HITGRAPH_HOST_DEVICE static int64_t slot_count(int64_t points, int64_t edges) {
    return points == 0 ? 0 : points + edges / kPiece;
  }
  HITGRAPH_DEVICE int64_t first_slot(int64_t point) const {
    return point + offsets[point] / kPiece;
  }
};

// What one warp sums: at most kPiece edges of one point. `pieces` is how many the point has; one
// without edges has an empty one.
struct Piece {
  int64_t point, begin, end;
  int pieces;

  // False if the slot is empty.
  template <typename Edge>
  HITGRAPH_DEVICE bool find(const TransposedGraph<Edge>& graph, int64_t slot) {
    if (slot >= graph.slots) return false;
    int64_t low = 0, high = graph.points;
    while (high - low > 1) {
      const int64_t middle = low + (high - low) / 2;
      if (graph.first_slot(middle) <= slot) {
        low = middle;
      } else {
        high = middle;
      }
    }
    point = low;
    const int64_t first = graph.offsets[point], past = graph.offsets[point + 1];
    const int64_t number = slot - graph.first_slot(point);
    pieces = past == first ? 1 : static_cast<int>((past - first + kPiece - 1) / kPiece);
    begin = first + number * kPiece;
    end = begin + kPiece < past ? begin + kPiece : past;
    return number < pieces;
  }
};

template <typename Index, typename Edge>
struct GraphToTranspose {
  Global<const Index> index;
  int64_t edges, points;
  Global<int32_t> keys;     // (edges)
  Global<Edge> numbers;     // (edges)
  Global<int32_t> sorted;   // (edges) the keys, ascending
  Global<int64_t> offsets;  // (points + 1)
};

// One thread an edge. Where there is none, or none that there could be, the key is beyond all
// points.
template <typename Index, typename Edge>
__global__ void number_edges(GraphToTranspose<Index, Edge> graph) {
  const int64_t edge = long_thread_number();
  if (edge >= graph.edges) return;
  const int64_t point = graph.index[edge];
  const bool exists = point >= 0 && point < graph.points;
  graph.keys[edge] = static_cast<int32_t>(exists ? point : graph.points);
  graph.numbers[edge] = static_cast<Edge>(edge);
}

// One thread a point: where its edges begin among the sorted ones.
template <typename Index, typename Edge>
__global__ void find_offsets(GraphToTranspose<Index, Edge> graph) {
  const int64_t point = long_thread_number();
  if (point > graph.points) return;
  int64_t low = 0, high = graph.edges;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (graph.sorted[middle] < point) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  graph.offsets[point] = low;
}

}  // namespace hitgraph
