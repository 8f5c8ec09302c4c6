// The edges of a graph by the point they reach (see core/graph.h), by one stable sort.
#pragma once

#include "core/cuda/row_pieces.cuh"

namespace hitgraph {

// A point with many edges is a hub: all points identical, and the first k are everybody's
// neighbours. So the edges of a point are a row that is dealt out in pieces.
template <typename Edge>
struct TransposedGraph {
  RowPieces points;          // a row a point: the edges that reach it
  Global<const Edge> edges;  // by the point they reach, ascending for each
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
  graph.offsets[point] = first_not_below(
      graph.edges, point, [&](int64_t place) { return static_cast<int64_t>(graph.sorted[place]); });
}

}  // namespace hitgraph
