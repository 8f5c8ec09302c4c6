// hitgraph::distance2_backward on CPU tensors.
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>
#include <torch/library.h>

#include <tuple>

#include "core/graph.h"
#include "ops/checks.h"
#include "ops/cpu/executor.h"

namespace hitgraph {
namespace {

constexpr const char* kOp = "hitgraph::distance2_backward";

void check(const at::Tensor& grad, const at::Tensor& queries, const at::Tensor& points,
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
  check_index_dtype(kOp, "index", index);
  TORCH_CHECK_VALUE(
      index.dim() == 2 && index.size(0) == queries.size(0) && grad.sizes() == index.sizes(), kOp,
      ": expected grad and index of shape (", queries.size(0), ", k), got ", grad.sizes(), " and ",
      index.sizes());
}

template <typename T, typename Index>
void run(const at::Tensor& grad, const at::Tensor& queries, const at::Tensor& points,
         const at::Tensor& index, at::Tensor& grad_queries, at::Tensor& grad_points) {
  const Index* ends = index.const_data_ptr<Index>();
  for (int64_t edge = 0; edge < index.numel(); ++edge) {
    TORCH_CHECK_VALUE(ends[edge] >= -1 && ends[edge] < points.size(0), kOp,
                      ": expected index from -1 to ", points.size(0) - 1, ", got ", ends[edge]);
  }
  const Distance2Backward<T, Index> problem{grad.const_data_ptr<T>(),
                                            queries.const_data_ptr<T>(),
                                            points.const_data_ptr<T>(),
                                            ends,
                                            index.size(0),
                                            index.size(1),
                                            points.size(0),
                                            points.size(1)};
  const int64_t work = index.numel() * (1 + points.size(1)) / 4;
  distance2_backward_cpu(problem, torch_executor(work), grad_queries.data_ptr<T>(),
                         grad_points.data_ptr<T>());
}

std::tuple<at::Tensor, at::Tensor> distance2_backward(const at::Tensor& grad,
                                                      const at::Tensor& queries,
                                                      const at::Tensor& points,
                                                      const at::Tensor& index) {
  check(grad, queries, points, index);
  at::Tensor grad_queries = at::empty_like(queries, at::MemoryFormat::Contiguous);
  at::Tensor grad_points = at::empty_like(points, at::MemoryFormat::Contiguous);
  const auto call = [&](auto coordinate, auto number) {
    run<decltype(coordinate), decltype(number)>(grad.contiguous(), queries.contiguous(),
                                                points.contiguous(), index.contiguous(),
                                                grad_queries, grad_points);
  };
  const bool narrow = index.scalar_type() == at::kInt;
  if (points.scalar_type() == at::kDouble) {
    narrow ? call(double{}, int32_t{}) : call(double{}, int64_t{});
  } else {
    narrow ? call(float{}, int32_t{}) : call(float{}, int64_t{});
  }
  return {grad_queries, grad_points};
}

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, CPU, m) { m.impl("distance2_backward", &distance2_backward); }

}  // namespace hitgraph
