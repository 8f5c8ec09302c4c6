// The operations on graphs: the launches of graph_launches.h on a CUDA stream.
#include <limits>

#include "core/cuda/device.cuh"
#include "core/cuda/graph_launches.h"
#include "core/cuda/run.h"

namespace hitgraph {
namespace {

template <typename Edge, typename T, typename Index>
void launch(const Distance2Backward<T, Index>& problem, const CudaRun& run, T* grad_queries,
            T* grad_points) {
  Distance2Gradient<T, Index, Edge> gradient{};
  gradient.grad = problem.grad;
  gradient.queries = problem.queries;
  gradient.points = problem.points;
  gradient.index = problem.index;
  gradient.rows = problem.rows;
  gradient.k = problem.k;
  gradient.dim = static_cast<int>(problem.dim);
  gradient.grad_queries = grad_queries;
  gradient.grad_points = grad_points;
  run_launches(
      run, [&](auto& device) { launch_distance2_backward(device, gradient, problem.points_size); });
}

}  // namespace

template <typename T, typename Index>
void distance2_backward_cuda(const Distance2Backward<T, Index>& problem, const CudaRun& run,
                             T* grad_queries, T* grad_points) {
  if (problem.rows * problem.k <= std::numeric_limits<int32_t>::max()) {
    launch<int32_t>(problem, run, grad_queries, grad_points);
  } else {
    launch<int64_t>(problem, run, grad_queries, grad_points);
  }
}

template <typename Index, typename Edge>
void transpose_graph_cuda(const Index* index, int64_t rows, int64_t k, int64_t points,
                          const CudaRun& run, int64_t* offsets, Edge* edges) {
  run_launches(run, [&](auto& device) {
    launch_transpose<Edge>(device, index, rows * k, points, offsets, edges);
  });
}

#define HITGRAPH_INSTANTIATE(Index, Edge)                                                     \
  template void transpose_graph_cuda(const Index*, int64_t, int64_t, int64_t, const CudaRun&, \
                                     int64_t*, Edge*);
HITGRAPH_INSTANTIATE(int32_t, int32_t)
HITGRAPH_INSTANTIATE(int32_t, int64_t)
HITGRAPH_INSTANTIATE(int64_t, int32_t)
HITGRAPH_INSTANTIATE(int64_t, int64_t)
#undef HITGRAPH_INSTANTIATE

#define HITGRAPH_INSTANTIATE(T, Index) \
  template void distance2_backward_cuda(const Distance2Backward<T, Index>&, const CudaRun&, T*, T*);
HITGRAPH_INSTANTIATE(float, int32_t)
HITGRAPH_INSTANTIATE(float, int64_t)
HITGRAPH_INSTANTIATE(double, int32_t)
HITGRAPH_INSTANTIATE(double, int64_t)
#undef HITGRAPH_INSTANTIATE

}  // namespace hitgraph
