// EdgeConv's kernels on the host (tests/cpp/host_cuda), on a case of edge_conv_case.h.
#pragma once

#include "edge_conv_case.h"
#include "host_device.h"
// After the vocabulary.
#include "core/cuda/edge_conv_launches.h"

namespace hitgraph::testing {

constexpr double kEdgeConvEps = 1e-5;

// `skew` elements before products, results and gradients, so that no vector is where it may be.
struct HostEdgeConvRun {
  int64_t skew = 0;
  uint64_t seed = 1;  // of the orders of lanes
};

template <typename T>
Global<T> skewed(HostDevice& device, const char* name, const std::vector<T>& values, int64_t skew) {
  std::vector<T> padded(static_cast<std::size_t>(skew), T(0));
  padded.insert(padded.end(), values.begin(), values.end());
  return device.array<T>(name, padded) + skew;
}

template <typename T, typename Index, typename Slot>
EdgeConvEdges<T, Index> edges_on(HostDevice& device, const EdgeConvCase<T, Index, Slot>& layer,
                                 int64_t skew) {
  EdgeConvEdges<T, Index> edges{};
  edges.index = device.array<Index>("index", layer.index);
  edges.rows = layer.spec.rows;
  edges.points = layer.spec.points;
  edges.k = static_cast<int>(layer.spec.k);
  edges.center = skewed(device, "center", layer.center, skew);
  edges.neighbour = skewed(device, "neighbour", layer.neighbour, skew);
  edges.center_stride = edges.neighbour_stride = layer.stride;
  edges.channels = static_cast<int>(layer.spec.channels);
  return edges;
}

template <typename T, typename Index, typename Slot>
EdgeConvNormal<T> normal_on(HostDevice& device, const EdgeConvCase<T, Index, Slot>& layer) {
  EdgeConvNormal<T> normal{};
  normal.scale = device.array<T>("scale", layer.scale);
  normal.shift = device.array<T>("shift", layer.shift);
  normal.mean = device.array<T>("mean", layer.mean);
  normal.variance = device.array<T>("variance", layer.variance);
  normal.eps = kEdgeConvEps;
  normal.slope = static_cast<T>(layer.spec.slope);
  normal.normal = layer.spec.normal;
  normal.trained = layer.spec.trained;
  return normal;
}

template <typename T, typename Slot>
struct EdgeConvOutput {
  std::vector<T> value, mean, variance;
  std::vector<Slot> slot;
};

template <typename T>
std::vector<T> read(Global<T> view, std::size_t size) {
  std::vector<T> values;
  for (std::size_t i = 0; i < size; ++i) values.push_back(host_cuda::data(view)[i]);
  return values;
}

template <typename T, typename Index, typename Slot>
EdgeConvOutput<T, Slot> edge_conv_on_host(const EdgeConvCase<T, Index, Slot>& layer,
                                          const HostEdgeConvRun& run = {}) {
  host_cuda::set_options({run.seed});
  HostDevice device;
  const int64_t size = layer.spec.rows * layer.spec.channels;
  host_cuda::Buffer<T> value("value", size);
  host_cuda::Buffer<Slot> slot("slot", size);
  const EdgeConvForward<T, Index, Slot> problem{
      edges_on(device, layer, run.skew), normal_on(device, layer), value.view(), slot.view()};
  launch_edge_conv(device, problem);
  return {value.values(), read(problem.normal.mean, layer.mean.size()),
          read(problem.normal.variance, layer.variance.size()), slot.values()};
}

template <typename T>
struct EdgeConvGradientOutput {
  std::vector<T> center, neighbour, scale, shift;
};

// `layer` with the mean and the variance of its forward pass.
template <typename T, typename Index, typename Slot, typename Edge = int32_t>
EdgeConvGradientOutput<T> differentiate_on_host(const EdgeConvCase<T, Index, Slot>& layer,
                                                const std::vector<Slot>& slot,
                                                const HostEdgeConvRun& run = {}) {
  host_cuda::set_options({run.seed});
  HostDevice device;
  const EdgeConvSpec& spec = layer.spec;
  std::vector<int64_t> offsets(static_cast<std::size_t>(spec.points + 1));
  std::vector<Edge> edges(layer.index.size());
  // Of an index out of range the transposed graph says that the edge is missing.
  std::vector<Index> index = layer.index;
  for (Index& end : index) end = end < static_cast<Index>(spec.points) ? end : Index(-1);
  transpose_graph(index.data(), spec.rows, spec.k, spec.points, Executor(), offsets.data(),
                  edges.data());
  host_cuda::Buffer<T> center("grad_center", spec.rows * spec.channels);
  host_cuda::Buffer<T> neighbour("grad_neighbour", spec.points * spec.channels);
  host_cuda::Buffer<T> scale("grad_scale", spec.channels), shift("grad_shift", spec.channels);
  EdgeConvBackward<T, Index, Slot, Edge> problem{};
  problem.edges = edges_on(device, layer, run.skew);
  problem.normal = normal_on(device, layer);
  problem.grads = {skewed(device, "grad", layer.grad, run.skew), device.array<Slot>("slot", slot),
                   layer.stride, spec.channels};
  problem.offsets = device.array<int64_t>("offsets", offsets);
  problem.transposed = device.array<Edge>("edges", edges);
  problem.grad_scale = scale.view();
  problem.grad_shift = shift.view();
  problem.by_selected = device.array<T>("by_selected", spec.rows * spec.channels);
  problem.grad_center = center.view();
  problem.grad_neighbour = neighbour.view();
  launch_edge_conv_backward(device, problem);
  return {center.values(), neighbour.values(), scale.values(), shift.values()};
}

}  // namespace hitgraph::testing
