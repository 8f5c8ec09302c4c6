// hitgraph::gravnet_aggregate and its gradient on CUDA tensors.
#include <c10/core/DeviceGuard.h>
#include <torch/library.h>

#include "ops/cuda/run.h"
#include "ops/gravnet_problem.h"

namespace hitgraph {
namespace {

gravnet::ThreeTensors gravnet_aggregate(const at::Tensor& features, const at::Tensor& index,
                                        const at::Tensor& values, std::optional<double> scale,
                                        bool total, bool maximum, std::string divisor,
                                        std::string missing, const OptionalTensor&,
                                        const OptionalTensor&, const OptionalTensor& order) {
  const c10::DeviceGuard guard(features.device());
  return gravnet::run(
      {gravnet::kOp, features, index, values, scale, divisor, order}, total, maximum, missing,
      [&](const auto& graph, bool missing_is_zero, const auto& result) {
        std::vector<at::Tensor> memory;
        gravnet_aggregate_cuda(graph, missing_is_zero, cuda_run(features.device(), memory), result);
      });
}

gravnet::TwoTensors gravnet_aggregate_backward(
    const OptionalTensor& grad_total, const OptionalTensor& grad_maximum,
    const at::Tensor& features, const at::Tensor& index, const at::Tensor& values,
    const at::Tensor& slot, std::optional<double> scale, std::string divisor, bool by_features,
    bool by_values, const OptionalTensor& offsets, const OptionalTensor& edges,
    const OptionalTensor& order) {
  const c10::DeviceGuard guard(features.device());
  return gravnet::run_backward(
      {gravnet::kBackwardOp, features, index, values, scale, divisor, order}, grad_total,
      grad_maximum, slot, by_features, by_values, offsets, edges,
      [&](const auto& graph, const auto& gradient) {
        std::vector<at::Tensor> memory;
        gravnet_backward_cuda(graph, gradient, cuda_run(features.device(), memory));
      });
}

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, CUDA, m) {
  m.impl("gravnet_aggregate", &gravnet_aggregate);
  m.impl("gravnet_aggregate_backward", &gravnet_aggregate_backward);
}

}  // namespace hitgraph
