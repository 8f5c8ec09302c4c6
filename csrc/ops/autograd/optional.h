// Saved tensors are undefined where an optional argument was absent.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace hitgraph {

inline std::optional<at::Tensor> if_defined(const at::Tensor& tensor) {
  return tensor.defined() ? std::optional<at::Tensor>(tensor) : std::nullopt;
}

}  // namespace hitgraph
