// What the launches of a search are told, on any device: SearchProblem's views of memory.
#pragma once

#include "core/cuda/forest_build.h"
#include "core/cuda/group_walk.cuh"
#include "core/search_problem.h"

namespace hitgraph {

template <typename T>
struct SearchInput {
  ForestInput<T> points;
  ForestInput<T> queries;   // read only if they are not the points
  bool own_queries = true;  // every point asks, and only points do
  bool exclude_self = false;
  T max_distance2 = 0;
  int64_t query_rows = 0;
};

// All that does not lie on the device.
template <typename T>
void set_roles(SearchInput<T>& input, const SearchProblem<T>& problem) {
  input.own_queries =
      problem.self_queries && problem.points.mask == nullptr && problem.queries.mask == nullptr;
  input.exclude_self = problem.self_queries && !problem.include_self;
  input.max_distance2 = problem.max_distance2;
  input.query_rows = problem.queries.size;
}

// The indices are of one of the two types.
template <typename T>
Neighbours<T> neighbours(Global<int32_t> index, Global<T> distance2) {
  return {index, nullptr, distance2};
}
template <typename T>
Neighbours<T> neighbours(Global<int64_t> index, Global<T> distance2) {
  return {nullptr, index, distance2};
}

template <typename T>
QueryGroups<T> query_groups(const Forest<T>& queries, int size) {
  return {queries.points,         queries.index,   queries.bucket_begin,
          queries.bucket_segment, queries.buckets, size};
}

// Whose views are pointers.
template <typename T>
void set_search(SearchInput<T>& input, const SearchProblem<T>& problem) {
  const auto set = [&](const PointSet<T>& from) {
    return ForestInput<T>{from.coordinates, from.mask,   from.row_splits,
                          from.size,        problem.dim, problem.segments};
  };
  input.points = set(problem.points);
  input.queries = set(problem.queries);
  set_roles(input, problem);
}

}  // namespace hitgraph
