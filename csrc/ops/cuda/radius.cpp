// hitgraph::radius on CUDA tensors.
#include <c10/core/DeviceGuard.h>
#include <torch/library.h>

#include <vector>

#include "ops/cuda/run.h"
#include "ops/radius_problem.h"

namespace hitgraph::radius_search {
namespace {

ThreeTensors search(HITGRAPH_RADIUS_PARAMETERS) {
  const c10::DeviceGuard guard(points.device());
  return run(HITGRAPH_RADIUS_VALUES,
             [&](const auto& problem, int64_t* row_splits, const auto& allocate) {
               std::vector<at::Tensor> memory;
               radius_cuda(problem, row_splits, allocate, cuda_run(points.device(), memory));
             });
}

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, CUDA, m) { m.impl("radius", &search); }

}  // namespace hitgraph::radius_search
