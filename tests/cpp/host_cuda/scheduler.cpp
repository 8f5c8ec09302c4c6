#include "host_cuda/scheduler.h"

#include <sys/mman.h>

#include <algorithm>
#include <new>
#include <numeric>
#include <utility>

#include "host_cuda/buffer.h"
#include "host_cuda/shared.h"
#include "host_cuda/violation.h"

namespace hitgraph::host_cuda {
namespace {

using boost::context::fiber;
using boost::context::stack_context;

#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kStackBytes = 512 * 1024;
#else
constexpr std::size_t kStackBytes = 64 * 1024;
#endif
constexpr std::size_t kGuardBytes = 4096;

// A page that faults, and above it the stack. Each starts at another distance from a multiple of
// 4 KiB, or the lanes of a warp would all want the same lines of the cache.
stack_context make_stack(unsigned thread) {
  void* const base = mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) throw std::bad_alloc();
  mprotect(base, kGuardBytes, PROT_NONE);
  const std::size_t end = kStackBytes - thread % 16 * 704;
  stack_context stack;
  stack.size = end - kGuardBytes;
  stack.sp = static_cast<char*>(base) + end;
  return stack;
}

// A lane keeps its stack, whatever becomes of the fiber on it.
struct KeepStack {
  void deallocate(stack_context&) noexcept {}
};

// Whether the launch returns or throws.
struct EndLaunch {
  Scheduler& scheduler;
  ~EndLaunch() { scheduler.end_launch(); }
};

}  // namespace

// Never destroyed: its idle fibers need no unwinding.
Scheduler* const Scheduler::instance_ = new Scheduler;

void Scheduler::prepare(unsigned threads) {
  while (lanes_.size() < threads) {
    auto lane = std::make_unique<Lane>();
    Lane* const self = lane.get();
    self->thread = static_cast<unsigned>(lanes_.size());
    self->in_warp = self->thread % kWarp;
    self->thread_bits = Record{self->thread} << kThreadShift;
    self->stack = make_stack(self->thread);
    start_fiber(*self);
    lanes_.push_back(std::move(lane));
  }
  warps_.resize(threads / kWarp);
  for (unsigned thread = 0; thread < threads; ++thread) {
    Warp& warp = warps_[thread / kWarp];
    warp.number = thread / kWarp;
    warp.lanes[thread % kWarp] = lanes_[thread].get();
    lanes_[thread]->warp = &warp;
  }
}

// A fiber that was there is given up where it stands: kernels hold nothing to destroy.
void Scheduler::start_fiber(Lane& lane) {
  alignas(fiber) unsigned char given_up[sizeof(fiber)];
  new (given_up) fiber(std::move(lane.fiber));
#if defined(__SANITIZE_ADDRESS__)
  ASAN_UNPOISON_MEMORY_REGION(static_cast<char*>(lane.stack.sp) - lane.stack.size, lane.stack.size);
#endif
  const boost::context::preallocated place(lane.stack.sp, lane.stack.size, lane.stack);
  lane.fiber = fiber(std::allocator_arg, place, KeepStack(),
                     [this, &lane](fiber&& from) { return run_lane(std::move(from), lane); });
}

void Scheduler::run(const Launch& launch, void (*body)(void*), void* argument) {
  launch_ = &launch;
  const EndLaunch end_launch{*this};
  block_starts_.clear();
  if (launch.block == 0 || launch.block % kWarp != 0 || launch.block > kMaxBlock) {
    violate_launch("launch", "a block of " + std::to_string(launch.block) +
                                 " threads: expected a multiple of 32 up to 1024");
  }
  if (launch.grid == 0) violate_launch("launch", "a grid of no blocks");
  if (launch.shared_bytes > kMaxSharedBytes) {
    violate_launch("launch", std::to_string(launch.shared_bytes) + " bytes of shared memory: " +
                                 std::to_string(kMaxSharedBytes) + " at most");
  }
  body_ = body;
  argument_ = argument;
  gridDim = {launch.grid, 1, 1};
  blockDim = {launch.block, 1, 1};
  prepare(launch.block);
  prepare_shared(launch.shared_bytes);
  now.launch = tick();
  std::vector<unsigned> order(launch.grid);
  std::iota(order.begin(), order.end(), 0u);
  for (unsigned i = launch.grid; i > 1; --i) std::swap(order[i - 1], order[random_.below(i)]);
  for (const unsigned block : order) run_block(block);
  check_guards();
}

void Scheduler::end_launch() {
  launch_ = nullptr;
  threadIdx = blockIdx = {0, 0, 0};
  now.launch = now.block = now.barrier = now.who = tick();
}

void Scheduler::run_block(unsigned block) {
  static constexpr uint32_t kLeaveChances[] = {0, 1, 8};
  block_ = block;
  blockIdx = {block, 0, 0};
  leave_chance_ = kLeaveChances[random_.below(3)];
  now.block = now.barrier = tick();
  block_starts_.push_back({now.block, block});
  runnable_ = 0;
  for (Warp& warp : warps_) {
    warp.waiting = warp.at_barrier = warp.exited = 0;
    warp.stamp = tick();
    make_ready(warp, kFullMask);
  }
  choose_warp();
  current_ = &main_;
  switch_to(choose());
  if (error_) {
    for (const auto& lane : lanes_) start_fiber(*lane);
    std::rethrow_exception(std::exchange(error_, nullptr));
  }
}

// One fiber runs one lane of block after block.
fiber Scheduler::run_lane(fiber&& from, Lane& lane) {
  sanitize_arrive(lane, *previous_);
  previous_->fiber = std::move(from);
  for (;;) {
    Lane* next = &main_;
    try {
      body_(argument_);
      lane.warp->exited |= 1u << lane.in_warp;
      next = &choose();
    } catch (...) {
      error_ = std::current_exception();
    }
    switch_to(*next);
  }
}

// Until the current warp has a ready lane; false when the block is done.
bool Scheduler::advance() {
  while (warp_->ready == 0) {
    if (warp_->waiting != 0) {
      resolve(*warp_);
      if (leave_chance_ != 0 && random_.below(16) < leave_chance_) choose_warp();
    } else {
      runnable_ &= ~(1u << warp_->number);
      if (runnable_ == 0) {
        const auto done = [](const Warp& warp) { return warp.exited == kFullMask; };
        if (std::all_of(warps_.begin(), warps_.end(), done)) return false;
        release_barrier();
      }
      choose_warp();
    }
  }
  return true;
}

void Scheduler::choose_warp() {
  uint32_t choices = runnable_;
  for (uint32_t skip = random_.below(__builtin_popcount(choices)); skip > 0; --skip) {
    choices &= choices - 1;
  }
  warp_ = &warps_[__builtin_ctz(choices)];
}

void Scheduler::make_ready(Warp& warp, uint32_t lanes) {
  const uint32_t random = random_.next();
  warp.ready |= lanes;
  warp.step = random | 1;
  warp.start = random >> 8;
  warp.flip = random >> 16;
  warp.position = 0;
  runnable_ |= 1u << warp.number;
}

int64_t Scheduler::block_at(Record access) const {
  const auto after =
      std::upper_bound(block_starts_.begin(), block_starts_.end(), access,
                       [](Record record, const BlockStart& start) { return record < start.time; });
  return after == block_starts_.begin() ? -1 : int64_t{std::prev(after)->block};
}

void set_options(const Options& options) { Scheduler::get().seed(options.seed); }

void launch_lanes(const Launch& launch, void (*body)(void*), void* argument) {
  Scheduler::get().run(launch, body, argument);
}

}  // namespace hitgraph::host_cuda
