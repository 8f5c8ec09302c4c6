#include "core/simd_level.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace hitgraph {
namespace {

TEST(SimdLevel, PortableIsAlwaysThere) {
  EXPECT_TRUE(simd_level_available(SimdLevel::kPortable));
  EXPECT_TRUE(simd_level_available(best_simd_level()));
}

TEST(SimdLevel, NamesDiffer) {
  EXPECT_STREQ("portable", simd_level_name(SimdLevel::kPortable));
  EXPECT_STREQ("avx2", simd_level_name(SimdLevel::kAvx2));
  EXPECT_STREQ("avx512", simd_level_name(SimdLevel::kAvx512));
}

// The level is chosen once a process, so each wish gets a process of its own.
TEST(SimdLevelDeathTest, EnvironmentCapsTheLevel) {
  for (const SimdLevel wanted : {SimdLevel::kPortable, SimdLevel::kAvx2, SimdLevel::kAvx512}) {
    if (!simd_level_available(wanted)) continue;
    EXPECT_EXIT(
        {
          setenv("HITGRAPH_SIMD", simd_level_name(wanted), 1);
          std::exit(best_simd_level() == wanted ? 0 : 1);
        },
        ::testing::ExitedWithCode(0), "");
  }
}

}  // namespace
}  // namespace hitgraph
