// hitgraph::transpose_graph on CPU tensors.
#include <torch/library.h>

#include "core/graph.h"
#include "ops/cpu/executor.h"
#include "ops/transpose_problem.h"

namespace hitgraph {
namespace {

std::tuple<at::Tensor, at::Tensor> transposed(const at::Tensor& index, int64_t points) {
  return transpose::run(index, points, [&](const auto* ends, int64_t* offsets, auto* edges) {
    transpose_graph(ends, index.size(0), index.size(1), points, torch_executor(index.numel() / 4),
                    offsets, edges);
  });
}

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, CPU, m) { m.impl("transpose_graph", &transposed); }

}  // namespace hitgraph
