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

// offsets, edges, order.
using Tensors = std::tuple<at::Tensor, at::Tensor, at::Tensor>;

// Allocates offsets and edges and calls transpose(index, offsets, edges) with pointers of the types
// that the sizes ask for. The order is left empty.
template <typename Transpose>
Tensors run(const at::Tensor& index, int64_t points, const Transpose& transpose) {
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
  return {offsets, edges, new_result({0}, options.dtype(at::kInt))};
}

// An order that was given to `op`, checked: contiguous, empty if there is none.
at::Tensor given_order(const char* op, const at::Tensor& index, int64_t points,
                       const OptionalTensor& order);

inline const int32_t* order_or_null(const at::Tensor& order) {
  return order.defined() && order.numel() > 0 ? order.const_data_ptr<int32_t>() : nullptr;
}

// The transposed graph that was given to `op`, checked, or a new one; contiguous.
Tensors given_or_new(const char* op, const at::Tensor& index, int64_t points,
                     const OptionalTensor& offsets, const OptionalTensor& edges,
                     const OptionalTensor& order);

}  // namespace hitgraph::transpose
