// GravNet's aggregation and its gradient: the launches of gravnet_launches.h on a CUDA stream.
#include "core/cuda/device.cuh"
#include "core/cuda/gravnet_launches.h"
#include "core/cuda/run.h"
#include "core/graph_types.h"

namespace hitgraph {
namespace {

template <typename T, typename Index>
GravnetEdges<T, Index> edges_of(const GravnetGraph<T, Index>& graph) {
  GravnetEdges<T, Index> edges{};
  edges.features = graph.features;
  edges.index = graph.index;
  edges.values = graph.values;
  edges.weighting = graph.weighting;
  edges.rows = graph.rows;
  edges.k = static_cast<int>(graph.k);
  edges.points = graph.points;
  edges.channels = static_cast<int>(graph.channels);
  return edges;
}

}  // namespace

template <typename T, typename Index, typename Slot>
void gravnet_aggregate_cuda(const GravnetGraph<T, Index>& graph, bool missing_is_zero,
                            const CudaRun& run, const GravnetResult<T, Slot>& result) {
  const GravnetAggregate<T, Index, Slot> problem{edges_of(graph), missing_is_zero, graph.divisor,
                                                 result.total,    result.maximum,  result.slot};
  run_launches(run, [&](auto& device) { launch_gravnet_aggregate(device, problem); });
}

template <typename T, typename Index, typename Slot, typename Edge>
void gravnet_backward_cuda(const GravnetGraph<T, Index>& graph,
                           const GravnetGradient<T, Slot, Edge>& gradient, const CudaRun& run) {
  GravnetBackward<T, Index, Slot, Edge> problem{};
  problem.edges = edges_of(graph);
  problem.divisor = graph.divisor;
  problem.gradients.total = gradient.grad_total;
  problem.gradients.maximum = gradient.grad_maximum;
  problem.gradients.total_stride = gradient.total_stride;
  problem.gradients.maximum_stride = gradient.maximum_stride;
  problem.gradients.slot = gradient.slot;
  problem.offsets = gradient.offsets;
  problem.transposed = gradient.edges;
  problem.grad_features = gradient.grad_features;
  problem.grad_values = gradient.grad_values;
  run_launches(run, [&](auto& device) { launch_gravnet_backward(device, problem); });
}

#define HITGRAPH_INSTANTIATE(T, Index, Slot)                                                     \
  template void gravnet_aggregate_cuda(const GravnetGraph<T, Index>&, bool, const CudaRun&,      \
                                       const GravnetResult<T, Slot>&);                           \
  template void gravnet_backward_cuda(const GravnetGraph<T, Index>&,                             \
                                      const GravnetGradient<T, Slot, int32_t>&, const CudaRun&); \
  template void gravnet_backward_cuda(const GravnetGraph<T, Index>&,                             \
                                      const GravnetGradient<T, Slot, int64_t>&, const CudaRun&);
HITGRAPH_FOR_GRAPH_TYPES(HITGRAPH_INSTANTIATE)
#undef HITGRAPH_INSTANTIATE

}  // namespace hitgraph
