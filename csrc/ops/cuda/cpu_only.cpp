// Operators without kernels for CUDA answer a CUDA tensor with a sentence.
#include <torch/library.h>

namespace hitgraph {
namespace {

void refuse(const c10::OperatorHandle& op, c10::DispatchKeySet, torch::jit::Stack*) {
  TORCH_CHECK(false, op.schema().name(), ": expected CPU tensors, got CUDA tensors. hitgraph ",
              HITGRAPH_VERSION, " has no CUDA kernels of it; pass tensors.cpu().");
}

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, CUDA, m) {
  for (const char* op : {"condensate", "condensation_objects", "condensation_potential",
                         "condensation_potential_backward"}) {
    m.impl(op, torch::CppFunction::makeFromBoxedFunction<&refuse>());
  }
}

}  // namespace hitgraph
