// Which vector instructions the CPU search uses. All levels return the same bits.
#pragma once

namespace hitgraph {

enum class SimdLevel { kPortable = 0, kAvx2 = 1, kAvx512 = 2 };

// The best level that this processor has and this library was built with. The environment variable
// HITGRAPH_SIMD (portable, avx2, avx512), read once, caps it.
SimdLevel best_simd_level();

// Whether this processor and this build can run `level`.
bool simd_level_available(SimdLevel level);

const char* simd_level_name(SimdLevel level);

}  // namespace hitgraph
