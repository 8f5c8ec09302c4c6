// The operations on graphs: the launches of graph_launches.h on a CUDA stream.
#include "core/cuda/device.cuh"
#include "core/cuda/graph_launches.h"
#include "core/cuda/run.h"

namespace hitgraph {

template <typename T, typename Index, typename Edge>
void distance2_backward_cuda(const Distance2Backward<T, Index, Edge>& problem, const CudaRun& run,
                             T* grad_queries, T* grad_points) {
  Distance2Gradient<T, Index, Edge> gradient{};
  gradient.grad = problem.grad;
  gradient.queries = problem.queries;
  gradient.points = problem.points;
  gradient.index = problem.index;
  gradient.rows = problem.rows;
  gradient.k = problem.k;
  gradient.dim = static_cast<int>(problem.dim);
  gradient.graph = transposed_graph<Edge>(problem.points_size, problem.rows * problem.k,
                                          problem.offsets, problem.edges);
  gradient.grad_queries = grad_queries;
  gradient.grad_points = grad_points;
  run_launches(run, [&](auto& device) { launch_distance2_backward(device, gradient); });
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

#define HITGRAPH_INSTANTIATE(T, Index, Edge)                                                      \
  template void distance2_backward_cuda(const Distance2Backward<T, Index, Edge>&, const CudaRun&, \
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
