// A counting sort by the reached point. The rows are cut into shares that count and fill at once; a
// share's places for point j come after those of the shares before it, so edges stay in order.
// Edges that do not exist are sorted as if they reached one more point.
#include <algorithm>
#include <numeric>
#include <vector>

#include "core/cpu/graph_order.h"
#include "core/graph.h"

namespace hitgraph {

template <typename Index, typename Edge>
void transpose_graph(const Index* index, int64_t rows, int64_t k, int64_t points,
                     const Executor& executor, int64_t* offsets, Edge* edges) {
  constexpr int64_t kMostShares = 16;  // each takes memory for a number per point
  const int64_t shares = std::clamp<int64_t>(executor.threads, 1, kMostShares);
  const int64_t ends = points + 1;
  std::vector<Edge> place(static_cast<std::size_t>(shares * ends), 0);
  const auto for_each_edge = [&](int64_t share, const auto& visit) {
    const int64_t end = rows * (share + 1) / shares * k;
    for (int64_t edge = rows * share / shares * k; edge < end; ++edge) {
      visit(place[share * ends + (index[edge] >= 0 ? index[edge] : points)], edge);
    }
  };

  for_each_task(executor, shares, 1, [&](int64_t share, int) {
    for_each_edge(share, [](Edge& count, int64_t) { ++count; });
  });
  int64_t total = 0;
  for (int64_t point = 0; point < ends; ++point) {
    offsets[point] = total;
    for (int64_t share = 0; share < shares; ++share) {
      const int64_t count = place[share * ends + point];
      place[share * ends + point] = static_cast<Edge>(total);
      total += count;
    }
  }
  for_each_task(executor, shares, 1, [&](int64_t share, int) {
    for_each_edge(share,
                  [&](Edge& next, int64_t edge) { edges[next++] = static_cast<Edge>(edge); });
  });
}

template <typename Index>
void order_points(const Index* index, int64_t rows, int64_t k, int64_t points, int32_t* order) {
  constexpr int64_t kNearPoints = 1024;
  const std::vector<int32_t> found =
      order_of_work(index, rows, k, points, nullptr, points, kNearPoints);
  if (found.empty()) {
    std::iota(order, order + points, 0);
  } else {
    std::copy(found.begin(), found.end(), order);
  }
}
template void order_points(const int32_t*, int64_t, int64_t, int64_t, int32_t*);
template void order_points(const int64_t*, int64_t, int64_t, int64_t, int32_t*);

#define HITGRAPH_INSTANTIATE(Index, Edge)                                                 \
  template void transpose_graph(const Index*, int64_t, int64_t, int64_t, const Executor&, \
                                int64_t*, Edge*);
HITGRAPH_INSTANTIATE(int32_t, int32_t)
HITGRAPH_INSTANTIATE(int32_t, int64_t)
HITGRAPH_INSTANTIATE(int64_t, int32_t)
HITGRAPH_INSTANTIATE(int64_t, int64_t)
#undef HITGRAPH_INSTANTIATE

}  // namespace hitgraph
