// The instruction sets that tests go through.
#pragma once

#include <vector>

#include "core/simd_level.h"

namespace hitgraph::testing {

// Those of this machine and this build, the plainest first.
inline std::vector<SimdLevel> simd_levels() {
  std::vector<SimdLevel> levels;
  for (const SimdLevel level : {SimdLevel::kPortable, SimdLevel::kAvx2, SimdLevel::kAvx512}) {
    if (simd_level_available(level)) levels.push_back(level);
  }
  return levels;
}

}  // namespace hitgraph::testing
