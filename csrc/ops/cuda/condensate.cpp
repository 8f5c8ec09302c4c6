// hitgraph::condensate on CUDA tensors.
#include <c10/core/DeviceGuard.h>
#include <torch/library.h>

#include <vector>

#include "ops/condensate_problem.h"
#include "ops/cuda/run.h"

namespace hitgraph::condensate {
namespace {

FourTensors cluster(HITGRAPH_CONDENSATE_PARAMETERS) {
  const c10::DeviceGuard guard(coordinates.device());
  return run(checked(HITGRAPH_CONDENSATE_VALUES),
             [&](const auto& problem, int64_t* label, int64_t* point, int64_t* splits,
                 const auto& allocate) {
               std::vector<at::Tensor> memory;
               condensate_cuda(problem, cuda_run(coordinates.device(), memory), label, point,
                               splits, allocate);
             });
}

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, CUDA, m) { m.impl("condensate", &cluster); }

}  // namespace hitgraph::condensate
