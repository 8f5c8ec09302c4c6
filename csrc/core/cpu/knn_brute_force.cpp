// The oracle that every other search is compared with, bit for bit. Plain on purpose: it shares the
// definition of distance with the search, and nothing else.
#include <algorithm>
#include <utility>
#include <vector>

#include "core/distance.h"
#include "core/knn.h"

namespace hitgraph {

template <typename T, typename Index>
void knn_brute_force(const KnnProblem<T>& problem, const KnnResult<T, Index>& result,
                     const Executor& executor) {
  const PointSet<T>& points = problem.points;
  const PointSet<T>& queries = problem.queries;
  std::fill_n(result.index, queries.size * problem.k, Index{-1});
  std::fill_n(result.distance2, queries.size * problem.k, std::numeric_limits<T>::infinity());

  const auto search_row = [&](int64_t segment, int64_t query) {
    if (!takes_part(queries.coordinates, queries.mask, query, problem.dim)) return;
    std::vector<std::pair<T, int64_t>> found;
    for (int64_t point = points.row_splits[segment]; point < points.row_splits[segment + 1];
         ++point) {
      if (problem.self_queries && !problem.include_self && point == query) continue;
      if (!takes_part(points.coordinates, points.mask, point, problem.dim)) continue;
      const T distance2 = squared_distance(queries.coordinates + query * problem.dim,
                                           points.coordinates + point * problem.dim, problem.dim);
      if (distance2 <= problem.max_distance2) found.emplace_back(distance2, point);
    }
    std::sort(found.begin(), found.end());
    const int64_t count = std::min<int64_t>(problem.k, static_cast<int64_t>(found.size()));
    for (int64_t slot = 0; slot < count; ++slot) {
      result.index[query * problem.k + slot] = static_cast<Index>(found[slot].second);
      result.distance2[query * problem.k + slot] = found[slot].first;
    }
  };

  for (int64_t segment = 0; segment < problem.segments; ++segment) {
    const int64_t begin = queries.row_splits[segment];
    const int64_t size = queries.row_splits[segment + 1] - begin;
    for_each_task(executor, size, 64, [&](int64_t row, int) { search_row(segment, begin + row); });
  }
}

template void knn_brute_force(const KnnProblem<float>&, const KnnResult<float, int32_t>&,
                              const Executor&);
template void knn_brute_force(const KnnProblem<float>&, const KnnResult<float, int64_t>&,
                              const Executor&);
template void knn_brute_force(const KnnProblem<double>&, const KnnResult<double, int32_t>&,
                              const Executor&);
template void knn_brute_force(const KnnProblem<double>&, const KnnResult<double, int64_t>&,
                              const Executor&);

}  // namespace hitgraph
