// hitgraph::radius on CPU tensors.
#include <torch/library.h>

#include "ops/cpu/search_executor.h"
#include "ops/radius_problem.h"

namespace hitgraph::radius_search {
namespace {

ThreeTensors search(HITGRAPH_RADIUS_PARAMETERS) {
  return run(HITGRAPH_RADIUS_VALUES, [](const auto& problem, int64_t* row_splits, auto& allocate) {
    radius_cpu(problem, row_splits, allocate, executor_for(problem));
  });
}

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, CPU, m) { m.impl("radius", &search); }

}  // namespace hitgraph::radius_search
