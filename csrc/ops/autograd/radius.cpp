// The gradient of hitgraph::radius's distance2, to every order. As in knn.cpp, functions only call
// registered operators and tensor operations.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/diff.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/repeat_interleave.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <tuple>

#include "ops/autograd/distance2.h"
#include "ops/autograd/no_derivative.h"
#include "ops/radius_problem.h"

namespace hitgraph::radius_search {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

ThreeTensors call_radius(HITGRAPH_RADIUS_PARAMETERS) {
  static const auto op =
      c10::Dispatcher::singleton().findSchemaOrThrow(kOp, "").typed<decltype(call_radius)>();
  return op.call(HITGRAPH_RADIUS_VALUES);
}

class Radius : public torch::autograd::Function<Radius> {
 public:
  static variable_list forward(AutogradContext* context, HITGRAPH_RADIUS_PARAMETERS) {
    at::AutoDispatchBelowADInplaceOrView below;
    auto [offsets, index, distance2] = call_radius(HITGRAPH_RADIUS_VALUES);
    context->save_for_backward({points, queries.value_or(at::Tensor()), offsets, index});
    context->mark_non_differentiable({offsets, index});
    context->set_materialize_grads(false);
    return {offsets, index, distance2};
  }

  // Every edge as a row of one: once from its query to its point, once from its point to its query,
  // so that both sums are those of a graph's points, in a fixed order.
  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    variable_list inputs(11);  // one for every argument of forward
    if (!grads[2].defined()) return inputs;
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &row_splits = saved[2], &index = saved[3];
    const at::Tensor grad = grads[2].unsqueeze(1);
    const bool own = !saved[1].defined();
    // Coordinates of 16 bits were searched in float32; their gradient goes back in their type.
    const at::ScalarType type = grad.scalar_type();
    const at::Tensor points = saved[0].to(type), queries = own ? points : saved[1].to(type);
    const c10::SymInt edges = index.sym_size(0);
    const at::Tensor rows =
        at::repeat_interleave_symint(at::diff(row_splits), std::optional<c10::SymInt>(edges));
    const at::Tensor by_points =
        std::get<1>(call_distance2_backward(grad, at::index_select(queries, 0, rows), points,
                                            index.unsqueeze(1), std::nullopt, std::nullopt));
    // The edges of a query are next to each other: transposed already.
    const at::Tensor numbers = at::arange(edges, row_splits.options());
    const at::Tensor by_queries = std::get<1>(call_distance2_backward(
        grad, at::index_select(points, 0, index), queries, rows.unsqueeze(1), row_splits, numbers));
    if (own) {
      inputs[0] = (by_queries + by_points).to(saved[0].scalar_type());
    } else {
      inputs[0] = by_points.to(saved[0].scalar_type());
      inputs[3] = by_queries.to(saved[1].scalar_type());
    }
    return inputs;
  }
};

ThreeTensors radius(HITGRAPH_RADIUS_PARAMETERS) {
  if (no_derivative_of(points, queries)) {
    at::AutoDispatchBelowADInplaceOrView below;
    return call_radius(HITGRAPH_RADIUS_VALUES);
  }
  const variable_list outputs = Radius::apply(HITGRAPH_RADIUS_VALUES);
  return {outputs[0], outputs[1], outputs[2]};
}

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, Autograd, m) { m.impl("radius", &radius); }

}  // namespace hitgraph::radius_search
