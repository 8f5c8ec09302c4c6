// The gradient of distance2 (see core/graph.h): gathered in a fixed order, no atomics.
#pragma once

#include "core/cuda/transpose_graph.cuh"
#include "core/edge_gradient.h"

namespace hitgraph {

template <typename T, typename Index, typename Edge>
struct Distance2Gradient {
  Global<const T> grad;       // (rows, k)
  Global<const T> queries;    // (rows, dim)
  Global<const T> points;     // (points, dim)
  Global<const Index> index;  // (rows, k)
  int64_t rows, k;
  int dim;
  TransposedGraph<Edge> graph;
  Global<double> partial;  // (slots, dim): sums of the pieces of hubs
  Global<T> grad_queries, grad_points;

  HITGRAPH_DEVICE double term(int64_t edge, int64_t row, int64_t point, int axis) const {
    const T query = queries[row * dim + axis];
    const T other = points[point * dim + axis];
    return distance2_gradient<T>(grad[edge], query - other);
  }
};

// A warp a query: the sum over its row.
template <typename T, typename Index, typename Edge>
__global__ void sum_rows(Distance2Gradient<T, Index, Edge> problem) {
  const int64_t row = warp_number();
  if (row >= problem.rows) return;
  for (int axis = 0; axis < problem.dim; ++axis) {
    double sum = 0;
    for (int64_t slot = lane_index(); slot < problem.k; slot += kWarpSize) {
      const int64_t edge = row * problem.k + slot;
      const int64_t point = problem.index[edge];
      if (point >= 0 && point < problem.graph.points.rows)
        sum += problem.term(edge, row, point, axis);
    }
    sum = warp_sum(sum);
    if (lane_index() == 0) problem.grad_queries[row * problem.dim + axis] = static_cast<T>(sum);
  }
}

// A warp a piece: the sum over its edges, which is the point's if it is the only piece.
template <typename T, typename Index, typename Edge>
__global__ void sum_pieces(Distance2Gradient<T, Index, Edge> problem) {
  Piece piece;
  const int64_t slot = warp_number();
  if (!piece.find(problem.graph.points, slot)) return;
  for (int axis = 0; axis < problem.dim; ++axis) {
    double sum = 0;
    for (int64_t place = piece.begin + lane_index(); place < piece.end; place += kWarpSize) {
      const Edge edge = problem.graph.edges[place];
      sum -= problem.term(edge, edge / static_cast<Edge>(problem.k), piece.row, axis);
    }
    sum = warp_sum(sum);
    if (lane_index() != 0) continue;
    if (piece.pieces == 1) {
      problem.grad_points[piece.row * problem.dim + axis] = static_cast<T>(sum);
    } else {
      problem.partial[slot * problem.dim + axis] = sum;
    }
  }
}

// One thread a point: hubs alone have more than one piece.
template <typename T, typename Index, typename Edge>
__global__ void join_pieces(Distance2Gradient<T, Index, Edge> problem) {
  const int64_t point = long_thread_number();
  if (point >= problem.graph.points.rows) return;
  const int64_t begin = problem.graph.points.offsets[point];
  const int64_t end = problem.graph.points.offsets[point + 1];
  if (end - begin <= kPiece) return;
  const int64_t first = problem.graph.points.first_slot(point);
  const int64_t pieces = (end - begin + kPiece - 1) / kPiece;
  for (int axis = 0; axis < problem.dim; ++axis) {
    double sum = 0;
    for (int64_t piece = 0; piece < pieces; ++piece) {
      sum += problem.partial[(first + piece) * problem.dim + axis];
    }
    problem.grad_points[point * problem.dim + axis] = static_cast<T>(sum);
  }
}

}  // namespace hitgraph
