// The launches of the operations on graphs, for any Device (see forest_build.h), which sorts too:
//   device.sort_pairs(keys, sorted keys, values, moved values, count, bits)     stable, by int32
//   keys
#pragma once

#include "core/cuda/distance2_backward.cuh"

namespace hitgraph {

constexpr int kGraphThreads = 256;

inline int64_t graph_blocks(int64_t threads) {
  return (threads + kGraphThreads - 1) / kGraphThreads;
}

template <typename Edge>
TransposedGraph<Edge> transposed_graph(int64_t points, int64_t edges, Global<const int64_t> offsets,
                                       Global<const Edge> moved) {
  return {{points, RowPieces::slot_count(points, edges), offsets}, moved};
}

// Into `offsets` (points + 1) and `moved` (edges).
template <typename Edge, typename Index, typename Device>
void launch_transpose(Device& device, Global<const Index> index, int64_t edges, int64_t points,
                      Global<int64_t> offsets, Global<Edge> moved) {
  GraphToTranspose<Index, Edge> graph{};
  graph.index = index;
  graph.edges = edges;
  graph.points = points;
  graph.keys = device.template array<int32_t>("keys", edges);
  graph.numbers = device.template array<Edge>("numbers", edges);
  graph.sorted = device.template array<int32_t>("sorted", edges);
  graph.offsets = offsets;
  int bits = 1;
  while (points >> bits != 0) ++bits;
  device.launch("number_edges", number_edges<Index, Edge>, graph_blocks(edges), kGraphThreads, 0,
                graph);
  device.sort_pairs(graph.keys, graph.sorted, graph.numbers, moved, edges, bits);
  device.launch("find_offsets", find_offsets<Index, Edge>, graph_blocks(points + 1), kGraphThreads,
                0, graph);
}

// `problem` without partial.
template <typename T, typename Index, typename Edge, typename Device>
void launch_distance2_backward(Device& device, Distance2Gradient<T, Index, Edge> problem) {
  problem.partial =
      device.template array<double>("partial", problem.graph.points.slots * problem.dim);
  device.launch("sum_rows", sum_rows<T, Index, Edge>, graph_blocks(problem.rows * kWarpSize),
                kGraphThreads, 0, problem);
  device.launch("sum_pieces", sum_pieces<T, Index, Edge>,
                graph_blocks(problem.graph.points.slots * kWarpSize), kGraphThreads, 0, problem);
  device.launch("join_pieces", join_pieces<T, Index, Edge>, graph_blocks(problem.graph.points.rows),
                kGraphThreads, 0, problem);
}

}  // namespace hitgraph
