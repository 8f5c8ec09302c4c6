// hitgraph::edge_conv_max and its gradient on CUDA tensors.
#include <c10/core/DeviceGuard.h>
#include <torch/library.h>

#include <limits>
#include <vector>

#include "ops/cuda/run.h"
#include "ops/edge_conv_run.h"

namespace hitgraph::edge_conv {
namespace {

// All channels at once forward, where a launch costs more than memory; backward, what a block needs
// beside results is five times its share of an output.
constexpr int64_t kForwardBlock = std::numeric_limits<int64_t>::max() / 2, kBackwardBlock = 128;

FourTensors edge_conv_max(const at::Tensor& features, const at::Tensor& index,
                          const at::Tensor& weight, const OptionalTensor& bias,
                          const OptionalTensor& scale, const OptionalTensor& shift,
                          const OptionalTensor& mean, const OptionalTensor& variance, double eps,
                          double slope, const OptionalTensor& centers, const OptionalTensor&,
                          const OptionalTensor&) {
  const c10::DeviceGuard guard(features.device());
  return run(
      {kOp, features, index, weight, bias, scale, shift, mean, variance, eps, slope, centers},
      kForwardBlock, [&](const auto& graph, const auto& layer, const auto& selection) {
        std::vector<at::Tensor> memory;
        edge_conv_cuda(graph, layer, cuda_run(features.device(), memory), selection);
      });
}

SixTensors edge_conv_max_backward(const at::Tensor& grad, const at::Tensor& slot,
                                  const at::Tensor& features, const at::Tensor& index,
                                  const at::Tensor& weight, const OptionalTensor& bias,
                                  const OptionalTensor& scale, const OptionalTensor& shift,
                                  const OptionalTensor& mean, const OptionalTensor& variance,
                                  double eps, bool trained, double slope,
                                  const OptionalTensor& centers, const OptionalTensor& offsets,
                                  const OptionalTensor& edges) {
  const c10::DeviceGuard guard(features.device());
  return run_backward({kBackwardOp, features, index, weight, bias, scale, shift, mean, variance,
                       eps, slope, centers},
                      grad, slot, trained, offsets, edges, kBackwardBlock, 1,
                      [&](const auto& graph, const auto& layer, const auto& gradient) {
                        std::vector<at::Tensor> memory;
                        edge_conv_backward_cuda(graph, layer, gradient,
                                                cuda_run(features.device(), memory));
                      });
}

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, CUDA, m) {
  m.impl("edge_conv_max", &edge_conv_max);
  m.impl("edge_conv_max_backward", &edge_conv_max_backward);
}

}  // namespace hitgraph::edge_conv
