// Memory for results.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include "core/cpu/huge_pages.h"

namespace hitgraph {

// Not initialised; on the CPU in large pages if the system gives them.
inline at::Tensor new_result(at::IntArrayRef sizes, const at::TensorOptions& options) {
  at::Tensor result = at::empty(sizes, options);
  if (result.is_cpu()) advise_huge_pages(result.data_ptr(), result.nbytes());
  return result;
}

}  // namespace hitgraph
