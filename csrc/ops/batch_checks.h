// What hitgraph::row_splits_from_batch asks of metadata, on every device.
#pragma once

#include "ops/checks.h"

namespace hitgraph {

constexpr const char* kRowSplitsOp = "hitgraph::row_splits_from_batch";

inline void check_batch(const at::Tensor& batch, std::optional<int64_t> batch_size,
                        const std::string& name) {
  const char* op = kRowSplitsOp;
  TORCH_CHECK_VALUE(batch.dim() == 1, op, ": expected ", name, " to be 1-D (n), got ",
                    rank_of(batch));
  check_index_dtype(op, name.c_str(), batch);
  const int64_t size = batch_size.value_or(0);
  TORCH_CHECK_VALUE(size >= 0, op, ": expected batch_size to be at least 0, got ", size);
  TORCH_CHECK_VALUE(size <= kMaxPoints, op, ": expected batch_size to be at most ", kMaxPoints,
                    ", got ", size);
}

}  // namespace hitgraph
