// Operators without kernels for CUDA answer a CUDA tensor with a sentence.
#include <torch/library.h>

#include <string>

namespace hitgraph {
namespace {

void refuse(const c10::OperatorHandle& op, c10::DispatchKeySet, torch::jit::Stack*) {
  const std::string& name = op.schema().name();
  const bool edges = name.find("edge_conv") != std::string::npos;
  TORCH_CHECK(false, name, ": expected CPU tensors, got CUDA tensors. hitgraph ", HITGRAPH_VERSION,
              " has no CUDA kernels of it; ",
              edges ? "hitgraph.nn.EdgeConv works on both." : "pass tensors.cpu().");
}

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, CUDA, m) {
  for (const char* op :
       {"condensate", "condensation_objects", "condensation_potential",
        "condensation_potential_backward", "edge_conv_max", "edge_conv_max_backward"}) {
    m.impl(op, torch::CppFunction::makeFromBoxedFunction<&refuse>());
  }
}

}  // namespace hitgraph
