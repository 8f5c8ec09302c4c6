// A build without CUDA kernels answers a CUDA tensor with a sentence.
#include <torch/library.h>

namespace hitgraph {
namespace {

void refuse(const c10::OperatorHandle& op, c10::DispatchKeySet, torch::jit::Stack*) {
  TORCH_CHECK(false, op.schema().name(), ": expected CPU tensors, got CUDA tensors. This build of ",
              "hitgraph, ", HITGRAPH_VERSION,
              ", searches on the CPU: pass points.cpu(), or install a ",
              "build with CUDA kernels (python -m hitgraph.info says what this one has).");
}

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, CUDA, m) {
  for (const char* op :
       {"condensate", "condensation_objects", "condensation_potential",
        "condensation_potential_backward", "knn", "knn_brute_force", "knn_stats",
        "distance2_backward", "edge_conv_max", "edge_conv_max_backward", "gravnet_aggregate",
        "gravnet_aggregate_backward", "radius", "transpose_graph", "row_splits_from_batch"}) {
    m.impl(op, torch::CppFunction::makeFromBoxedFunction<&refuse>());
  }
}

}  // namespace hitgraph
