// hitgraph::gravnet_aggregate and its gradient on CPU tensors.
#include <torch/library.h>

#include "ops/cpu/executor.h"
#include "ops/gravnet_problem.h"

namespace hitgraph {
namespace {

template <typename Graph>
Executor executor_for(const Graph& graph) {
  return torch_executor(graph.rows * graph.k * (8 + graph.channels) / 16);
}

gravnet::ThreeTensors gravnet_aggregate(const at::Tensor& features, const at::Tensor& index,
                                        const at::Tensor& values, std::optional<double> scale,
                                        bool total, bool maximum, std::string divisor,
                                        std::string missing, const OptionalTensor&,
                                        const OptionalTensor&, const OptionalTensor& order) {
  return gravnet::run({gravnet::kOp, features, index, values, scale, divisor, order}, total,
                      maximum, missing,
                      [](const auto& graph, bool missing_is_zero, const auto& result) {
                        gravnet_aggregate_cpu(graph, missing_is_zero, best_simd_level(),
                                              executor_for(graph), result);
                      });
}

gravnet::TwoTensors gravnet_aggregate_backward(
    const OptionalTensor& grad_total, const OptionalTensor& grad_maximum,
    const at::Tensor& features, const at::Tensor& index, const at::Tensor& values,
    const at::Tensor& slot, std::optional<double> scale, std::string divisor, bool by_features,
    bool by_values, const OptionalTensor& offsets, const OptionalTensor& edges,
    const OptionalTensor& order) {
  return gravnet::run_backward(
      {gravnet::kBackwardOp, features, index, values, scale, divisor, order}, grad_total,
      grad_maximum, slot, by_features, by_values, offsets, edges,
      [](const auto& graph, const auto& gradient) {
        gravnet_backward_cpu(graph, gradient, best_simd_level(), executor_for(graph));
      });
}

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, CPU, m) {
  m.impl("gravnet_aggregate", &gravnet_aggregate);
  m.impl("gravnet_aggregate_backward", &gravnet_aggregate_backward);
}

}  // namespace hitgraph
