// An order of a graph's rows in which neighbours come one after another.
#pragma once

#include <cstdint>
#include <vector>

namespace hitgraph {

// Whether rows that lie side by side share neighbours as it is: fewer than half of the neighbours
// of 64 rows in turn are distinct, at a few places.
template <typename Index>
bool is_ordered(const Index* index, int64_t rows, int64_t k) {
  constexpr int64_t kRows = 64, kPlaces = 8;
  std::vector<int32_t> seen_at(rows, -1);
  int64_t ends = 0, distinct = 0;
  for (int64_t place = 0; place < kPlaces; ++place) {
    const int64_t begin = rows / kPlaces * place;
    for (int64_t edge = begin * k; edge < (begin + kRows) * k && edge < rows * k; ++edge) {
      if (index[edge] < 0) continue;
      ++ends;
      distinct += seen_at[index[edge]] != place;
      seen_at[index[edge]] = static_cast<int32_t>(place);
    }
  }
  return 2 * distinct < ends;
}

// Rows that share neighbours share cache lines when they are worked on in turn; the numbers of
// points say little about that. A walk: a row, its neighbours that were not yet there, then on from
// the last of them. Of 64 rows in turn with 64 neighbours each, 800 neighbours are distinct in four
// dimensions, 530 in three, of random points that come in random order. No result depends on it.
template <typename Index>
std::vector<int32_t> neighbour_order(const Index* index, int64_t rows, int64_t k) {
  constexpr std::size_t kLookedBack = 4;  // rows whose neighbours may continue the walk
  std::vector<int32_t> order;
  order.reserve(rows);
  std::vector<char> seen(rows, 0);
  const auto visit = [&](int64_t row) {
    seen[row] = 1;
    order.push_back(static_cast<int32_t>(row));
  };
  const auto is_new = [&](Index end) { return end >= 0 && !seen[end]; };
  const auto find_new = [&](int64_t row) {
    const Index *end = index + (row + 1) * k, *found = index + row * k;
    while (found != end && !is_new(*found)) ++found;
    return found == end ? int64_t{-1} : int64_t{*found};
  };

  for (int64_t start = 0; start < rows; ++start) {
    for (int64_t row = seen[start] ? -1 : start; row >= 0;) {
      const std::size_t before = order.size();
      visit(row);
      for (int64_t slot = 0; slot < k; ++slot) {
        const Index end = index[row * k + slot];
        if (is_new(end)) visit(end);
      }
      row = -1;
      for (std::size_t last = order.size(); row < 0 && last > before; --last) {
        if (order.size() - last == kLookedBack) break;
        row = find_new(order[last - 1]);
      }
    }
  }
  return order;
}

// The order in which the rows of a graph, or its points, are worked on; empty: as they are
// numbered. It pays where what the points have, `bytes`, is more than a cache holds, `near_bytes`.
// `given` may be null: a walk takes a while, on one thread.
template <typename Index>
std::vector<int32_t> order_of_work(const Index* index, int64_t rows, int64_t k, int64_t points,
                                   const int32_t* given, int64_t bytes, int64_t near_bytes) {
  if (rows != points || bytes < near_bytes || is_ordered(index, rows, k)) return {};
  if (given != nullptr) return {given, given + points};
  return neighbour_order(index, rows, k);
}

}  // namespace hitgraph
