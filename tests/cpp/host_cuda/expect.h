// What a test expects of a kernel under many orders of its lanes: one Violation, or none.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <string>

#include "host_cuda/host_cuda.h"

namespace hitgraph::testing {

inline constexpr unsigned kFull = 0xffffffffu;
inline constexpr int kSeeds = 20;

// The line a kernel expects to be blamed for.
inline int blamed_line = 0;
#define BLAMED (blamed_line = __LINE__)

struct Expected {
  const char* kind;
  int block, lane;  // -1: any
  std::string part = "";
  const char* file = __builtin_FILE();
};

// Under every seed: the kind, the kernel, the block, the lane and the line.
inline void expect_violation(
    const Expected& expected, unsigned grid, unsigned block, unsigned bytes,
    const std::function<void()>& run_lane, const std::function<void()>& reset = [] {}) {
  for (int seed = 0; seed < kSeeds; ++seed) {
    host_cuda::set_options({static_cast<uint64_t>(seed)});
    reset();
    try {
      host_cuda::launch({"kernel", grid, block, bytes}, run_lane);
      FAIL() << "no violation, seed " << seed;
    } catch (const host_cuda::Violation& violation) {
      const std::string what = violation.what();
      EXPECT_EQ(what.rfind("[" + std::string(expected.kind) + "] kernel", 0), 0u) << what;
      if (expected.block >= 0) {
        EXPECT_EQ(violation.block, expected.block) << what;
      }
      if (expected.lane >= 0) {
        EXPECT_EQ(violation.lane, expected.lane) << what;
      }
      EXPECT_EQ(violation.file, host_cuda::shorten(expected.file)) << what;
      EXPECT_EQ(violation.line, blamed_line) << what;
      EXPECT_NE(what.find(expected.part), std::string::npos) << what;
    }
  }
}

inline void expect_correct(
    unsigned grid, unsigned block, unsigned bytes, const std::function<void()>& run_lane,
    const std::function<void()>& reset = [] {}, const std::function<void()>& check = [] {}) {
  for (int seed = 0; seed < kSeeds; ++seed) {
    host_cuda::set_options({static_cast<uint64_t>(seed)});
    reset();
    ASSERT_NO_THROW(host_cuda::launch({"kernel", grid, block, bytes}, run_lane)) << "seed " << seed;
    check();
  }
}

}  // namespace hitgraph::testing
