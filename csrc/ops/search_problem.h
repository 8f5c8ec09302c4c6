// From the arguments that every search has to the core's problem, for every device.
#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/search_problem.h"
#include "ops/checks.h"
#include "ops/results.h"

// What every search is told after the points and what is searched for, in two parts, since the
// radius stands before the first for some.
#define HITGRAPH_SEARCH_PARAMETERS                                              \
  const OptionalTensor &row_splits, const OptionalTensor &queries,              \
      const OptionalTensor &query_row_splits, const OptionalTensor &query_mask, \
      const OptionalTensor &point_mask, bool include_self
#define HITGRAPH_SEARCH_VALUES \
  row_splits, queries, query_row_splits, query_mask, point_mask, include_self

namespace hitgraph {

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
void set_problem(const SearchArguments& a, SearchProblem<T>& problem) {
  problem.dim = a.points.size(1);
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
}

inline at::ScalarType index_type(const SearchArguments& a) {
  return a.index_dtype.value_or(at::kLong);
}

// Calls run(T(), Index()) with the types that checked arguments ask for.
template <typename Run>
void with_search_types(const SearchArguments& a, const Run& run) {
  const bool narrow = index_type(a) == at::kInt;
  if (a.points.scalar_type() == at::kDouble) {
    narrow ? run(double{}, int32_t{}) : run(double{}, int64_t{});
  } else {
    narrow ? run(float{}, int32_t{}) : run(float{}, int64_t{});
  }
}

}  // namespace hitgraph
