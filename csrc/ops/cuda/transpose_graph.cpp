// hitgraph::transpose_graph on CUDA tensors.
#include <c10/core/DeviceGuard.h>
#include <torch/library.h>

#include "ops/cuda/run.h"
#include "ops/transpose_problem.h"

namespace hitgraph {
namespace {

transpose::Tensors transposed(const at::Tensor& index, int64_t points) {
  const c10::DeviceGuard guard(index.device());
  return transpose::run(index, points, [&](const auto* ends, int64_t* offsets, auto* edges) {
    std::vector<at::Tensor> memory;
    transpose_graph_cuda(ends, index.size(0), index.size(1), points,
                         cuda_run(index.device(), memory), offsets, edges);
  });
}

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, CUDA, m) { m.impl("transpose_graph", &transposed); }

}  // namespace hitgraph
