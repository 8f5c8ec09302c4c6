// hitgraph::knn, its oracle and its counting build on CPU tensors.
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "core/cpu/huge_pages.h"
#include "core/knn.h"
#include "ops/checks.h"
#include "ops/cpu/executor.h"

namespace hitgraph {
namespace {

using TwoTensors = std::tuple<at::Tensor, at::Tensor>;

const bool* mask_data(const OptionalTensor& mask) {
  return mask ? mask->const_data_ptr<bool>() : nullptr;
}

// The radius is rounded to the search's type and squared in it, as a distance would be: a point at
// exactly that distance along an axis is found.
template <typename T>
T max_distance2(const std::optional<double>& max_radius) {
  const T radius = static_cast<T>(max_radius.value_or(std::numeric_limits<double>::infinity()));
  return std::min(radius * radius, std::numeric_limits<T>::max());
}

template <typename T>
KnnProblem<T> problem_of(const KnnArguments& a) {
  KnnProblem<T> problem;
  problem.dim = a.points.size(1);
  problem.k = a.k;
  problem.segments = a.row_splits->size(0) - 1;
  problem.points = {a.points.const_data_ptr<T>(), a.points.size(0),
                    a.row_splits->const_data_ptr<int64_t>(), mask_data(a.point_mask)};
  problem.queries = problem.points;
  if (a.queries) {
    problem.queries = {a.queries->const_data_ptr<T>(), a.queries->size(0),
                       a.query_row_splits->const_data_ptr<int64_t>(), nullptr};
  }
  problem.queries.mask = mask_data(a.query_mask);
  problem.self_queries = !a.queries;
  problem.include_self = a.include_self;
  problem.max_distance2 = max_distance2<T>(a.max_radius);
  return problem;
}

at::Tensor empty_rows(int64_t rows, int64_t k, const at::TensorOptions& options) {
  at::Tensor tensor = at::empty({rows, k}, options);
  advise_huge_pages(tensor.data_ptr(), tensor.nbytes());
  return tensor;
}

// Allocates the result and calls search(problem, result) with the types that the arguments ask for.
template <typename Search>
TwoTensors run(const KnnArguments& given, const Search& search) {
  const KnnArguments a = checked(given);
  const int64_t rows = a.queries.value_or(a.points).size(0);
  const at::Tensor index =
      empty_rows(rows, a.k, a.points.options().dtype(a.index_dtype.value_or(at::kLong)));
  const at::Tensor distance2 = empty_rows(rows, a.k, a.points.options());
  const auto with_types = [&](auto coordinate, auto number) {
    using T = decltype(coordinate);
    using Index = decltype(number);
    const KnnResult<T, Index> result{index.data_ptr<Index>(), distance2.data_ptr<T>()};
    search(problem_of<T>(a), result);
  };
  const auto with_index = [&](auto coordinate) {
    if (index.scalar_type() == at::kInt) {
      with_types(coordinate, int32_t{});
    } else {
      with_types(coordinate, int64_t{});
    }
  };
  if (a.points.scalar_type() == at::kDouble) {
    with_index(double{});
  } else {
    with_index(float{});
  }
  return {index, distance2};
}

// By rule of thumb, from uniform clouds.
template <typename T>
Executor executor_for(const KnnProblem<T>& problem) {
  return torch_executor(problem.queries.size * (problem.k + 4 * problem.dim));
}

SimdLevel level_named(const char* op, const std::string& name) {
  if (name.empty()) return best_simd_level();
  for (const SimdLevel level : {SimdLevel::kPortable, SimdLevel::kAvx2, SimdLevel::kAvx512}) {
    if (name == simd_level_name(level) && simd_level_available(level)) return level;
  }
  TORCH_CHECK_VALUE(false, op,
                    ": expected simd to be a level of this machine (hitgraph.info), got ", name);
}

#define HITGRAPH_KNN_PARAMETERS                                                              \
  const at::Tensor &points, int64_t k, const OptionalTensor &row_splits,                     \
      const OptionalTensor &queries, const OptionalTensor &query_row_splits,                 \
      const OptionalTensor &query_mask, const OptionalTensor &point_mask, bool include_self, \
      std::optional<double> max_radius, std::optional<at::ScalarType> index_dtype
#define HITGRAPH_KNN_VALUES                                                               \
  points, k, row_splits, queries, query_row_splits, query_mask, point_mask, include_self, \
      max_radius, index_dtype

TwoTensors search(HITGRAPH_KNN_PARAMETERS) {
  return run({"hitgraph::knn", HITGRAPH_KNN_VALUES}, [](const auto& problem, const auto& result) {
    knn_cpu(problem, result, executor_for(problem));
  });
}

TwoTensors search_every_pair(HITGRAPH_KNN_PARAMETERS) {
  return run({"hitgraph::knn_brute_force", HITGRAPH_KNN_VALUES},
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
      run({op, HITGRAPH_KNN_VALUES}, [&](const auto& problem, const auto& result) {
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
  m.impl("knn_brute_force", &search_every_pair);
  m.impl("knn_stats", &search_and_count);
}

}  // namespace hitgraph
