// The core's parallelism on torch's threads.
#pragma once

#include "core/executor.h"

namespace hitgraph {

// A worker for every 75 microseconds of work, of which `work` counts units of about 10 ns, and as
// many as torch.get_num_threads() says at most; one inside a parallel region. Waking a thread takes
// 5 to 10 microseconds.
Executor torch_executor(int64_t work);

}  // namespace hitgraph
