// From the arguments of hitgraph::knn and its kin to the core's problem and back, for every device.
#pragma once

#include <tuple>

#include "core/knn.h"
#include "ops/search_problem.h"

#define HITGRAPH_KNN_PARAMETERS                                    \
  const at::Tensor &points, int64_t k, HITGRAPH_SEARCH_PARAMETERS, \
      std::optional<double> max_radius, std::optional<at::ScalarType> index_dtype
#define HITGRAPH_KNN_VALUES points, k, HITGRAPH_SEARCH_VALUES, max_radius, index_dtype

namespace hitgraph {

using TwoTensors = std::tuple<at::Tensor, at::Tensor>;

struct KnnArguments {
  int64_t k;
  SearchArguments search;

  KnnArguments(const char* op, HITGRAPH_KNN_PARAMETERS)
      : k(k), search{op, points, HITGRAPH_SEARCH_VALUES, max_radius, index_dtype} {}
};

// Allocates the result and calls search(problem, result) with the types that the arguments ask for.
template <typename Search>
TwoTensors run_search(const KnnArguments& given, const Search& search) {
  const int64_t k = given.k;
  const SearchArguments a = checked(given.search);
  check_neighbour_count(a.op, "k", k, 1, a.points);
  const int64_t rows = a.queries.value_or(a.points).size(0);
  const at::TensorOptions options = a.points.options();
  const at::Tensor index = new_result({rows, k}, options.dtype(index_type(a)));
  const at::Tensor distance2 = new_result({rows, k}, options);
  with_search_types(a, [&](auto coordinate, auto number) {
    using T = decltype(coordinate);
    using Index = decltype(number);
    KnnProblem<T> problem;
    set_problem<T>(a, problem);
    problem.k = k;
    search(problem, KnnResult<T, Index>{index.data_ptr<Index>(), distance2.data_ptr<T>()});
  });
  return {index, distance2};
}

}  // namespace hitgraph
