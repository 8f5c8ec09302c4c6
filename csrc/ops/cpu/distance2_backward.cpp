// hitgraph::distance2_backward on CPU tensors.
#include <torch/library.h>

#include "ops/cpu/executor.h"
#include "ops/distance2_problem.h"

namespace hitgraph {
namespace {

std::tuple<at::Tensor, at::Tensor> distance2_backward(
    const at::Tensor& grad, const at::Tensor& queries, const at::Tensor& points,
    const at::Tensor& index, const OptionalTensor& offsets, const OptionalTensor& edges,
    const OptionalTensor& order) {
  return distance2::run(grad, queries, points, index, offsets, edges, order,
                        [](const auto& problem, auto* grad_queries, auto* grad_points) {
                          const int64_t work = problem.rows * problem.k * (1 + problem.dim) / 4;
                          distance2_backward_cpu(problem, torch_executor(work), grad_queries,
                                                 grad_points);
                        });
}

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, CPU, m) { m.impl("distance2_backward", &distance2_backward); }

}  // namespace hitgraph
