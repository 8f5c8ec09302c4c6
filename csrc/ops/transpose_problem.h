// hitgraph::transpose_graph: from its arguments to the core's and back, for every device; and its
// result as an argument of other operators.
#pragma once

#include <ATen/core/Tensor.h>

#include <limits>
#include <tuple>

#include "ops/checks.h"
#include "ops/results.h"

namespace hitgraph::transpose {

constexpr const char* kOp = "hitgraph::transpose_graph";

// Allocates the result and calls transpose(index, offsets, edges) with pointers of the types that
// the sizes ask for.
template <typename Transpose>
std::tuple<at::Tensor, at::Tensor> run(const at::Tensor& index, int64_t points,
                                       const Transpose& transpose) {
  TORCH_CHECK_VALUE(index.dim() == 2, kOp, ": expected index to be 2-D (m, k), got ",
                    rank_of(index));
  check_index_dtype(kOp, "index", index);
  TORCH_CHECK_VALUE(points >= 0 && points <= kMaxPoints, kOp, ": expected points from 0 to ",
                    kMaxPoints, ", got ", points);
  check_index_values(kOp, index, points);
  const bool narrow = index.numel() <= std::numeric_limits<int32_t>::max();
  const at::TensorOptions options = index.options();
  const at::Tensor offsets = new_result({points + 1}, options.dtype(at::kLong));
  const at::Tensor edges =
      new_result({index.numel()}, options.dtype(narrow ? at::kInt : at::kLong));
  const at::Tensor ends = index.contiguous();
  const auto with_edge = [&](const auto* values) {
    int64_t* begins = offsets.data_ptr<int64_t>();
    if (narrow) {
      transpose(values, begins, edges.data_ptr<int32_t>());
    } else {
      transpose(values, begins, edges.data_ptr<int64_t>());
    }
  };
  if (index.scalar_type() == at::kInt) {
    with_edge(ends.const_data_ptr<int32_t>());
  } else {
    with_edge(ends.const_data_ptr<int64_t>());
  }
  return {offsets, edges};
}

// The transposed graph that was given to `op`, checked, or a new one; both contiguous.
std::tuple<at::Tensor, at::Tensor> given_or_new(const char* op, const at::Tensor& index,
                                                int64_t points, const OptionalTensor& offsets,
                                                const OptionalTensor& edges);

}  // namespace hitgraph::transpose
