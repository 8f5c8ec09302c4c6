// Calls of which nobody wants a derivative go straight to the device: a node of the gradient, made
// and thrown away, costs as much as a search among a hundred points.
#pragma once

#include <ATen/FuncTorchTLS.h>
#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/functions/utils.h>

namespace hitgraph {

// Of the tensors, or optional tensors, that a result depends on. With a tangent of forward mode, or
// within a transform of torch.func, the node is made, which refuses both in torch's words.
template <typename... Tensors>
bool no_derivative_of(const Tensors&... tensors) {
  using torch::autograd::isFwGradDefined;
  return at::functorch::functorchTLSAccessor() == nullptr &&
         !torch::autograd::compute_requires_grad(tensors...) && !(isFwGradDefined(tensors) || ...);
}

}  // namespace hitgraph
