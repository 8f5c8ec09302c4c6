// What torch-cluster's functions are asked, checked and made what the searches take.
#pragma once

#include <ATen/core/Tensor.h>

#include "ops/checks.h"

namespace hitgraph {

// Its words for points and queries. They are the other way round in `nearest`.
struct EdgeNames {
  const char *points = "x", *batch = "batch_x", *ptr = "ptr_x";
  const char *queries = "y", *query_batch = "batch_y", *query_ptr = "ptr_y";
};
constexpr EdgeNames kNearestNames{"y", "batch_y", "ptr_y", "x", "batch_x", "ptr_x"};

// As the caller gives it. Graphs are told by batches or by ptrs (row_splits); without either all is
// one graph.
struct EdgeRequest {
  const char* op;
  at::Tensor points;
  OptionalTensor queries = std::nullopt;  // without them the points ask
  OptionalTensor batch = std::nullopt, query_batch = std::nullopt;
  OptionalTensor ptr = std::nullopt, query_ptr = std::nullopt;
  std::optional<int64_t> batch_size = std::nullopt;
  bool loop = true;     // whether query i may be joined to point i
  bool cosine = false;  // near in angle instead
  EdgeNames names = {};
};

// Whether there is nobody to find or nobody to ask, which is answered before anything is checked.
bool is_empty(const EdgeRequest& request);

// As the searches take it, on the CPU with row_splits in any case. No queries: the points ask.
SearchArguments checked(const EdgeRequest& request);

inline int64_t query_count(const SearchArguments& a) {
  return (a.queries ? *a.queries : a.points).size(0);
}

// The size of the largest graph; on a device, where that would have to be waited for, a bound on
// it.
int64_t most_points(const SearchArguments& arguments);

}  // namespace hitgraph
