// Which rows take part in a search, of the points and of the queries.
#pragma once

#include <cstdint>

#include "core/executor.h"

namespace hitgraph {

// Writes the rows of [begin, end) of `coordinates` (row-major, dim columns) that take part (see
// core/distance.h), ascending; returns how many. `order` has room for all of them.
template <typename T>
int64_t list_rows(const T* coordinates, const bool* mask, int64_t begin, int64_t end, int64_t dim,
                  const Executor& executor, int32_t* order);

}  // namespace hitgraph
