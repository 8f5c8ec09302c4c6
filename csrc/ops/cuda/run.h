// The core's way to torch's current CUDA stream and memory.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "core/cuda/run.h"

namespace hitgraph {

// A run on the current stream of `device`, which must be the current device. Scratch memory is
// taken from torch's caching allocator, `memory` keeps all of it; given back while the stream still
// works in it, it is reused by that stream alone.
CudaRun cuda_run(const at::Device& device, std::vector<at::Tensor>& memory);

}  // namespace hitgraph
