// hitgraph::knn, its oracle and its counting build on CPU tensors.
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <algorithm>
#include <tuple>

#include "core/knn.h"
#include "ops/cpu/search_executor.h"
#include "ops/cpu/transpose_graph.h"
#include "ops/knn_problem.h"

namespace hitgraph {
namespace {

SimdLevel level_named(const char* op, const std::string& name) {
  if (name.empty()) return best_simd_level();
  for (const SimdLevel level : {SimdLevel::kPortable, SimdLevel::kAvx2, SimdLevel::kAvx512}) {
    if (name == simd_level_name(level) && simd_level_available(level)) return level;
  }
  TORCH_CHECK_VALUE(false, op,
                    ": expected simd to be a level of this machine (hitgraph.info), got ", name);
}

TwoTensors search(HITGRAPH_KNN_PARAMETERS) {
  return run_search({"hitgraph::knn", HITGRAPH_KNN_VALUES},
                    [](const auto& problem, const auto& result) {
                      knn_cpu(problem, result, executor_for(problem));
                    });
}

// In its order the gradients are made. Queries that are not points have none: as it is numbered.
std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor> search_and_transpose(
    HITGRAPH_KNN_PARAMETERS) {
  at::Tensor order;
  const auto [index, distance2] =
      run_search({"hitgraph::knn", HITGRAPH_KNN_VALUES}, [&](const auto& problem, auto result) {
        order = at::arange(problem.points.size, points.options().dtype(at::kInt));
        if (problem.self_queries) result.order = order.data_ptr<int32_t>();
        knn_cpu(problem, result, executor_for(problem));
      });
  const auto [offsets, edges, none] = transpose::run_on_cpu(index, points.size(0));
  return {index, distance2, offsets, edges, order};
}

TwoTensors search_every_pair(HITGRAPH_KNN_PARAMETERS) {
  return run_search({"hitgraph::knn_brute_force", HITGRAPH_KNN_VALUES},
                    [](const auto& problem, const auto& result) {
                      const int64_t pairs = problem.queries.size * problem.points.size;
                      knn_brute_force(problem, result, torch_executor(pairs));
                    });
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> search_and_count(HITGRAPH_KNN_PARAMETERS,
                                                                std::string simd) {
  const char* op = "hitgraph::knn_stats";
  const SimdLevel level = level_named(op, simd);
  KnnCounters counters;
  auto [index, distance2] =
      run_search({op, HITGRAPH_KNN_VALUES}, [&](const auto& problem, const auto& result) {
        knn_cpu(problem, result, executor_for(problem), level, &counters);
      });
  at::Tensor numbers = at::empty({7}, points.options().dtype(at::kLong));
  const int64_t values[] = {counters.queries, counters.candidates, counters.buckets,
                            counters.nodes,   counters.accepted,   counters.selections,
                            counters.restarts};
  std::copy(std::begin(values), std::end(values), numbers.data_ptr<int64_t>());
  return {index, distance2, numbers};
}

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, CPU, m) {
  m.impl("knn", &search);
  m.impl("knn_with_transposed", &search_and_transpose);
  m.impl("knn_brute_force", &search_every_pair);
  m.impl("knn_stats", &search_and_count);
}

}  // namespace hitgraph
