// The core's parallelism on torch's threads.
#pragma once

#include "core/executor.h"

namespace hitgraph {

// As many workers as torch.get_num_threads() says; one inside a parallel region.
Executor torch_executor();

}  // namespace hitgraph
