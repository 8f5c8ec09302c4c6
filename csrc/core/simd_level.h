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

// name_avx512, name_avx2 or name_portable, whatever is compiled for the level, followed by the rest
// of the arguments: HITGRAPH_AT_SIMD_LEVEL(level, radius_block, <T>(dim)).
#if defined(HITGRAPH_HAVE_AVX2) && defined(HITGRAPH_HAVE_AVX512)
#define HITGRAPH_AT_SIMD_LEVEL(level, name, ...)             \
  ((level) == SimdLevel::kAvx512 ? name##_avx512 __VA_ARGS__ \
   : (level) == SimdLevel::kAvx2 ? name##_avx2 __VA_ARGS__   \
                                 : name##_portable __VA_ARGS__)
#else
#define HITGRAPH_AT_SIMD_LEVEL(level, name, ...) ((void)(level), name##_portable __VA_ARGS__)
#endif

}  // namespace hitgraph
