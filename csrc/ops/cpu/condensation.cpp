// hitgraph::condensation_objects, hitgraph::condensation_potential and its gradient on CPU tensors.
#include <torch/library.h>

#include "ops/condensation_problem.h"
#include "ops/cpu/executor.h"

namespace hitgraph::condensation {
namespace {

FiveTensors objects(const at::Tensor& beta, const at::Tensor& labels, const at::Tensor& row_splits,
                    int64_t noise_label) {
  return run_objects(checked_labels(beta, labels, row_splits), noise_label,
                     [](const auto& hits, int32_t* object, int32_t* order, int64_t* splits,
                        const AllocateObjects& allocate) {
                       condensation_objects_cpu(hits, torch_executor(hits.hits), object, order,
                                                splits, allocate);
                     });
}

// By the pairs that there are at most.
template <typename T>
Executor executor_for(const CondensationProblem<T>& problem) {
  const double pairs =
      static_cast<double>(problem.hits) * problem.objects / std::max<int64_t>(1, problem.events);
  return torch_executor(problem.hits + static_cast<int64_t>(std::min(pairs / 8, 1e15)));
}

TwoTensors potential(HITGRAPH_CONDENSATION_PARAMETERS) {
  return run(checked(kPotentialOp, HITGRAPH_CONDENSATION_VALUES),
             [](const auto& problem, auto* attracted, auto* repelled) {
               condensation_potential_cpu(problem, best_simd_level(), executor_for(problem),
                                          attracted, repelled);
             });
}

FourTensors backward(const at::Tensor& grad_attraction, const at::Tensor& grad_repulsion,
                     HITGRAPH_CONDENSATION_PARAMETERS) {
  return run_backward(checked(kBackwardOp, HITGRAPH_CONDENSATION_VALUES), grad_attraction,
                      grad_repulsion, [](const auto& problem, const auto& gradient) {
                        condensation_backward_cpu(problem, gradient, best_simd_level(),
                                                  executor_for(problem));
                      });
}

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, CPU, m) {
  m.impl("condensation_objects", &objects);
  m.impl("condensation_potential", &potential);
  m.impl("condensation_potential_backward", &backward);
}

}  // namespace hitgraph::condensation
