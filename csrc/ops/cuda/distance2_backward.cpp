// hitgraph::distance2_backward on CUDA tensors.
#include <c10/core/DeviceGuard.h>
#include <torch/library.h>

#include "ops/cuda/run.h"
#include "ops/distance2_problem.h"

namespace hitgraph {
namespace {

std::tuple<at::Tensor, at::Tensor> distance2_backward(
    const at::Tensor& grad, const at::Tensor& queries, const at::Tensor& points,
    const at::Tensor& index, const OptionalTensor& offsets, const OptionalTensor& edges,
    const OptionalTensor& order) {
  const c10::DeviceGuard guard(points.device());
  return distance2::run(grad, queries, points, index, offsets, edges, order,
                        [&](const auto& problem, auto* grad_queries, auto* grad_points) {
                          std::vector<at::Tensor> memory;
                          distance2_backward_cuda(problem, cuda_run(points.device(), memory),
                                                  grad_queries, grad_points);
                        });
}

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, CUDA, m) { m.impl("distance2_backward", &distance2_backward); }

}  // namespace hitgraph
