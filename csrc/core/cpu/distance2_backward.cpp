#include <algorithm>
#include <vector>

#include "core/edge_gradient.h"
#include "core/graph.h"

namespace hitgraph {
namespace {

// Adds sign * 2 grad (query - point) of one edge.
template <typename T>
void add_edge(double sign, T grad, const T* query, const T* point, int64_t dim, double* sum) {
  for (int64_t axis = 0; axis < dim; ++axis) {
    sum[axis] += sign * distance2_gradient(grad, query[axis] - point[axis]);
  }
}

template <typename T>
void store(const std::vector<double>& sum, T* out) {
  std::transform(sum.begin(), sum.end(), out, [](double value) { return static_cast<T>(value); });
}

}  // namespace

template <typename T, typename Index>
void distance2_backward_cpu(const Distance2Backward<T, Index>& problem, const Executor& executor,
                            T* grad_queries, T* grad_points) {
  const int64_t k = problem.k, dim = problem.dim;
  std::vector<std::vector<double>> sums(std::max(1, executor.threads), std::vector<double>(dim));
  const auto add = [&](double sign, int64_t edge, std::vector<double>& sum) {
    add_edge(sign, problem.grad[edge], problem.queries + edge / k * dim,
             problem.points + problem.index[edge] * dim, dim, sum.data());
  };

  for_each_task(executor, problem.rows, 256, [&](int64_t row, int worker) {
    std::vector<double>& sum = sums[worker];
    std::fill(sum.begin(), sum.end(), 0.0);
    for (int64_t edge = row * k; edge < (row + 1) * k; ++edge) {
      if (problem.index[edge] >= 0) add(1, edge, sum);
    }
    store(sum, grad_queries + row * dim);
  });

  std::vector<int64_t> offsets(problem.points_size + 1), edges(problem.rows * k);
  transpose_graph(problem.index, problem.rows, k, problem.points_size, executor, offsets.data(),
                  edges.data());
  for_each_task(executor, problem.points_size, 256, [&](int64_t point, int worker) {
    std::vector<double>& sum = sums[worker];
    std::fill(sum.begin(), sum.end(), 0.0);
    for (int64_t i = offsets[point]; i < offsets[point + 1]; ++i) add(-1, edges[i], sum);
    store(sum, grad_points + point * dim);
  });
}

#define HITGRAPH_INSTANTIATE(T, Index) \
  template void distance2_backward_cpu(const Distance2Backward<T, Index>&, const Executor&, T*, T*);
HITGRAPH_INSTANTIATE(float, int32_t)
HITGRAPH_INSTANTIATE(float, int64_t)
HITGRAPH_INSTANTIATE(double, int32_t)
HITGRAPH_INSTANTIATE(double, int64_t)
#undef HITGRAPH_INSTANTIATE

}  // namespace hitgraph
