// The lanes of one block as fibers: which runs next, and who waits for whom.
//
// A lane that waits switches to the next lane itself. The last one of a warp to wait resolves what
// the warp waits for, on its own stack, so a collective of 32 lanes costs 32 switches and no more.
#pragma once

#include <boost/context/fiber.hpp>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#include "host_cuda/collectives.h"
#include "host_cuda/launch.h"
#include "host_cuda/trace.h"

namespace hitgraph::host_cuda {

inline constexpr unsigned kWarp = 32, kFullMask = ~0u, kMaxBlock = 1024;
inline constexpr unsigned kMaxSharedBytes = 227 * 1024;

// Small and fast; the orders need no better one.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint32_t next() {
    state_ += 0x9e3779b97f4a7c15u;
    uint64_t x = state_;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return static_cast<uint32_t>((x ^ (x >> 31)) >> 16);
  }
  uint32_t below(uint32_t bound) { return static_cast<uint32_t>(uint64_t{next()} * bound >> 32); }

 private:
  uint64_t state_;
};

// What a lane waits for: mask 32, kind 4, site 18.
using Key = uint64_t;
inline Key make_key(Kind kind, uint32_t mask, Site site) {
  return Key{mask} << 32 | static_cast<Key>(kind) << kSiteBits | site;
}
inline uint32_t mask_of(Key key) { return static_cast<uint32_t>(key >> 32); }
inline Kind kind_of(Key key) { return static_cast<Kind>(key >> kSiteBits & 15); }
inline Site site_of(Key key) { return static_cast<Site>(key & ((1u << kSiteBits) - 1)); }

struct Lane;

// Each lane is in at most one of the four sets: the one that runs in none.
struct Warp {
  unsigned number = 0;
  uint32_t ready = 0, waiting = 0, at_barrier = 0, exited = 0;
  Record stamp = 0;
  // The order of the ready lanes: (step * i + start) ^ flip for i = 0, 1, ..., step odd.
  uint32_t step = 1, start = 0, flip = 0, position = 0;
  Lane* lanes[kWarp];
  Key key[kWarp];
  uint64_t operand[kWarp], result[kWarp];
  uint8_t source[kWarp];
};

struct Lane {
  boost::context::fiber fiber;
  boost::context::stack_context stack;
  void* sanitizer_stack = nullptr;
  Warp* warp = nullptr;
  unsigned thread = 0, in_warp = 0;
  Record thread_bits = 0;
};

class Scheduler {
 public:
  static Scheduler& get() { return *instance_; }

  void seed(uint64_t value) { random_ = Random(value); }
  void run(const Launch& launch, void (*body)(void*), void* argument);
  void end_launch();
  uint64_t rendezvous(Kind kind, uint32_t mask, uint64_t operand, uint32_t source, Site site);
  void barrier(Site site);

  // For messages.
  bool running() const { return launch_ != nullptr; }
  const Launch& current_launch() const { return *launch_; }
  unsigned current_block() const { return block_; }
  int64_t block_at(Record access) const;  // -1: before this launch

 private:
  static Scheduler* const instance_;

  Random random_{0};
  const Launch* launch_ = nullptr;
  void (*body_)(void*) = nullptr;
  void* argument_ = nullptr;
  std::exception_ptr error_;

  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<Warp> warps_;
  Lane main_;
  Lane* current_ = &main_;
  Lane* previous_ = nullptr;  // who switched to the current one
  Warp* warp_ = nullptr;
  uint32_t runnable_ = 0;      // warps that have a ready lane or one that waits for its warp
  uint32_t leave_chance_ = 0;  // of 16, after each collective, for another warp to go on

  uint64_t time_ = 0;
  unsigned block_ = 0;
  struct BlockStart {
    Record time;
    unsigned block;
  };
  std::vector<BlockStart> block_starts_;

  Record tick() { return ++time_ << kStampShift; }
  void prepare(unsigned threads);
  void run_block(unsigned block);
  void start_fiber(Lane& lane);
  boost::context::fiber run_lane(boost::context::fiber&& from, Lane& lane);

  void suspend();
  void switch_to(Lane& lane);
  Lane& choose();
  bool advance();
  void choose_warp();
  void make_ready(Warp& warp, uint32_t lanes);

  void resolve(Warp& warp);
  void complete(Warp& warp, uint32_t group);
  void release_barrier();
  [[noreturn]] void report_mask(Kind kind, uint32_t mask, uint32_t source, Site site);
  [[noreturn]] void report_stuck(const Warp& warp);
  [[noreturn]] void report_missing(const Warp& warp, unsigned lane, const Warp& other_warp,
                                   unsigned other);
};

// AddressSanitizer has to know whose stack it is on.
inline void sanitize_leave(Lane& from, const Lane& to) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&from.sanitizer_stack,
                                 static_cast<char*>(to.stack.sp) - to.stack.size, to.stack.size);
#else
  (void)from, (void)to;
#endif
}
inline void sanitize_arrive(Lane& at, Lane& from) {
#if defined(__SANITIZE_ADDRESS__)
  const void* bottom;
  __sanitizer_finish_switch_fiber(at.sanitizer_stack, &bottom, &from.stack.size);
  from.stack.sp = static_cast<char*>(const_cast<void*>(bottom)) + from.stack.size;
#else
  (void)at, (void)from;
#endif
}

// Inline, for these are what a collective costs.
inline void Scheduler::switch_to(Lane& lane) {
  previous_ = current_;
  current_ = &lane;
  threadIdx.x = lane.thread;
  if (lane.warp != nullptr) now.who = lane.warp->stamp | lane.thread_bits;
  Lane& self = *previous_;
  sanitize_leave(self, lane);
  boost::context::fiber from = std::move(lane.fiber).resume();
  // Here again, from whichever lane chose this one.
  sanitize_arrive(self, *previous_);
  previous_->fiber = std::move(from);
}

// The next lane to run; the main context when the block is done.
inline Lane& Scheduler::choose() {
  if (warp_->ready == 0 && !advance()) return main_;
  Warp& warp = *warp_;
  uint32_t lane;
  do {
    lane = ((warp.step * warp.position++ + warp.start) ^ warp.flip) % kWarp;
  } while ((warp.ready >> lane & 1) == 0);
  warp.ready &= ~(1u << lane);
  return *warp.lanes[lane];
}

inline void Scheduler::suspend() {
  Lane& next = choose();
  if (&next != current_) switch_to(next);
}

}  // namespace hitgraph::host_cuda
