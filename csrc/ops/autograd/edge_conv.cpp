// The gradient of hitgraph::edge_conv_max. It has none itself: a second derivative is refused.
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <optional>
#include <tuple>

#include "ops/autograd/optional.h"

namespace hitgraph {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using OptionalTensor = std::optional<at::Tensor>;
using FourTensors = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor>;
using SixTensors =
    std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor>;

#define HITGRAPH_EDGE_CONV_PARAMETERS                                                       \
  const at::Tensor &features, const at::Tensor &index, const at::Tensor &weight,            \
      const OptionalTensor &bias, const OptionalTensor &scale, const OptionalTensor &shift, \
      const OptionalTensor &mean, const OptionalTensor &variance, double eps, double slope, \
      const OptionalTensor &centers, const OptionalTensor &offsets, const OptionalTensor &edges
#define HITGRAPH_EDGE_CONV_VALUES \
  features, index, weight, bias, scale, shift, mean, variance, eps, slope, centers, offsets, edges

FourTensors call_forward(HITGRAPH_EDGE_CONV_PARAMETERS) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("hitgraph::edge_conv_max", "")
                             .typed<decltype(call_forward)>();
  return op.call(HITGRAPH_EDGE_CONV_VALUES);
}

SixTensors call_backward(const at::Tensor& grad, const at::Tensor& slot, const at::Tensor& features,
                         const at::Tensor& index, const at::Tensor& weight,
                         const OptionalTensor& bias, const OptionalTensor& scale,
                         const OptionalTensor& shift, const OptionalTensor& mean,
                         const OptionalTensor& variance, double eps, bool trained, double slope,
                         const OptionalTensor& centers, const OptionalTensor& offsets,
                         const OptionalTensor& edges) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("hitgraph::edge_conv_max_backward", "")
                             .typed<decltype(call_backward)>();
  return op.call(grad, slot, features, index, weight, bias, scale, shift, mean, variance, eps,
                 trained, slope, centers, offsets, edges);
}

class EdgeConvMax : public torch::autograd::Function<EdgeConvMax> {
 public:
  static variable_list forward(AutogradContext* context, HITGRAPH_EDGE_CONV_PARAMETERS) {
    at::AutoDispatchBelowADInplaceOrView below;
    auto [out, slot, edge_mean, edge_variance] = call_forward(HITGRAPH_EDGE_CONV_VALUES);
    const bool trained = scale.has_value() && !mean.has_value();
    const auto kept = [](const OptionalTensor& tensor) { return tensor.value_or(at::Tensor()); };
    context->save_for_backward({slot, features, index, weight, kept(bias), kept(scale), kept(shift),
                                trained ? edge_mean : kept(mean),
                                trained ? edge_variance : kept(variance), kept(centers),
                                kept(offsets), kept(edges)});
    context->saved_data["eps"] = eps;
    context->saved_data["slope"] = slope;
    context->saved_data["trained"] = trained;
    context->mark_non_differentiable({slot, edge_mean, edge_variance});
    context->set_materialize_grads(false);
    return {out, slot, edge_mean, edge_variance};
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    variable_list inputs(13);  // one for every argument of forward
    if (!grads[0].defined()) return inputs;
    const variable_list s = context->get_saved_variables();
    auto [by_features, by_centers, by_weight, by_bias, by_scale, by_shift] = call_backward(
        grads[0], s[0], s[1], s[2], s[3], if_defined(s[4]), if_defined(s[5]), if_defined(s[6]),
        if_defined(s[7]), if_defined(s[8]), context->saved_data["eps"].toDouble(),
        context->saved_data["trained"].toBool(), context->saved_data["slope"].toDouble(),
        if_defined(s[9]), if_defined(s[10]), if_defined(s[11]));
    inputs[0] = by_features;
    inputs[2] = by_weight;
    if (s[4].defined()) inputs[3] = by_bias;
    if (s[5].defined()) inputs[4] = by_scale;
    if (s[6].defined()) inputs[5] = by_shift;
    if (s[9].defined()) inputs[10] = by_centers;
    return inputs;
  }
};

FourTensors edge_conv_max(HITGRAPH_EDGE_CONV_PARAMETERS) {
  const variable_list outputs = EdgeConvMax::apply(HITGRAPH_EDGE_CONV_VALUES);
  return {outputs[0], outputs[1], outputs[2], outputs[3]};
}

SixTensors edge_conv_max_backward(const at::Tensor& grad, const at::Tensor& slot,
                                  const at::Tensor& features, const at::Tensor& index,
                                  const at::Tensor& weight, const OptionalTensor& bias,
                                  const OptionalTensor& scale, const OptionalTensor& shift,
                                  const OptionalTensor& mean, const OptionalTensor& variance,
                                  double eps, bool trained, double slope,
                                  const OptionalTensor& centers, const OptionalTensor& offsets,
                                  const OptionalTensor& edges) {
  const bool asked = grad.requires_grad() || features.requires_grad() || weight.requires_grad();
  TORCH_CHECK_NOT_IMPLEMENTED(!at::GradMode::is_enabled() || !asked,
                              "hitgraph::edge_conv_max: expected no derivative of second order, ",
                              "which this operator does not have; got create_graph=True");
  at::AutoDispatchBelowADInplaceOrView below;
  return call_backward(grad, slot, features, index, weight, bias, scale, shift, mean, variance, eps,
                       trained, slope, centers, offsets, edges);
}

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, Autograd, m) {
  m.impl("edge_conv_max", &edge_conv_max);
  m.impl("edge_conv_max_backward", &edge_conv_max_backward);
}

}  // namespace hitgraph
