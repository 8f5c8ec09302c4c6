// hitgraph::radius on CPU tensors.
#include <torch/library.h>

#include "ops/cpu/executor.h"
#include "ops/radius_problem.h"

namespace hitgraph::radius_search {
namespace {

ThreeTensors search(HITGRAPH_RADIUS_PARAMETERS) {
  return run(HITGRAPH_RADIUS_VALUES, [](const auto& problem, int64_t* row_splits, auto& allocate) {
    // By rule of thumb: rows of 30.
    const int64_t work = problem.queries.size * (30 + 4 * problem.dim);
    radius_cpu(problem, row_splits, allocate, torch_executor(work));
  });
}

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, CPU, m) { m.impl("radius", &search); }

}  // namespace hitgraph::radius_search
