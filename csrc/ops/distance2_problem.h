// From the arguments of hitgraph::distance2_backward to the core's problem, for every device.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>

#include <tuple>

#include "core/graph.h"
#include "ops/checks.h"
#include "ops/transpose_problem.h"

namespace hitgraph::distance2 {

constexpr const char* kOp = "hitgraph::distance2_backward";

inline void check(const at::Tensor& grad, const at::Tensor& queries, const at::Tensor& points,
                  const at::Tensor& index) {
  const at::ScalarType type = points.scalar_type();
  TORCH_CHECK_TYPE(type == at::kFloat || type == at::kDouble, kOp,
                   ": expected points to be float32 or float64, got ", name_of(type));
  TORCH_CHECK_TYPE(queries.scalar_type() == type && grad.scalar_type() == type, kOp,
                   ": expected grad and queries to be ", name_of(type), " like points, got ",
                   name_of(grad.scalar_type()), " and ", name_of(queries.scalar_type()));
  check_same_device(kOp, "grad", grad, points);
  check_same_device(kOp, "queries", queries, points);
  check_same_device(kOp, "index", index, points);
  TORCH_CHECK_VALUE(points.dim() == 2 && queries.dim() == 2 && queries.size(1) == points.size(1),
                    kOp, ": expected queries (m, d) and points (n, d), got ", queries.sizes(),
                    " and ", points.sizes());
  TORCH_CHECK_VALUE(points.size(0) <= kMaxPoints, kOp, ": expected at most ", kMaxPoints,
                    " points, got ", points.size(0));
  check_index_dtype(kOp, "index", index);
  TORCH_CHECK_VALUE(
      index.dim() == 2 && index.size(0) == queries.size(0) && grad.sizes() == index.sizes(), kOp,
      ": expected grad and index of shape (", queries.size(0), ", k), got ", grad.sizes(), " and ",
      index.sizes());
}

// Allocates the result and calls backward(problem, grad_queries, grad_points) with the types that
// the arguments have.
template <typename Backward>
std::tuple<at::Tensor, at::Tensor> run(const at::Tensor& grad, const at::Tensor& queries,
                                       const at::Tensor& points, const at::Tensor& index,
                                       const OptionalTensor& given_offsets,
                                       const OptionalTensor& given_edges,
                                       const OptionalTensor& given_order,
                                       const Backward& backward) {
  check(grad, queries, points, index);
  check_index_values(kOp, index, points.size(0));
  const auto [offsets, edges, order] =
      transpose::given_or_new(kOp, index, points.size(0), given_offsets, given_edges, given_order);
  const at::Tensor grad_queries = at::empty_like(queries, at::MemoryFormat::Contiguous);
  const at::Tensor grad_points = at::empty_like(points, at::MemoryFormat::Contiguous);
  // Kept until the end: contiguous copies, if any were needed.
  const at::Tensor inputs[] = {grad.contiguous(), queries.contiguous(), points.contiguous(),
                               index.contiguous()};
  const auto call = [&, begins = offsets, places = edges, permutation = order](
                        auto coordinate, auto number, auto edge) {
    using T = decltype(coordinate);
    using Index = decltype(number);
    using Edge = decltype(edge);
    Distance2Backward<T, Index, Edge> problem;
    problem.grad = inputs[0].const_data_ptr<T>();
    problem.queries = inputs[1].const_data_ptr<T>();
    problem.points = inputs[2].const_data_ptr<T>();
    problem.index = inputs[3].const_data_ptr<Index>();
    problem.rows = index.size(0);
    problem.k = index.size(1);
    problem.points_size = points.size(0);
    problem.dim = points.size(1);
    problem.offsets = begins.template const_data_ptr<int64_t>();
    problem.edges = places.template const_data_ptr<Edge>();
    problem.order = transpose::order_or_null(permutation);
    backward(problem, grad_queries.data_ptr<T>(), grad_points.data_ptr<T>());
  };
  const auto with_edge = [&, wide = edges.scalar_type() == at::kLong](auto coordinate,
                                                                      auto number) {
    wide ? call(coordinate, number, int64_t{}) : call(coordinate, number, int32_t{});
  };
  const bool narrow = index.scalar_type() == at::kInt;
  if (points.scalar_type() == at::kDouble) {
    narrow ? with_edge(double{}, int32_t{}) : with_edge(double{}, int64_t{});
  } else {
    narrow ? with_edge(float{}, int32_t{}) : with_edge(float{}, int64_t{});
  }
  return {grad_queries, grad_points};
}

}  // namespace hitgraph::distance2
