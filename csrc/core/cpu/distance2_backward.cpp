#include <algorithm>
#include <vector>

#include "core/cpu/point_sums.h"
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

template <typename T, typename Index, typename Edge>
void distance2_backward_cpu(const Distance2Backward<T, Index, Edge>& problem,
                            const Executor& executor, T* grad_queries, T* grad_points) {
  const int64_t k = problem.k, dim = problem.dim;
  std::vector<std::vector<double>> sums(std::max(1, executor.threads), std::vector<double>(dim));
  const auto add = [&](double sign, int64_t edge, double* sum) {
    add_edge(sign, problem.grad[edge], problem.queries + edge / k * dim,
             problem.points + problem.index[edge] * dim, dim, sum);
  };

  for_each_task(executor, problem.rows, 256, [&](int64_t row, int worker) {
    std::vector<double>& sum = sums[worker];
    std::fill(sum.begin(), sum.end(), 0.0);
    for (int64_t edge = row * k; edge < (row + 1) * k; ++edge) {
      if (problem.index[edge] >= 0) add(1, edge, sum.data());
    }
    store(sum, grad_queries + row * dim);
  });

  PointSums<T>(problem.offsets, problem.points_size, dim, grad_points)
      .run(executor, {}, [&](int64_t begin, int64_t end, int64_t, int, double* sum) {
        for (int64_t place = begin; place < end; ++place) add(-1, problem.edges[place], sum);
      });
}

#define HITGRAPH_INSTANTIATE(T, Index, Edge)                                                      \
  template void distance2_backward_cpu(const Distance2Backward<T, Index, Edge>&, const Executor&, \
                                       T*, T*);
#define HITGRAPH_INSTANTIATE_ALL(T)         \
  HITGRAPH_INSTANTIATE(T, int32_t, int32_t) \
  HITGRAPH_INSTANTIATE(T, int32_t, int64_t) \
  HITGRAPH_INSTANTIATE(T, int64_t, int32_t) \
  HITGRAPH_INSTANTIATE(T, int64_t, int64_t)
HITGRAPH_INSTANTIATE_ALL(float)
HITGRAPH_INSTANTIATE_ALL(double)
#undef HITGRAPH_INSTANTIATE_ALL
#undef HITGRAPH_INSTANTIATE

}  // namespace hitgraph
