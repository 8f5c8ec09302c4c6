// The gradient of hitgraph::knn's distance2, to every order.
//
// Forward functions only redispatch; backward functions only call registered operators and tensor
// operations, so that compiled graphs can follow them.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <optional>
#include <tuple>

#include "ops/autograd/distance2.h"
#include "ops/autograd/no_derivative.h"
#include "ops/autograd/optional.h"
#include "ops/knn_problem.h"

namespace hitgraph {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

TwoTensors call_knn(HITGRAPH_KNN_PARAMETERS) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("hitgraph::knn", "")
                             .typed<decltype(call_knn)>();
  return op.call(HITGRAPH_KNN_VALUES);
}

using ThreeTensors = std::tuple<at::Tensor, at::Tensor, at::Tensor>;
using FiveTensors = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor>;

ThreeTensors call_transpose(const at::Tensor& index, c10::SymInt points) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("hitgraph::transpose_graph", "")
                             .typed<decltype(call_transpose)>();
  return op.call(index, std::move(points));
}

FiveTensors call_knn_with_transposed(HITGRAPH_KNN_PARAMETERS) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("hitgraph::knn_with_transposed", "")
                             .typed<decltype(call_knn_with_transposed)>();
  return op.call(HITGRAPH_KNN_VALUES);
}

class Knn : public torch::autograd::Function<Knn> {
 public:
  static variable_list forward(AutogradContext* context, bool transposed, HITGRAPH_KNN_PARAMETERS) {
    at::AutoDispatchBelowADInplaceOrView below;
    at::Tensor index, distance2, offsets, edges, order;
    variable_list outputs, integers;
    if (transposed) {
      std::tie(index, distance2, offsets, edges, order) =
          call_knn_with_transposed(HITGRAPH_KNN_VALUES);
      outputs = {index, distance2, offsets, edges, order};
      integers = {index, offsets, edges, order};
    } else {
      std::tie(index, distance2) = call_knn(HITGRAPH_KNN_VALUES);
      outputs = {index, distance2};
      integers = {index};
    }
    context->save_for_backward(
        {points, queries.value_or(at::Tensor()), index, offsets, edges, order});
    context->mark_non_differentiable(integers);
    context->set_materialize_grads(false);
    return outputs;
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    variable_list inputs(11);  // one for every argument of forward
    const at::Tensor& grad = grads[1];
    if (!grad.defined()) return inputs;
    const variable_list saved = context->get_saved_variables();
    const bool own = !saved[1].defined();
    // Coordinates of 16 bits were searched in float32; their gradient goes back in their type.
    const at::ScalarType type = grad.scalar_type();
    const at::Tensor points = saved[0].to(type), queries = own ? points : saved[1].to(type);
    auto [grad_queries, grad_points] =
        call_distance2_backward(grad, queries, points, saved[2], if_defined(saved[3]),
                                if_defined(saved[4]), if_defined(saved[5]));
    if (own) {
      inputs[1] = (grad_queries + grad_points).to(saved[0].scalar_type());
    } else {
      inputs[1] = grad_points.to(saved[0].scalar_type());
      inputs[4] = grad_queries.to(saved[1].scalar_type());
    }
    return inputs;
  }
};

TwoTensors knn(HITGRAPH_KNN_PARAMETERS) {
  if (no_derivative_of(points, queries)) {
    at::AutoDispatchBelowADInplaceOrView below;
    return call_knn(HITGRAPH_KNN_VALUES);
  }
  const variable_list outputs = Knn::apply(false, HITGRAPH_KNN_VALUES);
  return {outputs[0], outputs[1]};
}

FiveTensors knn_with_transposed(HITGRAPH_KNN_PARAMETERS) {
  if (no_derivative_of(points, queries)) {
    at::AutoDispatchBelowADInplaceOrView below;
    return call_knn_with_transposed(HITGRAPH_KNN_VALUES);
  }
  const variable_list outputs = Knn::apply(true, HITGRAPH_KNN_VALUES);
  return {outputs[0], outputs[1], outputs[2], outputs[3], outputs[4]};
}

// Below autograd, on every device but the CPU, whose search knows an order.
FiveTensors search_and_transpose(HITGRAPH_KNN_PARAMETERS) {
  const auto [index, distance2] = call_knn(HITGRAPH_KNN_VALUES);
  const auto [offsets, edges, order] = call_transpose(index, points.sym_size(0));
  return {index, distance2, offsets, edges, order};
}

// 2 (a_i - b_j) . (u_i - v_j) of every edge (i, j); zero where there is none. No size is read, so
// that graphs of unknown size can be traced through it.
at::Tensor edge_products(const at::Tensor& a, const at::Tensor& b, const at::Tensor& u,
                         const at::Tensor& v, const at::Tensor& index) {
  const at::Tensor ends = index.clamp_min(0).flatten().to(at::kLong);
  const auto differences = [&](const at::Tensor& from, const at::Tensor& to) {
    // One row more: a missing edge points to row 0, which an empty set does not have.
    const at::Tensor there = at::index_select(at::constant_pad_nd(to, {0, 0, 0, 1}), 0, ends);
    return from.unsqueeze(1) - there.unflatten_symint(0, index.sym_sizes());
  };
  const at::Tensor products = (differences(a, b) * differences(u, v)).sum(-1) * 2;
  return at::where(index >= 0, products, at::zeros_like(products));
}

class BackwardOfDistance2 : public torch::autograd::Function<BackwardOfDistance2> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& grad,
                               const at::Tensor& queries, const at::Tensor& points,
                               const at::Tensor& index, const OptionalTensor& offsets,
                               const OptionalTensor& edges, const OptionalTensor& order) {
    at::AutoDispatchBelowADInplaceOrView below;
    auto [grad_queries, grad_points] =
        call_distance2_backward(grad, queries, points, index, offsets, edges, order);
    context->save_for_backward({grad, queries, points, index, offsets.value_or(at::Tensor()),
                                edges.value_or(at::Tensor()), order.value_or(at::Tensor())});
    return {grad_queries, grad_points};
  }

  // The forward is linear in grad, and in the coordinates: for a direction (u, v) of its two
  // outputs the derivative by the coordinates is the forward itself with u and v in their place.
  static variable_list backward(AutogradContext* context, const variable_list& directions) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &grad = saved[0], &queries = saved[1], &points = saved[2], &index = saved[3];
    const at::Tensor &u = directions[0], &v = directions[1];
    auto [by_queries, by_points] = call_distance2_backward(
        grad, u, v, index, if_defined(saved[4]), if_defined(saved[5]), if_defined(saved[6]));
    return {edge_products(queries, points, u, v, index),
            by_queries,
            by_points,
            Variable(),
            Variable(),
            Variable(),
            Variable()};
  }
};

TwoTensors distance2_backward(const at::Tensor& grad, const at::Tensor& queries,
                              const at::Tensor& points, const at::Tensor& index,
                              const OptionalTensor& offsets, const OptionalTensor& edges,
                              const OptionalTensor& order) {
  const variable_list outputs =
      BackwardOfDistance2::apply(grad, queries, points, index, offsets, edges, order);
  return {outputs[0], outputs[1]};
}

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, Autograd, m) {
  m.impl("knn", &knn);
  m.impl("knn_with_transposed", &knn_with_transposed);
  m.impl("distance2_backward", &distance2_backward);
  // No gradients: for tests, and for integers.
  m.impl("knn_brute_force", torch::CppFunction::makeFallthrough());
  m.impl("knn_stats", torch::CppFunction::makeFallthrough());
  m.impl("transpose_graph", torch::CppFunction::makeFallthrough());
  m.impl("row_splits_from_batch", torch::CppFunction::makeFallthrough());
}

TORCH_LIBRARY_IMPL(hitgraph, CompositeExplicitAutograd, m) {
  m.impl("knn_with_transposed", &search_and_transpose);
}

}  // namespace hitgraph
