// What the oracles have in common. Plain on purpose: they share the definition of distance with the
// searches, and nothing else.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "core/distance.h"
#include "core/executor.h"
#include "core/search_problem.h"

namespace hitgraph {

// Calls row(query, neighbours) for every query, with all neighbours, (distance2, index) ascending.
template <typename T, typename Row>
void for_every_row(const SearchProblem<T>& problem, const Executor& executor, const Row& row) {
  const PointSet<T>& points = problem.points;
  const PointSet<T>& queries = problem.queries;
  const auto neighbours = [&](int64_t segment, int64_t query) {
    std::vector<std::pair<T, int64_t>> found;
    if (!takes_part(queries.coordinates, queries.mask, query, problem.dim)) return found;
    for (int64_t point = points.row_splits[segment]; point < points.row_splits[segment + 1];
         ++point) {
      if (problem.self_queries && !problem.include_self && point == query) continue;
      if (!takes_part(points.coordinates, points.mask, point, problem.dim)) continue;
      const T distance2 = squared_distance(queries.coordinates + query * problem.dim,
                                           points.coordinates + point * problem.dim, problem.dim);
      if (distance2 <= problem.max_distance2) found.emplace_back(distance2, point);
    }
    std::sort(found.begin(), found.end());
    return found;
  };
  for (int64_t segment = 0; segment < problem.segments; ++segment) {
    const int64_t begin = queries.row_splits[segment];
    const int64_t size = queries.row_splits[segment + 1] - begin;
    for_each_task(executor, size, 64,
                  [&](int64_t i, int) { row(begin + i, neighbours(segment, begin + i)); });
  }
}

}  // namespace hitgraph
