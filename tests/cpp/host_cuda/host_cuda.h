// CUDA's vocabulary for g++: a kernel body compiled after this header runs on the host, each lane a
// fiber, each collective a rendezvous, each access to memory checked.
//
// What is wrong in a kernel (a race, a lane missing at a collective, memory never written, an index
// outside its array) leaves launch() as a Violation that names the kernel, block, lane and line.
// The orders of blocks, warps and lanes, which a kernel must not depend on, follow from a seed.
//
// Blocks run one after another and lanes run until their next collective, so a kernel that waits in
// a loop for another block or lane never ends here.
#pragma once

#include "host_cuda/atomics.h"
#include "host_cuda/buffer.h"
#include "host_cuda/collectives.h"
#include "host_cuda/global.h"
#include "host_cuda/intrinsics.h"
#include "host_cuda/launch.h"
#include "host_cuda/shared.h"

#define HITGRAPH_DEVICE inline
#define HITGRAPH_DEVICE_CALL inline
#define HITGRAPH_ROLLED
#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)

namespace hitgraph {

using host_cuda::Global;
using host_cuda::Shared;
using host_cuda::shared_array;

}  // namespace hitgraph
