// Shuffles, votes and barriers. None of them but the barriers orders memory.
#pragma once

#include <cstdint>

#include "host_cuda/intrinsics.h"
#include "host_cuda/launch.h"
#include "host_cuda/trace.h"

namespace hitgraph::host_cuda {

enum class Kind { kShfl, kShflUp, kShflDown, kShflXor, kBallot, kAny, kAll, kSyncwarp, kBarrier };
const char* kind_name(Kind kind);

// Waits for the lanes of `mask` at the same place; returns the operand of lane `source`, or what
// the lanes voted.
uint64_t rendezvous(Kind kind, uint32_t mask, uint64_t operand, uint32_t source, Site site);
void barrier(Site site);
[[noreturn]] void bad_width(int width, const char* file, int line);

inline uint32_t current_lane() { return threadIdx.x % 32; }

// The last lane of this one's segment of `width` lanes.
inline uint32_t segment_end(int width, const char* file, int line) {
  if (width <= 0 || width > 32 || (width & (width - 1)) != 0) bad_width(width, file, line);
  return current_lane() | (static_cast<uint32_t>(width) - 1);
}

template <typename T>
T shuffle(Kind kind, uint32_t mask, T value, uint32_t source, const char* file, int line) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8, "CUDA shuffles 32 and 64 bits");
  uint64_t operand = 0;
  std::memcpy(&operand, &value, sizeof(T));
  const uint64_t result = rendezvous(kind, mask, operand, source, make_site(file, line));
  std::memcpy(&value, &result, sizeof(T));
  return value;
}

inline uint64_t vote(Kind kind, uint32_t mask, int predicate, const char* file, int line) {
  return rendezvous(kind, mask, predicate != 0, current_lane(), make_site(file, line));
}

}  // namespace hitgraph::host_cuda

inline void __syncthreads(int line = __builtin_LINE(), const char* file = __builtin_FILE()) {
  hitgraph::host_cuda::barrier(hitgraph::host_cuda::make_site(file, line));
}

inline void __syncwarp(unsigned mask = 0xffffffffu, int line = __builtin_LINE(),
                       const char* file = __builtin_FILE()) {
  using namespace hitgraph::host_cuda;
  rendezvous(Kind::kSyncwarp, mask, 0, current_lane(), make_site(file, line));
}

template <typename T>
auto __shfl_sync(unsigned mask, const T& value, int source, int width = 32,
                 int line = __builtin_LINE(), const char* file = __builtin_FILE())
    -> hitgraph::host_cuda::Operand<T> {
  using namespace hitgraph::host_cuda;
  const uint32_t offset = static_cast<uint32_t>(width) - 1;
  const uint32_t first = segment_end(width, file, line) & ~offset;
  return shuffle(Kind::kShfl, mask, +value, first | (static_cast<uint32_t>(source) & offset), file,
                 line);
}

template <typename T>
auto __shfl_up_sync(unsigned mask, const T& value, unsigned delta, int width = 32,
                    int line = __builtin_LINE(), const char* file = __builtin_FILE())
    -> hitgraph::host_cuda::Operand<T> {
  using namespace hitgraph::host_cuda;
  const uint32_t lane = current_lane(), end = segment_end(width, file, line);
  const uint32_t in_segment = lane - (end + 1 - static_cast<uint32_t>(width));
  return shuffle(Kind::kShflUp, mask, +value, delta <= in_segment ? lane - delta : lane, file,
                 line);
}

template <typename T>
auto __shfl_down_sync(unsigned mask, const T& value, unsigned delta, int width = 32,
                      int line = __builtin_LINE(), const char* file = __builtin_FILE())
    -> hitgraph::host_cuda::Operand<T> {
  using namespace hitgraph::host_cuda;
  const uint32_t lane = current_lane(), end = segment_end(width, file, line);
  return shuffle(Kind::kShflDown, mask, +value, delta <= end - lane ? lane + delta : lane, file,
                 line);
}

template <typename T>
auto __shfl_xor_sync(unsigned mask, const T& value, int lane_mask, int width = 32,
                     int line = __builtin_LINE(), const char* file = __builtin_FILE())
    -> hitgraph::host_cuda::Operand<T> {
  using namespace hitgraph::host_cuda;
  const uint32_t lane = current_lane(), end = segment_end(width, file, line);
  const uint32_t source = lane ^ static_cast<uint32_t>(lane_mask);
  return shuffle(Kind::kShflXor, mask, +value, source <= end ? source : lane, file, line);
}

inline unsigned __ballot_sync(unsigned mask, int predicate, int line = __builtin_LINE(),
                              const char* file = __builtin_FILE()) {
  using namespace hitgraph::host_cuda;
  return static_cast<unsigned>(vote(Kind::kBallot, mask, predicate, file, line));
}

inline int __any_sync(unsigned mask, int predicate, int line = __builtin_LINE(),
                      const char* file = __builtin_FILE()) {
  using namespace hitgraph::host_cuda;
  return static_cast<int>(vote(Kind::kAny, mask, predicate, file, line));
}

inline int __all_sync(unsigned mask, int predicate, int line = __builtin_LINE(),
                      const char* file = __builtin_FILE()) {
  using namespace hitgraph::host_cuda;
  return static_cast<int>(vote(Kind::kAll, mask, predicate, file, line));
}
