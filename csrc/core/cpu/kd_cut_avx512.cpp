// The cut compiled for one instruction set; the flags stand in cmake/sources.cmake.
#include "core/cpu/kd_cut_loops.h"
#include "core/cpu/simd_avx512.h"

namespace hitgraph {

KdCut kd_cut_avx512() { return cut_part<Avx512Simd>; }

}  // namespace hitgraph
