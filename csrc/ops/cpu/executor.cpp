#include "ops/cpu/executor.h"

#include <ATen/Parallel.h>

#include <algorithm>

// at::parallel_for is a header: compiled without OpenMP it silently runs on one thread.
#if AT_PARALLEL_OPENMP && !defined(_OPENMP)
#error "compile this file with OpenMP, as torch was"
#endif

namespace hitgraph {

Executor torch_executor(int64_t work) {
  constexpr int64_t kWorthOne = 7'500;
  Executor executor;
  if (!at::in_parallel_region()) {
    executor.threads = static_cast<int>(
        std::clamp<int64_t>(work / kWorthOne, 1, std::max(1, at::get_num_threads())));
  }
  executor.run = [](int workers, const std::function<void(int)>& body) {
    at::parallel_for(0, workers, 1, [&](int64_t begin, int64_t end) {
      for (int64_t worker = begin; worker < end; ++worker) body(static_cast<int>(worker));
    });
  };
  return executor;
}

}  // namespace hitgraph
