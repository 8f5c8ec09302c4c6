// hitgraph::knn, its oracle and its counting build on CUDA tensors.
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/zeros.h>
#include <c10/core/DeviceGuard.h>
#include <torch/library.h>

#include "ops/cuda/run.h"
#include "ops/knn_problem.h"

namespace hitgraph {
namespace {

TwoTensors search(HITGRAPH_KNN_PARAMETERS) {
  const c10::DeviceGuard guard(points.device());
  return run_search({"hitgraph::knn", HITGRAPH_KNN_VALUES},
                    [&](const auto& problem, const auto& result) {
                      std::vector<at::Tensor> memory;
                      knn_cuda(problem, result, cuda_run(points.device(), memory));
                    });
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> search_and_count(HITGRAPH_KNN_PARAMETERS,
                                                                std::string simd) {
  const char* op = "hitgraph::knn_stats";
  TORCH_CHECK_VALUE(simd.empty(), op, ": expected no simd level for CUDA tensors, got ", simd);
  const c10::DeviceGuard guard(points.device());
  const at::Tensor counters = at::zeros({kCudaCounters}, points.options().dtype(at::kLong));
  auto [index, distance2] =
      run_search({op, HITGRAPH_KNN_VALUES}, [&](const auto& problem, const auto& result) {
        std::vector<at::Tensor> memory;
        knn_cuda(problem, result, cuda_run(points.device(), memory),
                 reinterpret_cast<unsigned long long*>(counters.data_ptr<int64_t>()));
      });
  return {index, distance2, counters.narrow(0, 0, 7).clone()};
}

// An oracle must not share its kernels with what it judges: the pairs are compared on the CPU.
TwoTensors search_every_pair(HITGRAPH_KNN_PARAMETERS) {
  const auto there = [](const OptionalTensor& tensor) {
    return tensor ? OptionalTensor(tensor->cpu()) : tensor;
  };
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("hitgraph::knn_brute_force", "")
                             .typed<decltype(search_every_pair)>();
  auto [index, distance2] =
      op.call(points.cpu(), k, there(row_splits), there(queries), there(query_row_splits),
              there(query_mask), there(point_mask), include_self, max_radius, index_dtype);
  return {index.to(points.device()), distance2.to(points.device())};
}

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, CUDA, m) {
  m.impl("knn", &search);
  m.impl("knn_brute_force", &search_every_pair);
  m.impl("knn_stats", &search_and_count);
}

}  // namespace hitgraph
