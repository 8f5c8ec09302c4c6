// Lanes on the host: what the checker says of collectives, and that orders follow a seed.
#include <gtest/gtest.h>

#include <functional>
#include <numeric>
#include <set>
#include <vector>

#include "core/cuda/platform.cuh"
#include "host_cuda/expect.h"

namespace hitgraph {
namespace {

using host_cuda::Buffer;
using host_cuda::launch;
using host_cuda::set_options;
using host_cuda::Violation;
using testing::blamed_line;
using testing::expect_correct;
using testing::expect_violation;
using testing::kFull;
using testing::kSeeds;

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
