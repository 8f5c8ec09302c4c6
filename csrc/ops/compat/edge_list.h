// Edge lists: (2, E) int64, grouped by the row of the query.
#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <vector>

#include "ops/cpu/executor.h"
#include "ops/results.h"

namespace hitgraph {

// The two rows of an edge list: who asks and who is found; which of them comes first is the
// caller's choice.
struct EdgeList {
  at::Tensor edges;
  int64_t *query, *neighbour;

  EdgeList(int64_t count, bool source_first, const at::TensorOptions& options)
      : edges(new_result({2, count}, options.dtype(at::kLong))) {
    auto* first = edges.data_ptr<int64_t>();
    query = source_first ? first + count : first;
    neighbour = source_first ? first : first + count;
  }
};

// Blocks of rows, for threads.
template <typename Body>
void for_rows(int64_t rows, int64_t edges, const Body& body) {
  constexpr int64_t kRows = 1024;
  for_each_task(torch_executor(edges / 8), (rows + kRows - 1) / kRows, 1, [&](int64_t task, int) {
    const int64_t end = std::min(rows, (task + 1) * kRows);
    for (int64_t row = task * kRows; row < end; ++row) body(row);
  });
}

// The edges that `keep(query, neighbour)` keeps, the first `most` of every query's. Those of query
// q are neighbour[begin(q)] to neighbour[begin(q + 1) - 1].
template <typename Begin, typename Keep>
at::Tensor pack_edges(int64_t rows, const Begin& begin, const int64_t* neighbour, const Keep& keep,
                      int64_t most, bool source_first, const at::TensorOptions& options) {
  std::vector<int64_t> offsets(rows + 1, 0);
  for_rows(rows, begin(rows), [&](int64_t row) {
    int64_t kept = 0;
    for (int64_t e = begin(row); e < begin(row + 1) && kept < most; ++e) {
      kept += keep(row, neighbour[e]) ? 1 : 0;
    }
    offsets[row + 1] = kept;
  });
  for (int64_t row = 0; row < rows; ++row) offsets[row + 1] += offsets[row];
  const EdgeList list(offsets[rows], source_first, options);
  for_rows(rows, begin(rows), [&](int64_t row) {
    std::fill(list.query + offsets[row], list.query + offsets[row + 1], row);
    int64_t to = offsets[row];
    for (int64_t e = begin(row); to < offsets[row + 1]; ++e) {
      if (keep(row, neighbour[e])) list.neighbour[to++] = neighbour[e];
    }
  });
  return list.edges;
}

}  // namespace hitgraph
