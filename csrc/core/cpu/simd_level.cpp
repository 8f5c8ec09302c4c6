#include "core/simd_level.h"

#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace hitgraph {
namespace {

bool processor_has(SimdLevel level) {
#if defined(__x86_64__) && defined(__GNUC__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  switch (level) {
    case SimdLevel::kPortable: return true;
    case SimdLevel::kAvx2: return avx2;
    case SimdLevel::kAvx512:
      return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
  }
  return false;
#else
  return level == SimdLevel::kPortable;
#endif
}

SimdLevel choose_level() {
  const char* wanted = std::getenv("HITGRAPH_SIMD");
  for (const SimdLevel level : {SimdLevel::kAvx512, SimdLevel::kAvx2}) {
    if (wanted != nullptr && std::strcmp(wanted, simd_level_name(level)) == 0) wanted = nullptr;
    if (wanted == nullptr && processor_has(level)) return level;
  }
  return SimdLevel::kPortable;
}

}  // namespace

bool simd_level_available(SimdLevel level) { return processor_has(level); }

SimdLevel best_simd_level() {
  static const SimdLevel level = choose_level();
  return level;
}

const char* simd_level_name(SimdLevel level) {
  switch (level) {
    case SimdLevel::kPortable: return "portable";
    case SimdLevel::kAvx2: return "avx2";
    case SimdLevel::kAvx512: return "avx512";
  }
  return "unknown";
}

}  // namespace hitgraph
