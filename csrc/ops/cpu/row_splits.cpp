// hitgraph::row_splits_from_batch on CPU tensors.
#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>
#include <torch/library.h>

#include "ops/batch_checks.h"

namespace hitgraph {
namespace {

at::Tensor row_splits_from_batch(const at::Tensor& batch, std::optional<int64_t> batch_size,
                                 std::string name) {
  check_batch(batch, batch_size, name);
  const at::Tensor numbers = batch.to(at::kLong).contiguous();
  const int64_t* segment = numbers.const_data_ptr<int64_t>();
  const int64_t rows = numbers.size(0);
  for (int64_t row = 1; row < rows; ++row) {
    TORCH_CHECK_VALUE(segment[row - 1] <= segment[row], kRowSplitsOp, ": expected ", name,
                      " to be sorted, got ", segment[row - 1], " then ", segment[row], " at row ",
                      row);
  }
  TORCH_CHECK_VALUE(rows == 0 || segment[0] >= 0, kRowSplitsOp, ": expected ", name,
                    " to hold numbers from 0, got ", segment[0]);
  TORCH_CHECK_VALUE(rows == 0 || segment[rows - 1] < kMaxPoints, kRowSplitsOp, ": expected ", name,
                    " to hold numbers below ", kMaxPoints, ", got ", segment[rows - 1]);
  const int64_t needed = rows == 0 ? 0 : segment[rows - 1] + 1;
  const int64_t segments = batch_size.value_or(needed);
  TORCH_CHECK_VALUE(needed <= segments, kRowSplitsOp, ": expected ", name,
                    " to hold numbers below batch_size = ", segments, ", got ", needed - 1);
  at::Tensor splits = at::zeros({segments + 1}, numbers.options());
  int64_t* ends = splits.data_ptr<int64_t>();
  for (int64_t row = 0; row < rows; ++row) ++ends[segment[row] + 1];
  for (int64_t s = 0; s < segments; ++s) ends[s + 1] += ends[s];
  return splits;
}

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, CPU, m) { m.impl("row_splits_from_batch", &row_splits_from_batch); }

}  // namespace hitgraph
