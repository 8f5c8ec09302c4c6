// hitgraph::transpose_graph on CPU tensors.
#include "ops/cpu/transpose_graph.h"

#include <torch/library.h>

#include "core/graph.h"
#include "ops/cpu/executor.h"

namespace hitgraph {

transpose::Tensors transpose::run_on_cpu(const at::Tensor& index, int64_t points) {
  return run(index, points, [&](const auto* ends, int64_t* offsets, auto* edges) {
    hitgraph::transpose_graph(ends, index.size(0), index.size(1), points,
                              torch_executor(index.numel() / 4), offsets, edges);
  });
}

namespace {

transpose::Tensors transposed(const at::Tensor& index, int64_t points) {
  const auto [offsets, edges, none] = transpose::run_on_cpu(index, points);
  const at::Tensor order = new_result({points}, none.options()), ends = index.contiguous();
  const auto fill = [&](const auto* values) {
    order_points(values, index.size(0), index.size(1), points, order.data_ptr<int32_t>());
  };
  if (index.scalar_type() == at::kInt) {
    fill(ends.const_data_ptr<int32_t>());
  } else {
    fill(ends.const_data_ptr<int64_t>());
  }
  return {offsets, edges, order};
}

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, CPU, m) { m.impl("transpose_graph", &transposed); }

}  // namespace hitgraph
