// One row of the result.
#pragma once

#include <cstdint>
#include <limits>

#include "core/cpu/knn_task.h"

namespace hitgraph {

template <typename Index, typename Key>
void write_index(const Key* keys, int64_t found, int64_t k, int64_t point_offset, Index* index) {
  for (int64_t i = 0; i < found; ++i)
    index[i] = static_cast<Index>(key_index(keys[i]) + point_offset);
  for (int64_t i = found; i < k; ++i) index[i] = -1;
}

// The first k of `sorted` keys, and what is missing.
template <typename T, typename Key>
void write_neighbours(const KnnTask<T>& task, int64_t row, const Key* keys, int64_t sorted) {
  const int64_t k = task.k, found = sorted < k ? sorted : k;
  const ResultRows<T>& rows = task.rows;
  if (rows.distance2 != nullptr) {
    T* distance2 = rows.distance2 + row * k;
    for (int64_t i = 0; i < found; ++i) distance2[i] = key_distance2(keys[i]);
    for (int64_t i = found; i < k; ++i) distance2[i] = std::numeric_limits<T>::infinity();
  }
  if (rows.index64 != nullptr) {
    write_index(keys, found, k, rows.point_offset, rows.index64 + row * k);
  } else {
    write_index(keys, found, k, rows.point_offset, rows.index32 + row * k);
  }
}

}  // namespace hitgraph
