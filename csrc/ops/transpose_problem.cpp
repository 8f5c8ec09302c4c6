#include "ops/transpose_problem.h"

#include <ATen/ops/equal.h>

#include <algorithm>
#include <vector>

#include "hitgraph/debug.h"
#include "hitgraph/ops.h"

namespace hitgraph::transpose {
namespace {

// offsets ascend from 0 to at most the number of edges, edges are below it.
template <typename Edge>
void check_values(const char* op, const at::Tensor& offsets, const at::Tensor& edges) {
  const at::Tensor begins = offsets.cpu(), numbers = edges.cpu();
  const int64_t* begin = begins.const_data_ptr<int64_t>();
  bool fits = begin[0] == 0 && begin[begins.numel() - 1] <= numbers.numel();
  for (int64_t point = 1; point < begins.numel(); ++point) {
    fits &= begin[point - 1] <= begin[point];
  }
  fits &= all_within(numbers.const_data_ptr<Edge>(), numbers.numel(), 0, numbers.numel());
  TORCH_CHECK_VALUE(fits, op,
                    ": expected offsets and edges as of hitgraph::transpose_graph for this ",
                    "index, got offsets that do not ascend or edges that do not exist");
}

// Every point once.
bool is_permutation(const at::Tensor& order) {
  const at::Tensor there = order.cpu();
  const int32_t* points = there.const_data_ptr<int32_t>();
  if (!all_within(points, there.numel(), 0, there.numel())) return false;
  std::vector<bool> seen(there.numel());
  for (int64_t i = 0; i < there.numel(); ++i) seen[points[i]] = true;
  return std::find(seen.begin(), seen.end(), false) == seen.end();
}

}  // namespace

at::Tensor given_order(const char* op, const at::Tensor& index, int64_t points,
                       const OptionalTensor& order) {
  if (!order) return {};
  check_same_device(op, "order", *order, index, "index");
  TORCH_CHECK_TYPE(order->scalar_type() == at::kInt, op, ": expected order to be int32, got ",
                   name_of(order->scalar_type()));
  TORCH_CHECK_VALUE(order->dim() == 1 && (order->size(0) == points || order->size(0) == 0), op,
                    ": expected order of shape (", points, "), or empty, got ", order->sizes());
  const at::Tensor permutation = order->contiguous();
  TORCH_CHECK_VALUE(!checks_values_of(index) || is_permutation(permutation), op,
                    ": expected order to name every point once, got others");
  return permutation;
}

Tensors given_or_new(const char* op, const at::Tensor& index, int64_t points,
                     const OptionalTensor& offsets, const OptionalTensor& edges,
                     const OptionalTensor& order) {
  TORCH_CHECK_VALUE(offsets.has_value() == edges.has_value(), op,
                    ": expected offsets and edges together, got one of them");
  if (!offsets) {
    auto [begins, numbers, made] = transpose_graph(index, points);
    return {begins, numbers, order ? given_order(op, index, points, order) : made};
  }
  check_same_device(op, "offsets", *offsets, index, "index");
  check_same_device(op, "edges", *edges, index, "index");
  check_index_dtype(op, "edges", *edges);
  TORCH_CHECK_TYPE(offsets->scalar_type() == at::kLong, op, ": expected offsets to be int64, got ",
                   name_of(offsets->scalar_type()));
  TORCH_CHECK_VALUE(offsets->dim() == 1 && offsets->size(0) == points + 1, op,
                    ": expected offsets of shape (", points + 1, "), got ", offsets->sizes());
  TORCH_CHECK_VALUE(edges->dim() == 1 && edges->numel() == index.numel(), op,
                    ": expected edges of shape (", index.numel(), "), got ", edges->sizes());
  const at::Tensor begins = offsets->contiguous(), numbers = edges->contiguous();
  if (checks_values_of(index)) {
    numbers.scalar_type() == at::kInt ? check_values<int32_t>(op, begins, numbers)
                                      : check_values<int64_t>(op, begins, numbers);
  }
  if (debug_checks()) {  // as much work as making it
    const auto [expected_begins, expected_numbers, other] = transpose_graph(index, points);
    (void)other;
    TORCH_CHECK_VALUE(at::equal(begins, expected_begins) &&
                          at::equal(numbers, expected_numbers.to(numbers.scalar_type())),
                      op, ": expected the transposed graph of this index, got that of another");
  }
  return {begins, numbers, given_order(op, index, points, order)};
}

}  // namespace hitgraph::transpose
