// hitgraph::condensate on CPU tensors.
#include <torch/library.h>

#include "ops/condensate_problem.h"
#include "ops/cpu/executor.h"

namespace hitgraph::condensate {
namespace {

FourTensors cluster(HITGRAPH_CONDENSATE_PARAMETERS) {
  return run(checked(HITGRAPH_CONDENSATE_VALUES),
             [](const auto& problem, int64_t* label, int64_t* point, int64_t* splits,
                const auto& allocate) {
               condensate_cpu(problem, best_simd_level(), torch_executor(8 * problem.hits), label,
                              point, splits, allocate);
             });
}

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, CPU, m) { m.impl("condensate", &cluster); }

}  // namespace hitgraph::condensate
