// The gradient of hitgraph::gravnet_aggregate, fused; its own gradient, for derivatives of higher
// order, by tensor operations.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <optional>
#include <string>
#include <tuple>

#include "ops/autograd/optional.h"

namespace hitgraph {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using OptionalTensor = std::optional<at::Tensor>;
using TwoTensors = std::tuple<at::Tensor, at::Tensor>;
using ThreeTensors = std::tuple<at::Tensor, at::Tensor, at::Tensor>;

ThreeTensors call_aggregate(const at::Tensor& features, const at::Tensor& index,
                            const at::Tensor& values, std::optional<double> scale, bool total,
                            bool maximum, std::string divisor, std::string missing,
                            const OptionalTensor& offsets, const OptionalTensor& edges,
                            const OptionalTensor& order) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("hitgraph::gravnet_aggregate", "")
                             .typed<decltype(call_aggregate)>();
  return op.call(features, index, values, scale, total, maximum, std::move(divisor),
                 std::move(missing), offsets, edges, order);
}

TwoTensors call_backward(const OptionalTensor& grad_total, const OptionalTensor& grad_maximum,
                         const at::Tensor& features, const at::Tensor& index,
                         const at::Tensor& values, const at::Tensor& slot,
                         std::optional<double> scale, std::string divisor, bool by_features,
                         bool by_values, const OptionalTensor& offsets, const OptionalTensor& edges,
                         const OptionalTensor& order) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("hitgraph::gravnet_aggregate_backward", "")
                             .typed<decltype(call_backward)>();
  return op.call(grad_total, grad_maximum, features, index, values, slot, scale, std::move(divisor),
                 by_features, by_values, offsets, edges, order);
}

class Aggregate : public torch::autograd::Function<Aggregate> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& features,
                               const at::Tensor& index, const at::Tensor& values,
                               std::optional<double> scale, bool total, bool maximum,
                               std::string divisor, std::string missing,
                               const OptionalTensor& offsets, const OptionalTensor& edges,
                               const OptionalTensor& order) {
    at::AutoDispatchBelowADInplaceOrView below;
    auto [totals, maxima, slot] =
        call_aggregate(features, index, values, scale, total, maximum, divisor, std::move(missing),
                       offsets, edges, order);
    context->save_for_backward({features, index, values, slot, offsets.value_or(at::Tensor()),
                                edges.value_or(at::Tensor()), order.value_or(at::Tensor())});
    context->saved_data["scale"] = scale;
    context->saved_data["divisor"] = std::move(divisor);
    context->saved_data["total"] = total;
    context->saved_data["maximum"] = maximum;
    context->mark_non_differentiable({slot});
    context->set_materialize_grads(false);
    return {totals, maxima, slot};
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    variable_list inputs(11);  // one for every argument of forward
    const auto given = [&](const char* name, const at::Tensor& grad) {
      return context->saved_data[name].toBool() ? if_defined(grad) : std::nullopt;
    };
    const OptionalTensor total = given("total", grads[0]), maximum = given("maximum", grads[1]);
    if (!total && !maximum) return inputs;
    const variable_list saved = context->get_saved_variables();
    const bool by_features = context->needs_input_grad(0), by_values = context->needs_input_grad(2);
    auto [grad_features, grad_values] =
        call_backward(total, maximum, saved[0], saved[1], saved[2], saved[3],
                      context->saved_data["scale"].toOptional<double>(),
                      context->saved_data["divisor"].toStringRef(), by_features, by_values,
                      if_defined(saved[4]), if_defined(saved[5]), if_defined(saved[6]));
    if (by_features) inputs[0] = grad_features;
    if (by_values) inputs[2] = grad_values;
    return inputs;
  }
};

ThreeTensors gravnet_aggregate(const at::Tensor& features, const at::Tensor& index,
                               const at::Tensor& values, std::optional<double> scale, bool total,
                               bool maximum, std::string divisor, std::string missing,
                               const OptionalTensor& offsets, const OptionalTensor& edges,
                               const OptionalTensor& order) {
  const variable_list outputs =
      Aggregate::apply(features, index, values, scale, total, maximum, std::move(divisor),
                       std::move(missing), offsets, edges, order);
  return {outputs[0], outputs[1], outputs[2]};
}

// The same gradient as tensors of every edge's channels, M k F numbers: it can be differentiated.
TwoTensors backward_by_tensors(const OptionalTensor& grad_total, const OptionalTensor& grad_maximum,
                               const at::Tensor& features, const at::Tensor& index,
                               const at::Tensor& values, const at::Tensor& slot,
                               std::optional<double> scale, const std::string& divisor,
                               bool by_features, bool by_values) {
  const at::Tensor present = (index >= 0).logical_and(index < features.size(0));
  // A missing edge points to a row of zeros, behind the last.
  const at::Tensor padded = at::constant_pad_nd(features, {0, 0, 0, 1});
  const at::Tensor ends = at::where(present, index.to(at::kLong), features.size(0)).flatten();
  const at::Tensor there =
      at::index_select(padded, 0, ends).unflatten(0, {index.size(0), index.size(1)});
  const at::Tensor zeros = at::zeros_like(values);
  const at::Tensor finite = at::where(present, values, zeros);
  const at::Tensor weights = at::where(present, scale ? (finite * -*scale).exp() : finite, zeros);

  at::Tensor by_product = at::zeros_like(there);
  if (grad_total) {
    at::Tensor grad = *grad_total;
    if (divisor == "k") grad = grad / index.size(1);
    if (divisor == "count") grad = grad / present.sum(1, true).clamp_min(1);
    by_product = by_product + grad.unsqueeze(1);
  }
  if (grad_maximum) {
    const at::Tensor slots = at::arange(index.size(1), slot.options().dtype(at::kLong));
    const at::Tensor won = slot.to(at::kLong).unsqueeze(1) == slots.view({1, -1, 1});
    by_product = by_product + at::where(won, grad_maximum->unsqueeze(1), at::zeros_like(there));
  }
  at::Tensor grad_features = features.new_empty({0}), grad_values = values.new_empty({0});
  if (by_features) {
    const at::Tensor products = (by_product * weights.unsqueeze(-1)).flatten(0, 1);
    grad_features = at::zeros_like(padded)
                        .to(products.scalar_type())
                        .index_add(0, ends, products)
                        .narrow(0, 0, features.size(0))
                        .to(features.scalar_type());
  }
  if (by_values) {
    const at::Tensor by_weight = (by_product * there).sum(-1);
    const at::Tensor grad = scale ? by_weight * weights * -*scale : by_weight;
    grad_values = at::where(present, grad, at::zeros_like(grad)).to(values.scalar_type());
  }
  return {grad_features, grad_values};
}

TwoTensors gravnet_aggregate_backward(const OptionalTensor& grad_total,
                                      const OptionalTensor& grad_maximum,
                                      const at::Tensor& features, const at::Tensor& index,
                                      const at::Tensor& values, const at::Tensor& slot,
                                      std::optional<double> scale, std::string divisor,
                                      bool by_features, bool by_values,
                                      const OptionalTensor& offsets, const OptionalTensor& edges,
                                      const OptionalTensor& order) {
  const auto differentiable = [](const OptionalTensor& tensor) {
    return tensor && tensor->requires_grad();
  };
  if (at::GradMode::is_enabled() && (differentiable(grad_total) || differentiable(grad_maximum) ||
                                     features.requires_grad() || values.requires_grad())) {
    return backward_by_tensors(grad_total, grad_maximum, features, index, values, slot, scale,
                               divisor, by_features, by_values);
  }
  at::AutoDispatchBelowADInplaceOrView below;
  return call_backward(grad_total, grad_maximum, features, index, values, slot, scale,
                       std::move(divisor), by_features, by_values, offsets, edges, order);
}

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, Autograd, m) {
  m.impl("gravnet_aggregate", &gravnet_aggregate);
  m.impl("gravnet_aggregate_backward", &gravnet_aggregate_backward);
}

}  // namespace hitgraph
