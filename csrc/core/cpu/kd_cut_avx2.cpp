// The cut compiled for one instruction set; the flags stand in cmake/sources.cmake.
#include "core/cpu/kd_cut_loops.h"
#include "core/cpu/simd_avx2.h"

namespace hitgraph {

KdCut kd_cut_avx2() { return cut_part<Avx2Simd>; }

}  // namespace hitgraph
