// hitgraph::condensation_objects, hitgraph::condensation_potential and its gradient on CUDA
// tensors.
#include <c10/core/DeviceGuard.h>
#include <torch/library.h>

#include <vector>

#include "ops/condensation_problem.h"
#include "ops/cuda/run.h"

namespace hitgraph::condensation {
namespace {

FiveTensors objects(const at::Tensor& beta, const at::Tensor& labels, const at::Tensor& row_splits,
                    int64_t noise_label) {
  const c10::DeviceGuard guard(beta.device());
  return run_objects(checked_labels(beta, labels, row_splits), noise_label,
                     [&](const auto& hits, int32_t* object, int32_t* order, int64_t* splits,
                         const AllocateObjects& allocate) {
                       std::vector<at::Tensor> memory;
                       condensation_objects_cuda(hits, object, order, splits, allocate,
                                                 cuda_run(beta.device(), memory));
                     });
}

TwoTensors potential(HITGRAPH_CONDENSATION_PARAMETERS) {
  const c10::DeviceGuard guard(coordinates.device());
  return run(checked(kPotentialOp, HITGRAPH_CONDENSATION_VALUES),
             [&](const auto& problem, auto* attracted, auto* repelled) {
               std::vector<at::Tensor> memory;
               condensation_potential_cuda(problem, cuda_run(coordinates.device(), memory),
                                           attracted, repelled);
             });
}

FourTensors backward(const at::Tensor& grad_attraction, const at::Tensor& grad_repulsion,
                     HITGRAPH_CONDENSATION_PARAMETERS) {
  const c10::DeviceGuard guard(coordinates.device());
  return run_backward(checked(kBackwardOp, HITGRAPH_CONDENSATION_VALUES), grad_attraction,
                      grad_repulsion, [&](const auto& problem, const auto& gradient) {
                        std::vector<at::Tensor> memory;
                        condensation_backward_cuda(problem, gradient,
                                                   cuda_run(coordinates.device(), memory));
                      });
}

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, CUDA, m) {
  m.impl("condensation_objects", &objects);
  m.impl("condensation_potential", &potential);
  m.impl("condensation_potential_backward", &backward);
}

}  // namespace hitgraph::condensation
