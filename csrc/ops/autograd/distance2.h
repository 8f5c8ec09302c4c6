// The gradient of squared distances, as the backward functions of searches call it.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <optional>
#include <tuple>

namespace hitgraph {

// (grad_queries, grad_points) of distance2 (m, k); itself differentiable.
inline std::tuple<at::Tensor, at::Tensor> call_distance2_backward(
    const at::Tensor& grad, const at::Tensor& queries, const at::Tensor& points,
    const at::Tensor& index, const std::optional<at::Tensor>& offsets,
    const std::optional<at::Tensor>& edges, const std::optional<at::Tensor>& order = std::nullopt) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("hitgraph::distance2_backward", "")
                             .typed<decltype(call_distance2_backward)>();
  return op.call(grad, queries, points, index, offsets, edges, order);
}

}  // namespace hitgraph
