// From the arguments of hitgraph::knn and its kin to the core's problem and back, for every device.
#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "core/knn.h"
#include "ops/checks.h"
#include "ops/results.h"

#define HITGRAPH_KNN_PARAMETERS                                                              \
  const at::Tensor &points, int64_t k, const OptionalTensor &row_splits,                     \
      const OptionalTensor &queries, const OptionalTensor &query_row_splits,                 \
      const OptionalTensor &query_mask, const OptionalTensor &point_mask, bool include_self, \
      std::optional<double> max_radius, std::optional<at::ScalarType> index_dtype
#define HITGRAPH_KNN_VALUES                                                               \
  points, k, row_splits, queries, query_row_splits, query_mask, point_mask, include_self, \
      max_radius, index_dtype

namespace hitgraph {

using TwoTensors = std::tuple<at::Tensor, at::Tensor>;

inline const bool* mask_data(const OptionalTensor& mask) {
  return mask ? mask->const_data_ptr<bool>() : nullptr;
}

// Null for one segment: what CUDA gets where no row_splits were given.
inline const int64_t* splits_data(const OptionalTensor& row_splits) {
  return row_splits ? row_splits->const_data_ptr<int64_t>() : nullptr;
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
  problem.segments = a.row_splits ? a.row_splits->size(0) - 1 : 1;
  problem.points = {a.points.const_data_ptr<T>(), a.points.size(0), splits_data(a.row_splits),
                    mask_data(a.point_mask)};
  problem.queries = problem.points;
  if (a.queries) {
    problem.queries = {a.queries->const_data_ptr<T>(), a.queries->size(0),
                       splits_data(a.query_row_splits), nullptr};
  }
  problem.queries.mask = mask_data(a.query_mask);
  problem.self_queries = !a.queries;
  problem.include_self = a.include_self;
  problem.max_distance2 = max_distance2<T>(a.max_radius);
  return problem;
}

// Allocates the result and calls search(problem, result) with the types that the arguments ask for.
template <typename Search>
TwoTensors run_search(const KnnArguments& given, const Search& search) {
  const KnnArguments a = checked(given);
  const int64_t rows = a.queries.value_or(a.points).size(0);
  const at::TensorOptions options = a.points.options();
  const at::Tensor index =
      new_result({rows, a.k}, options.dtype(a.index_dtype.value_or(at::kLong)));
  const at::Tensor distance2 = new_result({rows, a.k}, options);
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

}  // namespace hitgraph
