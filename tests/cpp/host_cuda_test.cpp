// The checker of kernels, on kernels with one mistake each and on correct ones.
#include <gtest/gtest.h>

#include <functional>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "core/cuda/platform.cuh"

namespace hitgraph {
namespace {

using host_cuda::allocate;
using host_cuda::Buffer;
using host_cuda::launch;
using host_cuda::set_options;
using host_cuda::Violation;

constexpr unsigned kFull = 0xffffffffu;
constexpr int kSeeds = 20;

// The line a kernel expects to be blamed for.
int blamed_line = 0;
#define BLAMED (blamed_line = __LINE__)

struct Expected {
  const char* kind;
  int block, lane;  // -1: any
  std::string part = "";
};

// Under every seed: the kind, the kernel, the block, the lane and the line.
void expect_violation(
    const Expected& expected, unsigned grid, unsigned block, unsigned bytes,
    const std::function<void()>& run_lane, const std::function<void()>& reset = [] {}) {
  for (int seed = 0; seed < kSeeds; ++seed) {
    set_options({static_cast<uint64_t>(seed)});
    reset();
    try {
      launch({"kernel", grid, block, bytes}, run_lane);
      FAIL() << "no violation, seed " << seed;
    } catch (const Violation& violation) {
      const std::string what = violation.what();
      EXPECT_EQ(what.rfind("[" + std::string(expected.kind) + "] kernel", 0), 0u) << what;
      if (expected.block >= 0) {
        EXPECT_EQ(violation.block, expected.block) << what;
      }
      if (expected.lane >= 0) {
        EXPECT_EQ(violation.lane, expected.lane) << what;
      }
      EXPECT_EQ(violation.file, "tests/cpp/host_cuda_test.cpp") << what;
      EXPECT_EQ(violation.line, blamed_line) << what;
      EXPECT_NE(what.find(expected.part), std::string::npos) << what;
    }
  }
}

void expect_correct(
    unsigned grid, unsigned block, unsigned bytes, const std::function<void()>& run_lane,
    const std::function<void()>& reset = [] {}, const std::function<void()>& check = [] {}) {
  for (int seed = 0; seed < kSeeds; ++seed) {
    set_options({static_cast<uint64_t>(seed)});
    reset();
    ASSERT_NO_THROW(launch({"kernel", grid, block, bytes}, run_lane)) << "seed " << seed;
    check();
  }
}

TEST(MissedCollective, LaneExits) {
  expect_violation({"missed collective", 0, -1, "waits for lane 37, which has exited"}, 1, 64, 0,
                   [] {
                     if (threadIdx.x == 37) return;
                     BLAMED, __syncwarp();
                   });
  expect_correct(2, 64, 0, [] {
    if (threadIdx.x % 32 == 5) return;
    __syncwarp(~(1u << 5));
  });
}

TEST(MissedCollective, LaneWaitsElsewhere) {
  expect_violation({"missed collective", 0, 0, "waits for lane 9, which waits at __any_sync"}, 1,
                   32, 0, [] {
                     if (threadIdx.x == 9) {
                       __any_sync(kFull, 1);
                     } else {
                       BLAMED, __ballot_sync(kFull, 1);
                     }
                   });
  // The same collective in two places is two collectives.
  expect_violation({"missed collective", 0, 0, "waits for lane 31, which waits at __syncwarp"}, 1,
                   32, 0, [] {
                     if (threadIdx.x == 31) {
                       __syncwarp();
                     } else {
                       BLAMED, __syncwarp();
                     }
                   });
}

TEST(MissedCollective, Barrier) {
  expect_violation({"missed collective", 0, 0, "waits for lane 70, which has exited"}, 1, 96, 0,
                   [] {
                     if (threadIdx.x == 70) return;
                     BLAMED, __syncthreads();
                   });
  expect_violation({"missed collective", 0, 0, "waits for lane 32, which waits at __syncthreads"},
                   1, 64, 0, [] {
                     if (threadIdx.x < 32) {
                       BLAMED, __syncthreads();
                     } else {
                       __syncthreads();
                     }
                   });
  expect_violation({"missed collective", 0, 33, "waits for lane 32, which waits at __syncthreads"},
                   1, 64, 0, [] {
                     if (threadIdx.x > 32) BLAMED, __syncwarp();
                     __syncthreads();
                   });
  expect_correct(3, 96, 0, [] {
    for (int i = 0; i < 5; ++i) __syncthreads();
  });
}

TEST(Mask, MustNameTheLane) {
  expect_violation({"mask", 0, 4, "mask 0xffffffef"}, 1, 32, 0,
                   [] { BLAMED, __ballot_sync(~(1u << 4), threadIdx.x == 4); });
}

TEST(Mask, MustBeOne) {
  expect_violation({"mask", 0, 0, "with mask 0x0000ffff"}, 1, 32, 0, [] {
    const unsigned mask = threadIdx.x == 0 ? 0xffffu : kFull;
    BLAMED, __ballot_sync(mask, 1);
  });
}

TEST(Mask, GroupsOfOneWarpWaitAlone) {
  Buffer<unsigned> votes("votes", 32);
  expect_correct(
      1, 32, 0,
      [&] {
        const unsigned first = threadIdx.x / 8 * 8, mask = 0xffu << first;
        for (unsigned turn = 0; turn <= threadIdx.x / 8; ++turn) {
          votes.view()[threadIdx.x] = __ballot_sync(mask, threadIdx.x % 2) >> first;
        }
      },
      [] {}, [&] { EXPECT_EQ(votes.values(), std::vector<unsigned>(32, 0xaa)); });
}

TEST(Shuffle, SourceOutsideTheMask) {
  expect_violation({"shuffle source", 0, 0, "reads from lane 20"}, 1, 32, 0, [] {
    if (threadIdx.x < 16) BLAMED, __shfl_sync(0xffffu, 1, threadIdx.x == 0 ? 20 : 3);
  });
  expect_correct(1, 32, 0, [] {
    if (threadIdx.x < 16) __shfl_xor_sync(0xffffu, 1.0, 8);
  });
  expect_violation({"shuffle source", 0, -1, "width of 12"}, 1, 32, 0,
                   [] { BLAMED, __shfl_sync(kFull, 1, 0, 12); });
}

TEST(Shuffle, Values) {
  Buffer<int> sources("sources", 32 * 5);
  const std::function<void()> kernel = [&] {
    Global<int> out = sources.view() + threadIdx.x;
    const int lane = static_cast<int>(threadIdx.x);
    out[0] = __shfl_sync(kFull, lane, 3, 8);
    out[32] = __shfl_up_sync(kFull, lane, 2, 16);
    out[64] = __shfl_down_sync(kFull, lane, 2, 16);
    out[96] = __shfl_xor_sync(kFull, lane, 5);
    out[128] = static_cast<int>(__shfl_sync(kFull, int64_t{lane} << 40, lane + 1) >> 40);
  };
  expect_correct(
      1, 32, 0, kernel, [] {},
      [&] {
        const std::vector<int> out = sources.values();
        for (int lane = 0; lane < 32; ++lane) {
          EXPECT_EQ(out[lane], lane / 8 * 8 + 3);
          EXPECT_EQ(out[32 + lane], lane % 16 < 2 ? lane : lane - 2);
          EXPECT_EQ(out[64 + lane], lane % 16 > 13 ? lane : lane + 2);
          EXPECT_EQ(out[96 + lane], lane ^ 5);
          EXPECT_EQ(out[128 + lane], (lane + 1) % 32);
        }
      });
}

TEST(Shared, RaceInAWarp) {
  expect_violation({"shared race", -1, -1, "of shared memory that lane "}, 2, 32, 128, [] {
    const Shared<int> x = shared_array<int>(0, 32);
    if (threadIdx.x == 7) x[12] = 1;
    // A vote does not order memory.
    __any_sync(kFull, 1);
    if (threadIdx.x == 5) BLAMED, x[12] = 2;
  });
  expect_correct(2, 32, 128, [] {
    const Shared<int> x = shared_array<int>(0, 32);
    if (threadIdx.x == 7) x[12] = 1;
    __syncwarp();
    if (threadIdx.x == 5) x[12] = 2;
  });
}

TEST(Shared, RaceBetweenWarps) {
  const auto kernel = [](bool barrier, bool both_write) {
    const Shared<int> x = shared_array<int>(0, 64);
    x[threadIdx.x] = 1;
    __syncwarp();
    if (barrier) __syncthreads();
    // Read by the lane's neighbour in the other warp.
    BLAMED;
    if (both_write) x[(threadIdx.x + 32) % 64] = 2;
  };
  for (int seed = 0; seed < kSeeds; ++seed) {
    set_options({static_cast<uint64_t>(seed)});
    EXPECT_THROW(launch({"kernel", 1, 64, 256}, [&] { kernel(false, true); }), Violation);
    EXPECT_NO_THROW(launch({"kernel", 1, 64, 256}, [&] { kernel(true, true); }));
  }
}

TEST(Shared, ReadThenWrittenByAnother) {
  expect_violation({"shared race", 0, 3, "lane 8 read at host_cuda_test.cpp:"}, 1, 32, 4, [] {
    const Shared<int> x = shared_array<int>(0, 1);
    if (threadIdx.x == 3) x[0] = 1;
    __syncwarp();
    if (threadIdx.x == 3 || threadIdx.x == 8) {
      const int value = x[0];
      (void)value;
    }
    __any_sync(kFull, 1);
    if (threadIdx.x == 3) BLAMED, x[0] = 2;
  });
}

TEST(Shared, EqualValuesRaceToo) {
  EXPECT_THROW(launch({"kernel", 1, 32, 4}, [] { shared_array<int>(0, 1)[0] = 7; }), Violation);
  EXPECT_NO_THROW(launch({"kernel", 1, 32, 4}, [] {
    if (threadIdx.x == 0) shared_array<int>(0, 1)[0] = 7;
  }));
}

TEST(Shared, AtomicsRaceWithPlainAccessOnly) {
  expect_correct(2, 64, 4, [] {
    const Shared<unsigned> x = shared_array<unsigned>(0, 1);
    if (threadIdx.x == 0) x[0] = 0;
    __syncthreads();
    atomicAdd(x, 1);
    atomicMax(x + 0, 2);
    __syncthreads();
    EXPECT_GE(x[0], 64u);
  });
  expect_violation({"shared race", 0, 1, "that lane 0 updated atomically"}, 1, 32, 4, [] {
    const Shared<int> x = shared_array<int>(0, 1);
    if (threadIdx.x == 1) x[0] = 0;
    __syncwarp();
    if (threadIdx.x == 0) atomicAdd(x, 1);
    __any_sync(kFull, 1);
    if (threadIdx.x == 1) BLAMED, x[0] = 3;
  });
}

TEST(Shared, Uninitialised) {
  // The second block does not see what the first one wrote.
  expect_violation({"shared uninitialised", -1, 6, "reads word 2 of"}, 2, 32, 64, [] {
    const Shared<double> x = shared_array<double>(0, 8);
    if (threadIdx.x == 0) x[0] = 1.0;
    __syncwarp();
    if (threadIdx.x == 6) BLAMED, x[0] = x[1];
  });
}

TEST(Shared, Bytes) {
  expect_correct(2, 32, 64, [] {
    const Shared<uint8_t> bytes = shared_array<uint8_t>(0, 32);
    const Shared<uint32_t> words = shared_array<uint32_t>(0, 8);
    if (threadIdx.x < 8) words[threadIdx.x] = 0;
    __syncwarp();
    bytes[threadIdx.x] = static_cast<uint8_t>(threadIdx.x);
    __syncwarp();
    EXPECT_EQ(words[1], 0x07060504u);
  });
  expect_violation({"shared race", 0, 0, ""}, 1, 32, 64, [] {
    const Shared<uint8_t> bytes = shared_array<uint8_t>(0, 32);
    bytes[threadIdx.x] = 1;
    __any_sync(kFull, 1);
    if (threadIdx.x == 0) BLAMED, shared_array<uint32_t>(0, 8)[0] = 2;
  });
}

TEST(Shared, Bounds) {
  expect_violation({"shared bounds", 0, 3, "index 32 of a shared array of 32"}, 1, 32, 256, [] {
    const Shared<int> x = shared_array<int>(0, 32);
    if (threadIdx.x == 3) BLAMED, x[32] = 1;
  });
  expect_violation({"shared bounds", 0, 3, "index -1"}, 1, 32, 256, [] {
    const Shared<int> x = shared_array<int>(0, 32) + 4;
    if (threadIdx.x == 3) BLAMED, x[-5] = 1;
  });
  expect_violation({"shared bounds", 0, -1, "after the launch's 256 bytes"}, 1, 32, 256,
                   [] { BLAMED, shared_array<int>(132, 32); });
  expect_violation({"shared bounds", 0, -1, "no multiple of 8"}, 1, 32, 256,
                   [] { BLAMED, shared_array<double>(4, 2); });
  expect_correct(1, 32, 256, [] { shared_array<double>(8, 31)[threadIdx.x < 31 ? 0 : 30]; });
}

TEST(Memory, Bounds) {
  Buffer<float> points("points", std::vector<float>(10, 1.0f));
  const Global<const float> view = points.view();
  expect_violation({"global bounds", 1, 4, "index 10 of points, which has 10 elements"}, 2, 32, 0,
                   [&] {
                     if (blockIdx.x == 1 && threadIdx.x == 4) BLAMED, (view + 8)[2];
                   });
  expect_violation({"global bounds", 0, -1, "a null view"}, 1, 32, 0,
                   [] { BLAMED, Global<int>()[0] = 1; });
  expect_correct(2, 32, 0, [&] { EXPECT_EQ((view + 20)[-11], 1.0f); });
}

TEST(Memory, NullViews) {
  const Global<float> none = nullptr;
  Buffer<float> some("some", 1);
  EXPECT_TRUE(none == nullptr && Global<const float>(none) == nullptr);
  EXPECT_TRUE(some.view() != nullptr && nullptr != some.view());
  EXPECT_TRUE(Shared<int>() == nullptr && Shared<int>(0, 1) != nullptr);
}

TEST(Memory, SlabArraysHaveTheirOwnBounds) {
  auto slab = allocate("workspace", 1024);
  const Global<int> counts = slab.take<int>("counts", 32);
  const Global<double> sums = slab.take<double>("sums", 4);
  expect_violation({"global bounds", 0, 2, "index 32 of counts"}, 1, 32, 0, [&] {
    if (threadIdx.x == 2) BLAMED, counts[32] = 1;
  });
  expect_correct(1, 32, 0, [&] {
    counts[threadIdx.x] = 1;
    if (threadIdx.x < 4) sums[threadIdx.x] = 1;
  });
  EXPECT_EQ(host_cuda::data(counts)[31], 1);
  EXPECT_THROW(slab.take<double>("more", 1000), Violation);
  slab.at<int>("again", 0, 1);
  expect_violation({"global bounds", 0, -1, "its memory is now that of again"}, 1, 32, 0,
                   [&] { BLAMED, counts[0] = 1; });
}

TEST(Memory, GuardZone) {
  Buffer<int> out("out", 32);
  const auto damage = [&] {
    if (threadIdx.x == 0) out.data()[32] = 1;
  };
  try {
    launch({"kernel", 1, 32, 0}, damage);
    FAIL();
  } catch (const Violation& violation) {
    EXPECT_STREQ(violation.what(),
                 "[guard zone] kernel: byte 128 of out, which has 128 bytes, was written (after "
                 "its end)");
  }
  EXPECT_NO_THROW(launch({"kernel", 1, 32, 0}, [] {}));
  const auto destroy = [] {
    Buffer<int> small("small", 1);
    small.data()[-1] = 0;
  };
  EXPECT_THROW(destroy(), Violation);
}

TEST(Memory, Uninitialised) {
  Buffer<int> out("out", 32);
  const auto forget = [&] { out.mark_unwritten(); };
  expect_violation(
      {"global uninitialised", 0, 9, "reads out[9], which was never written"}, 1, 32, 0,
      [&] {
        const Global<int> view = out.view();
        if (threadIdx.x != 9) view[threadIdx.x] = 0;
        __syncwarp();
        BLAMED, view[threadIdx.x] += 1;
      },
      forget);
  EXPECT_THROW(out.values(), Violation);
  expect_correct(
      1, 32, 0, [&] { atomicAdd(out.view(), 1); }, [&] { out.zero(); },
      [&] { EXPECT_EQ(out.values()[0], 32); });
}

TEST(Memory, RaceOfBlocks) {
  Buffer<int> out("out", 64);
  const auto kernel = [&](bool own) {
    const Global<int> view = out.view() + (own ? 32 * blockIdx.x : 0);
    __syncthreads();
    BLAMED, view[threadIdx.x] = 1;
  };
  expect_violation({"global race", -1, -1, "blocks are not ordered"}, 2, 32, 0,
                   [&] { kernel(false); });
  expect_correct(2, 32, 0, [&] { kernel(true); });
  // Launches are ordered; atomics do not race with each other.
  expect_correct(2, 32, 0, [&] { atomicMin(out.view() + 3, -2); });
}

TEST(Memory, RaceInABlock) {
  Buffer<int> out("out", std::vector<int>(64, 0));
  const auto kernel = [&](bool barrier) {
    const Global<int> view = out.view();
    view[threadIdx.x] = 1;
    if (barrier) __syncthreads();
    __syncwarp();
    if (threadIdx.x == 3) BLAMED, view[3] = view[33];
  };
  for (int seed = 0; seed < kSeeds; ++seed) {
    set_options({static_cast<uint64_t>(seed)});
    EXPECT_THROW(launch({"kernel", 1, 64, 0}, [&] { kernel(false); }), Violation);
    EXPECT_NO_THROW(launch({"kernel", 1, 64, 0}, [&] { kernel(true); }));
  }
}

struct alignas(16) Candidate {
  float distance2;
  int index, segment, unused;
};

TEST(Memory, Records) {
  Buffer<Candidate> out("out", 32);
  Buffer<bool> flags("flags", std::vector<bool>(32, true));
  expect_correct(
      1, 32, 512,
      [&] {
        const Shared<Candidate> held = shared_array<Candidate>(0, 32);
        const int lane = static_cast<int>(threadIdx.x);
        held[lane] = Candidate{1.0f, lane, 0, 0};
        __syncwarp();
        const Candidate other = held[31 - lane];
        if (flags.view()[lane]) out.view()[lane] = other;
      },
      [] {}, [&] { EXPECT_EQ(out.values()[4].index, 27); });
}

TEST(Orders, ReductionAndScanAndBallot) {
  Buffer<float> sums("sums", 4);
  Buffer<int> scans("scans", 128);
  Buffer<unsigned> votes("votes", 4);
  const auto kernel = [&] {
    const int lane = static_cast<int>(threadIdx.x), warp = static_cast<int>(blockIdx.x);
    float sum = static_cast<float>(lane);
    for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(kFull, sum, step);
    int scan = 1;
    for (unsigned step = 1; step < 32; step *= 2) {
      const int below = __shfl_up_sync(kFull, scan, step);
      if (lane >= static_cast<int>(step)) scan += below;
    }
    const unsigned vote = __ballot_sync(kFull, lane % 3 == 0);
    scans.view()[32 * warp + lane] = scan;
    if (lane == 0) {
      sums.view()[warp] = sum;
      votes.view()[warp] = vote;
    }
  };
  expect_correct(
      4, 32, 0, kernel, [] {},
      [&] {
        EXPECT_EQ(sums.values(), std::vector<float>(4, 496.0f));
        EXPECT_EQ(votes.values(), std::vector<unsigned>(4, 0x49249249u));
        for (int i = 0; i < 128; ++i) EXPECT_EQ(scans.values()[i], i % 32 + 1);
      });
}

TEST(Orders, TreeReductionOfABlock) {
  std::vector<int> values(256 * 3);
  std::iota(values.begin(), values.end(), 0);
  Buffer<int> in("in", values);
  Buffer<int> out("out", 3);
  expect_correct(
      3, 256, 1024,
      [&] {
        const Shared<int> x = shared_array<int>(0, 256);
        x[threadIdx.x] = in.view()[blockIdx.x * 256 + threadIdx.x];
        for (unsigned half = 128; half > 0; half /= 2) {
          __syncthreads();
          if (threadIdx.x < half) x[threadIdx.x] += x[threadIdx.x + half];
        }
        if (threadIdx.x == 0) out.view()[blockIdx.x] = x[0];
      },
      [] {},
      [&] {
        EXPECT_EQ(out.values(), (std::vector<int>{32640, 98176, 163712}));
      });
}

// What a kernel must not depend on differs from seed to seed, and repeats with the seed.
TEST(Orders, FollowTheSeed) {
  Buffer<unsigned> turn("turn", 1), order("order", 32 * 4 * 2);
  const auto run = [&](uint64_t seed) {
    set_options({seed});
    turn.zero();
    launch({"kernel", 2, 128, 0}, [&] {
      const unsigned mine = atomicAdd(turn.view(), 1);
      order.view()[mine] = blockIdx.x * 128 + threadIdx.x;
    });
    return order.values();
  };
  std::set<unsigned> first_blocks, first_warps;
  std::set<std::vector<unsigned>> orders;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const std::vector<unsigned> found = run(seed);
    first_blocks.insert(found[0] / 128);
    first_warps.insert(found[0] % 128 / 32);
    orders.insert(found);
    EXPECT_EQ(found, run(seed));
  }
  EXPECT_EQ(first_blocks.size(), 2u);
  EXPECT_EQ(first_warps.size(), 4u);
  EXPECT_EQ(orders.size(), static_cast<std::size_t>(kSeeds));
}

TEST(Launch, RefusesPartialWarps) {
  EXPECT_THROW(launch({"kernel", 1, 48, 0}, [] {}), Violation);
  EXPECT_THROW(launch({"kernel", 1, 32, 1u << 20}, [] {}), Violation);
}

}  // namespace
}  // namespace hitgraph
