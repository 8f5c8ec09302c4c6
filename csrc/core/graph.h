// Operations on a graph of fixed out-degree: `index` is row-major (rows, k), the point at the end
// of every edge, -1 where there is none. Edge e leaves row e / k.
//
// An `order` is a permutation of the points in which neighbours come one after another. On the CPU
// a graph between points and themselves is worked on in that order, unless its points come so as
// they are numbered. No result depends on it. Null: one is looked for where it pays.
#pragma once

#include <cstdint>

#include "core/executor.h"

namespace hitgraph {

// Whether lowest <= number < past for all numbers of a graph. Integer = uint8_t, where 255 stands
// for -1, int32_t, int64_t; lowest is 0 or -1.
template <typename Integer>
bool numbers_within(const Integer* numbers, int64_t count, int64_t lowest, int64_t past,
                    const Executor& executor);

// The edges by the point they reach: edges[offsets[j]] ... edges[offsets[j + 1] - 1] are the edges
// that reach point j, ascending; those that do not exist follow after the last of them, ascending.
// `offsets` has points + 1 elements, `edges` rows * k, which must fit its type. Indices must be
// below `points`. The result does not depend on the threads. Edge = int32_t, int64_t.
template <typename Index, typename Edge>
void transpose_graph(const Index* index, int64_t rows, int64_t k, int64_t points,
                     const Executor& executor, int64_t* offsets, Edge* edges);

// An order of the points of any graph of as many rows, made of nothing but the graph; of other
// graphs, and of those that are small or in order, as the points are numbered.
template <typename Index>
void order_points(const Index* index, int64_t rows, int64_t k, int64_t points, int32_t* order);

// The gradient of sum(grad * distance2) with respect to the queries (rows, dim) and the points
// (points, dim), where distance2 of edge (i, j) is |query_i - point_j|^2:
//   grad_queries_i =  sum over edges (i, j) of 2 grad_ij (query_i - point_j)
//   grad_points_j  = -sum over edges (i, j) of 2 grad_ij (query_i - point_j)
// Both are gathered, by row and through the transposed graph, in a fixed order: no atomics, the
// same bits on every run. Sums are carried in double. A coordinate in which both ends agree
// contributes zero whatever grad is; edges that do not exist contribute nothing. `offsets` and
// `edges` are transpose_graph's.
template <typename T, typename Index, typename Edge>
struct Distance2Backward {
  const T* grad = nullptr;
  const T* queries = nullptr;
  const T* points = nullptr;
  const Index* index = nullptr;
  int64_t rows = 0, k = 0, points_size = 0, dim = 0;
  const int64_t* offsets = nullptr;
  const Edge* edges = nullptr;
  const int32_t* order = nullptr;  // (points_size), or null
};

template <typename T, typename Index, typename Edge>
void distance2_backward_cpu(const Distance2Backward<T, Index, Edge>& problem,
                            const Executor& executor, T* grad_queries, T* grad_points);

}  // namespace hitgraph
