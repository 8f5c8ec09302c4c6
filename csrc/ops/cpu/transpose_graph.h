#pragma once

#include "ops/transpose_problem.h"

namespace hitgraph::transpose {

// The transposed graph of CPU tensors, with an empty order.
Tensors run_on_cpu(const at::Tensor& index, int64_t points);

}  // namespace hitgraph::transpose
