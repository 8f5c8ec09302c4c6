// The gradient of hitgraph::condensation_potential. It has none itself: a second derivative is
// refused.
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "ops/condensation_problem.h"

namespace hitgraph::condensation {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

TwoTensors call_forward(HITGRAPH_CONDENSATION_PARAMETERS) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow(kPotentialOp, "")
                             .typed<decltype(call_forward)>();
  return op.call(HITGRAPH_CONDENSATION_VALUES);
}

FourTensors call_backward(const at::Tensor& grad_attraction, const at::Tensor& grad_repulsion,
                          HITGRAPH_CONDENSATION_PARAMETERS) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow(kBackwardOp, "")
                             .typed<decltype(call_backward)>();
  return op.call(grad_attraction, grad_repulsion, HITGRAPH_CONDENSATION_VALUES);
}

class Potential : public torch::autograd::Function<Potential> {
 public:
  static variable_list forward(AutogradContext* context, HITGRAPH_CONDENSATION_PARAMETERS) {
    at::AutoDispatchBelowADInplaceOrView below;
    context->save_for_backward(
        {coordinates, weight, centres, factor, object, order, offsets, row_splits, object_splits});
    context->saved_data["attraction"] = attraction;
    context->saved_data["repulsion"] = repulsion;
    context->saved_data["epsilon"] = epsilon;
    auto [attracted, repelled] = call_forward(HITGRAPH_CONDENSATION_VALUES);
    return {attracted, repelled};
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    variable_list inputs(12);  // one for every argument of forward
    const variable_list s = context->get_saved_variables();
    auto [by_coordinates, by_weight, by_centres, by_factor] = call_backward(
        grads[0], grads[1], s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8],
        context->saved_data["attraction"].toStringRef(),
        context->saved_data["repulsion"].toStringRef(), context->saved_data["epsilon"].toDouble());
    inputs[0] = by_coordinates;
    inputs[1] = by_weight;
    inputs[2] = by_centres;
    inputs[3] = by_factor;
    return inputs;
  }
};

TwoTensors potential(HITGRAPH_CONDENSATION_PARAMETERS) {
  const variable_list outputs = Potential::apply(HITGRAPH_CONDENSATION_VALUES);
  return {outputs[0], outputs[1]};
}

FourTensors backward(const at::Tensor& grad_attraction, const at::Tensor& grad_repulsion,
                     HITGRAPH_CONDENSATION_PARAMETERS) {
  const bool asked = grad_attraction.requires_grad() || grad_repulsion.requires_grad() ||
                     coordinates.requires_grad() || weight.requires_grad() ||
                     centres.requires_grad() || factor.requires_grad();
  TORCH_CHECK_NOT_IMPLEMENTED(!at::GradMode::is_enabled() || !asked, kPotentialOp,
                              ": expected no derivative of second order, which this operator does ",
                              "not have; got create_graph=True");
  at::AutoDispatchBelowADInplaceOrView below;
  return call_backward(grad_attraction, grad_repulsion, HITGRAPH_CONDENSATION_VALUES);
}

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, Autograd, m) {
  m.impl("condensation_potential", &potential);
  m.impl("condensation_potential_backward", &backward);
}

}  // namespace hitgraph::condensation
