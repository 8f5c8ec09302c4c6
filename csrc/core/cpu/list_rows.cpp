#include "core/cpu/list_rows.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "core/distance.h"

namespace hitgraph {
namespace {

// Without a branch a value, so that the compiler makes vectors of it.
template <typename T>
bool all_finite(const T* values, int64_t count) {
  int others = 0;
  for (int64_t i = 0; i < count; ++i) others |= !is_finite(values[i]);
  return others == 0;
}

}  // namespace

// Shares write where all of their rows would be, and close up afterwards.
template <typename T>
int64_t list_rows(const T* coordinates, const bool* mask, int64_t begin, int64_t end, int64_t dim,
                  const Executor& executor, int32_t* order) {
  constexpr int64_t kShare = 16384;
  const int64_t shares = (end - begin + kShare - 1) / kShare;
  std::vector<int64_t> listed(shares);
  for_each_task(executor, shares, 1, [&](int64_t share, int) {
    const int64_t first = begin + share * kShare, past = std::min(first + kShare, end);
    int32_t* rows = order + share * kShare;
    if (mask == nullptr && all_finite(coordinates + first * dim, (past - first) * dim)) {
      std::iota(rows, rows + (past - first), static_cast<int32_t>(first));
      listed[share] = past - first;
      return;
    }
    int64_t size = 0;
    for (int64_t row = first; row < past; ++row) {
      rows[size] = static_cast<int32_t>(row);
      size += takes_part(coordinates, mask, row, dim);
    }
    listed[share] = size;
  });
  int64_t size = 0;
  for (int64_t share = 0; share < shares; ++share) {
    const int32_t* rows = order + share * kShare;
    if (rows != order + size) std::copy_n(rows, listed[share], order + size);
    size += listed[share];
  }
  return size;
}

template int64_t list_rows(const float*, const bool*, int64_t, int64_t, int64_t, const Executor&,
                           int32_t*);
template int64_t list_rows(const double*, const bool*, int64_t, int64_t, int64_t, const Executor&,
                           int32_t*);

}  // namespace hitgraph
