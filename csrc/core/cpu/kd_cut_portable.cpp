// The cut compiled for one instruction set; the flags stand in cmake/sources.cmake.
#include "core/cpu/kd_cut_loops.h"
#include "core/cpu/simd_portable.h"

namespace hitgraph {

KdCut kd_cut_portable() { return cut_part<PortableSimd>; }

}  // namespace hitgraph
