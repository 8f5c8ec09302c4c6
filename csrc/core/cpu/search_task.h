// The queries of one segment and the tree they search, free of any instruction set: filled by
// segment_search.h, run by knn_search.h and radius_search.h.
#pragma once

#include <cstdint>

#include "core/cpu/bucket_tree.h"

namespace hitgraph {

// In an order in which consecutive queries are near each other.
template <typename T>
struct SearchTask {
  const BucketTree<T>* tree = nullptr;
  int64_t dim = 0;
  T max_distance2 = 0;
  bool exclude_self = false;  // query row r is point row r and does not find itself
  // Null: the queries are the tree's own points, in tree order. Else: rows of `queries` named by
  // `order`.
  const T* queries = nullptr;
  const int32_t* order = nullptr;
};

}  // namespace hitgraph
