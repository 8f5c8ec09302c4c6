// From the arguments of hitgraph::radius to the core's problem and back, for every device.
#pragma once

#include <ATen/ops/empty.h>

#include <cmath>
#include <tuple>

#include "core/radius.h"
#include "ops/search_problem.h"

#define HITGRAPH_RADIUS_PARAMETERS                                \
  const at::Tensor &points, double r, HITGRAPH_SEARCH_PARAMETERS, \
      std::optional<int64_t> max_neighbors, bool inclusive,       \
      std::optional<at::ScalarType> index_dtype
#define HITGRAPH_RADIUS_VALUES \
  points, r, HITGRAPH_SEARCH_VALUES, max_neighbors, inclusive, index_dtype

namespace hitgraph::radius_search {

constexpr const char* kOp = "hitgraph::radius";

using ThreeTensors = std::tuple<at::Tensor, at::Tensor, at::Tensor>;

// Calls search(problem, row_splits, allocate) with the types that the arguments ask for and returns
// what it has found.
template <typename Search>
ThreeTensors run(HITGRAPH_RADIUS_PARAMETERS, const Search& search) {
  const SearchArguments a = checked({kOp, points, HITGRAPH_SEARCH_VALUES, r, index_dtype, "r"});
  if (max_neighbors) check_neighbour_count(kOp, "max_neighbors", *max_neighbors, 0, a.points);
  const at::TensorOptions options = a.points.options();
  const int64_t rows = a.queries.value_or(a.points).size(0);
  const at::Tensor offsets = at::empty({rows + 1}, options.dtype(at::kLong));
  at::Tensor index, distance2;
  with_search_types(a, [&](auto coordinate, auto number) {
    using T = decltype(coordinate);
    using Index = decltype(number);
    RadiusProblem<T> problem;
    set_problem<T>(a, problem);
    // The largest number below the square: what is less than the one is not more than the other.
    if (!inclusive) problem.max_distance2 = std::nextafter(problem.max_distance2, T{-1});
    if (max_neighbors) problem.max_neighbors = *max_neighbors;
    const AllocateEdges<T, Index> allocate = [&](int64_t edges) {
      index = new_result({edges}, options.dtype(index_type(a)));
      distance2 = new_result({edges}, options);
      return RadiusResult<T, Index>{index.data_ptr<Index>(), distance2.data_ptr<T>()};
    };
    search(problem, offsets.data_ptr<int64_t>(), allocate);
  });
  return {offsets, index, distance2};
}

}  // namespace hitgraph::radius_search
