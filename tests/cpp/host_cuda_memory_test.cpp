// Memory on the host: what the checker says of shared and device memory.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/cuda/platform.cuh"
#include "host_cuda/expect.h"

namespace hitgraph {
namespace {

using host_cuda::allocate;
using host_cuda::Buffer;
using host_cuda::launch;
using host_cuda::set_options;
using host_cuda::Violation;
using testing::blamed_line;
using testing::expect_correct;
using testing::expect_violation;
using testing::kFull;
using testing::kSeeds;

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
  const auto kernel = [](bool barrier) {
    const Shared<int> x = shared_array<int>(0, 1);
    if (threadIdx.x == 40) x[0] = 1;
    __syncwarp();  // of each warp alone
    if (barrier) __syncthreads();
    if (threadIdx.x == 2) x[0] = 2;
  };
  for (int seed = 0; seed < kSeeds; ++seed) {
    set_options({static_cast<uint64_t>(seed)});
    EXPECT_THROW(launch({"kernel", 1, 64, 4}, [&] { kernel(false); }), Violation);
    EXPECT_NO_THROW(launch({"kernel", 1, 64, 4}, [&] { kernel(true); }));
  }
}

TEST(Shared, MessageNamesBothLines) {
  int read = 0, written = 0;
  try {
    launch({"knn_search", 1, 64, 256}, [&] {
      const Shared<int> x = shared_array<int>(0, 64);
      if (threadIdx.x == 5) written = __LINE__, x[12] = 1;
      __any_sync(kFull, 1);
      if (threadIdx.x == 7) read = __LINE__, x[13] = x[12];
    });
    FAIL();
  } catch (const Violation& violation) {
    EXPECT_EQ(
        violation.what(),
        "[shared race] knn_search block 0 lane 7, tests/cpp/host_cuda_memory_test.cpp:" +
            std::to_string(read) +
            ": reads word 12 of shared memory that lane 5 wrote at host_cuda_memory_test.cpp:" +
            std::to_string(written) + ", no barrier between");
  }
}

TEST(Shared, ReadThenWrittenByAnother) {
  expect_violation({"shared race", 0, 3, "lane 8 read at host_cuda_memory_test.cpp:"}, 1, 32, 4,
                   [] {
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

TEST(Memory, Alignment) {
  Buffer<float> points("points", std::vector<float>(16, 1.0f));
  const Global<const float> view = points.view();
  expect_violation({"global alignment", 0, 4, "index 10 of points, expected a multiple of 4"}, 1,
                   32, 0, [&] {
                     if (threadIdx.x == 4) BLAMED, (view + 8).check_aligned(2, 4);
                   });
  expect_correct(1, 32, 0, [&] { (view + 1).check_aligned(3, 4); });
}

enum Axis { kX, kY };

TEST(Memory, IndicesAndOperators) {
  Buffer<int> buffer("buffer", std::vector<int>{10, 20, 30, 40});
  Buffer<float> floats("floats", std::vector<float>{1, 2});
  expect_correct(1, 32, 0, [&] {
    if (threadIdx.x != 0) return;
    const Global<int> x = buffer.view();
    const Global<float> f = floats.view();
    x[0] = x[1] = 5;
    x[uint8_t{2}] = x[int16_t{0}];
    x[int64_t{3}] -= 2.5;
    x[3ull] = x[3] * 2 + (x[kY] == 5 ? x[2] : 1);
    ++x[0u];
    EXPECT_EQ(x[std::size_t{0}]++, 6);
    EXPECT_EQ(x[0], 7);
    x[0] <<= 2;
    EXPECT_EQ(__ldg(x), 28);
    f[0] = 1;
    f[0] += f[1] * 0.5f;
    EXPECT_EQ(min(f[0], 3.0f) + max(f[1], f[0]), 4.0f);
    EXPECT_EQ(__popc(static_cast<unsigned>(x[0])), 3);
    x[3] = 40;
  });
  EXPECT_EQ(buffer.values(), (std::vector<int>{28, 5, 5, 40}));
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

}  // namespace
}  // namespace hitgraph
