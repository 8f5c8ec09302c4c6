// EdgeConv's linear edge network and its gradient: the launches of edge_conv_launches.h on a CUDA
// stream.
#include "core/cuda/device.cuh"
#include "core/cuda/edge_conv_launches.h"
#include "core/cuda/run.h"
#include "core/graph_types.h"

namespace hitgraph {
namespace {

template <typename T, typename Index>
EdgeConvEdges<T, Index> edges_of(const EdgeConvGraph<T, Index>& graph) {
  EdgeConvEdges<T, Index> edges{};
  edges.index = graph.index;
  edges.rows = graph.rows;
  edges.points = graph.points;
  edges.k = static_cast<int>(graph.k);
  edges.center = graph.center;
  edges.neighbour = graph.neighbour;
  edges.center_stride = graph.center_stride;
  edges.neighbour_stride = graph.neighbour_stride;
  edges.channels = static_cast<int>(graph.channels);
  return edges;
}

template <typename T>
EdgeConvNormal<T> normal_of(const EdgeConvLayer<T>& layer) {
  return {layer.scale, layer.shift, layer.mean,  layer.variance, nullptr,
          nullptr,     layer.eps,   layer.slope, layer.normal,   layer.trained};
}

}  // namespace

template <typename T, typename Index, typename Slot>
void edge_conv_cuda(const EdgeConvGraph<T, Index>& graph, const EdgeConvLayer<T>& layer,
                    const CudaRun& run, const EdgeConvSelection<T, Slot>& selection) {
  const EdgeConvForward<T, Index, Slot> problem{edges_of(graph), normal_of(layer), selection.value,
                                                selection.slot};
  run_launches(run, [&](auto& device) { launch_edge_conv(device, problem); });
}

template <typename T, typename Index, typename Slot, typename Edge>
void edge_conv_backward_cuda(const EdgeConvGraph<T, Index>& graph, const EdgeConvLayer<T>& layer,
                             const EdgeConvGradient<T, Slot, Edge>& gradient, const CudaRun& run) {
  EdgeConvBackward<T, Index, Slot, Edge> problem{};
  problem.edges = edges_of(graph);
  problem.normal = normal_of(layer);
  problem.grads = {gradient.grad, gradient.slot, gradient.grad_stride, gradient.slot_stride};
  problem.offsets = gradient.offsets;
  problem.transposed = gradient.edges;
  problem.grad_scale = gradient.grad_scale;
  problem.grad_shift = gradient.grad_shift;
  problem.by_selected = gradient.by_selected;
  problem.grad_center = gradient.grad_center;
  problem.grad_neighbour = gradient.sums;
  run_launches(run, [&](auto& device) { launch_edge_conv_backward(device, problem); });
}

#define HITGRAPH_INSTANTIATE(T, Index, Slot)                                                     \
  template void edge_conv_cuda(const EdgeConvGraph<T, Index>&, const EdgeConvLayer<T>&,          \
                               const CudaRun&, const EdgeConvSelection<T, Slot>&);               \
  template void edge_conv_backward_cuda(const EdgeConvGraph<T, Index>&, const EdgeConvLayer<T>&, \
                                        const EdgeConvGradient<T, Slot, int32_t>&,               \
                                        const CudaRun&);                                         \
  template void edge_conv_backward_cuda(const EdgeConvGraph<T, Index>&, const EdgeConvLayer<T>&, \
                                        const EdgeConvGradient<T, Slot, int64_t>&,               \
                                        const CudaRun&);
HITGRAPH_FOR_GRAPH_TYPES(HITGRAPH_INSTANTIATE)
#undef HITGRAPH_INSTANTIATE

}  // namespace hitgraph
