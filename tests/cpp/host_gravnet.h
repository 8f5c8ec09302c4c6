// GravNet's kernels on the host (tests/cpp/host_cuda), on a case of gravnet_case.h.
#pragma once

#include "gravnet_case.h"
#include "host_device.h"
// After the vocabulary.
#include "core/cuda/gravnet_launches.h"

namespace hitgraph::testing {

// What a run varies beside the case: `skew` elements before the features and the gradients, so that
// no vector is where it may be, and what of the outputs is wanted.
struct HostGravnetRun {
  int64_t skew = 0;
  bool total = true, maximum = true;
  uint64_t seed = 1;  // of the orders of lanes
};

template <typename T>
Global<const T> skewed_array(HostDevice& device, const char* name, const std::vector<T>& values,
                             int64_t skew) {
  std::vector<T> padded(static_cast<std::size_t>(skew), T(0));
  padded.insert(padded.end(), values.begin(), values.end());
  return device.array<T>(name, padded) + skew;
}

template <typename T, typename Index>
GravnetEdges<T, Index> edges_on(HostDevice& device, const GravnetCase<T, Index>& gravnet,
                                int64_t skew) {
  GravnetEdges<T, Index> edges{};
  edges.features = skewed_array(device, "features", gravnet.features, skew);
  edges.index = device.array<Index>("index", gravnet.index);
  edges.values = device.array<T>("values", gravnet.values);
  edges.weighting = gravnet.weighting;
  edges.rows = gravnet.spec.rows;
  edges.points = gravnet.spec.points;
  edges.k = static_cast<int>(gravnet.spec.k);
  edges.channels = static_cast<int>(gravnet.spec.channels);
  return edges;
}

// What is not wanted stays as `output` has it.
template <typename Slot, typename T, typename Index>
void aggregate_on_host(const GravnetCase<T, Index>& gravnet, const HostGravnetRun& run,
                       GravnetOutput<T, Slot>& output) {
  host_cuda::set_options({run.seed});
  HostDevice device;
  const int64_t size = gravnet.spec.rows * gravnet.spec.channels;
  host_cuda::Buffer<T> total("total", size), maximum("maximum", size);
  host_cuda::Buffer<Slot> slot("slot", size);
  GravnetAggregate<T, Index, Slot> problem{};
  problem.edges = edges_on(device, gravnet, run.skew);
  problem.missing_is_zero = gravnet.spec.missing_is_zero;
  problem.divisor = gravnet.spec.divisor;
  if (run.total) problem.total = total.view();
  if (run.maximum) problem.maximum = maximum.view();
  if (run.maximum) problem.slot = slot.view();
  launch_gravnet_aggregate(device, problem);
  if (run.total) output.total = total.values();
  if (run.maximum) output.maximum = maximum.values();
  if (run.maximum) output.slot = slot.values();
}

template <typename T, typename Index, typename Slot, typename Edge>
GravnetGradientOutput<T> differentiate_on_host(
    const GravnetBackwardCase<T, Index, Slot, Edge>& backward, const HostGravnetRun& run) {
  host_cuda::set_options({run.seed});
  HostDevice device;
  const GravnetCase<T, Index>& gravnet = backward.forward;
  GravnetGradientOutput<T> output{std::vector<T>(gravnet.features.size(), -7),
                                  std::vector<T>(gravnet.values.size(), -7)};
  host_cuda::Buffer<T> features("grad_features", static_cast<int64_t>(output.features.size()));
  host_cuda::Buffer<T> values("grad_values", static_cast<int64_t>(output.values.size()));
  const auto grads = skewed_array(device, "grads", backward.grads, run.skew);

  GravnetBackward<T, Index, Slot, Edge> problem{};
  problem.edges = edges_on(device, gravnet, run.skew);
  problem.divisor = gravnet.spec.divisor;
  if (backward.spec.total) problem.gradients.total = grads;
  if (backward.spec.maximum) problem.gradients.maximum = grads + gravnet.spec.channels;
  problem.gradients.total_stride = problem.gradients.maximum_stride = backward.stride();
  problem.gradients.slot = device.array<Slot>("slot", backward.slot);
  problem.offsets = device.array<int64_t>("offsets", backward.offsets);
  problem.transposed = device.array<Edge>("edges", backward.edges);
  if (backward.spec.features) problem.grad_features = features.view();
  if (backward.spec.values) problem.grad_values = values.view();
  launch_gravnet_backward(device, problem);
  if (backward.spec.features) output.features = features.values();
  if (backward.spec.values) output.values = values.values();
  return output;
}

}  // namespace hitgraph::testing
