// The core's parallelism on torch's threads.
#pragma once

#include "core/executor.h"

namespace hitgraph {

// As many workers as torch.get_num_threads() says; one inside a parallel region, and for less than
// about a millisecond of work: waking a thread is not worth it, and where cores are shared it may
// come a time slice late. `work` is in units of about 10 ns.
Executor torch_executor(int64_t work);

}  // namespace hitgraph
