// The oracle that the radius search is compared with, bit for bit.
#include <algorithm>
#include <utility>
#include <vector>

#include "core/cpu/every_pair.h"
#include "core/radius.h"

namespace hitgraph {

template <typename T, typename Index>
void radius_brute_force(const RadiusProblem<T>& problem, int64_t* row_splits,
                        const AllocateEdges<T, Index>& allocate, const Executor& executor) {
  std::vector<std::vector<std::pair<T, int64_t>>> rows(
      static_cast<std::size_t>(problem.queries.size));
  for_every_row(problem, executor, [&](int64_t query, std::vector<std::pair<T, int64_t>> found) {
    if (static_cast<int64_t>(found.size()) > problem.max_neighbors) {
      found.resize(static_cast<std::size_t>(problem.max_neighbors));
    }
    rows[static_cast<std::size_t>(query)] = std::move(found);
  });
  int64_t edges = 0;
  for (std::size_t query = 0; query < rows.size(); ++query) {
    row_splits[query] = edges;
    edges += static_cast<int64_t>(rows[query].size());
  }
  row_splits[rows.size()] = edges;
  const RadiusResult<T, Index> result = allocate(edges);
  int64_t edge = 0;
  for (const auto& row : rows) {
    for (const auto& [distance2, index] : row) {
      result.index[edge] = static_cast<Index>(index);
      result.distance2[edge++] = distance2;
    }
  }
}

#define HITGRAPH_INSTANTIATE(T, Index)                                \
  template void radius_brute_force(const RadiusProblem<T>&, int64_t*, \
                                   const AllocateEdges<T, Index>&, const Executor&);
HITGRAPH_INSTANTIATE(float, int32_t)
HITGRAPH_INSTANTIATE(float, int64_t)
HITGRAPH_INSTANTIATE(double, int32_t)
HITGRAPH_INSTANTIATE(double, int64_t)
#undef HITGRAPH_INSTANTIATE

}  // namespace hitgraph
