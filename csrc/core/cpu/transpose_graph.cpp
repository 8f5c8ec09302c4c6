// A counting sort by the reached point. The rows are cut into shares that count and fill at once; a
// share's places for point j come after those of the shares before it, so edges stay in order.
#include <algorithm>
#include <vector>

#include "core/graph.h"

namespace hitgraph {

template <typename Index>
void transpose_graph(const Index* index, int64_t rows, int64_t k, int64_t points,
                     const Executor& executor, int64_t* offsets, int64_t* edges) {
  constexpr int64_t kMostShares = 16;  // each takes memory for a number per point
  const int64_t shares = std::clamp<int64_t>(executor.threads, 1, kMostShares);
  std::vector<int64_t> place(static_cast<std::size_t>(shares * points), 0);
  const auto for_each_edge = [&](int64_t share, const auto& visit) {
    const int64_t end = rows * (share + 1) / shares * k;
    for (int64_t edge = rows * share / shares * k; edge < end; ++edge) {
      if (index[edge] >= 0) visit(place[share * points + index[edge]], edge);
    }
  };

  for_each_task(executor, shares, 1, [&](int64_t share, int) {
    for_each_edge(share, [](int64_t& count, int64_t) { ++count; });
  });
  int64_t total = 0;
  for (int64_t point = 0; point < points; ++point) {
    offsets[point] = total;
    for (int64_t share = 0; share < shares; ++share) {
      const int64_t count = place[share * points + point];
      place[share * points + point] = total;
      total += count;
    }
  }
  offsets[points] = total;
  for_each_task(executor, shares, 1, [&](int64_t share, int) {
    for_each_edge(share, [&](int64_t& next, int64_t edge) { edges[next++] = edge; });
  });
}

template void transpose_graph(const int32_t*, int64_t, int64_t, int64_t, const Executor&, int64_t*,
                              int64_t*);
template void transpose_graph(const int64_t*, int64_t, int64_t, int64_t, const Executor&, int64_t*,
                              int64_t*);

}  // namespace hitgraph
