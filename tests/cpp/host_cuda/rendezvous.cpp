// Who waits for whom: groups of a warp that are complete, the barrier of the block, and what to say
// when neither can ever be.
#include <cstdio>
#include <string>

#include "host_cuda/scheduler.h"
#include "host_cuda/violation.h"

namespace hitgraph::host_cuda {
namespace {

std::string lanes_text(uint32_t mask) {
  char text[16];
  std::snprintf(text, sizeof(text), "0x%08x", mask);
  return text;
}

}  // namespace

const char* kind_name(Kind kind) {
  switch (kind) {
    case Kind::kShfl: return "__shfl_sync";
    case Kind::kShflUp: return "__shfl_up_sync";
    case Kind::kShflDown: return "__shfl_down_sync";
    case Kind::kShflXor: return "__shfl_xor_sync";
    case Kind::kBallot: return "__ballot_sync";
    case Kind::kAny: return "__any_sync";
    case Kind::kAll: return "__all_sync";
    case Kind::kSyncwarp: return "__syncwarp";
    case Kind::kBarrier: return "__syncthreads";
  }
  return "";
}

uint64_t Scheduler::rendezvous(Kind kind, uint32_t mask, uint64_t operand, uint32_t source,
                               Site site) {
  Warp& warp = *warp_;
  const unsigned lane = current_->in_warp;
  if ((mask >> lane & mask >> source & 1) == 0) report_mask(kind, mask, source, site);
  warp.key[lane] = make_key(kind, mask, site);
  warp.operand[lane] = operand;
  warp.source[lane] = static_cast<uint8_t>(source);
  warp.waiting |= 1u << lane;
  suspend();
  return warp.result[lane];
}

void Scheduler::barrier(Site site) {
  Warp& warp = *warp_;
  warp.key[current_->in_warp] = make_key(Kind::kBarrier, kFullMask, site);
  warp.at_barrier |= 1u << current_->in_warp;
  suspend();
}

// Sets free every group of lanes that wait at one place with one mask and are all of that mask.
void Scheduler::resolve(Warp& warp) {
  if (warp.waiting == kFullMask && mask_of(warp.key[0]) == kFullMask) {
    Key different = 0;
    for (unsigned lane = 1; lane < kWarp; ++lane) different |= warp.key[lane] ^ warp.key[0];
    if (different == 0) {
      complete(warp, kFullMask);
      return;
    }
  }
  for (uint32_t left = warp.waiting; left != 0;) {
    const Key key = warp.key[__builtin_ctz(left)];
    uint32_t group = 0;
    for (uint32_t rest = left; rest != 0; rest &= rest - 1) {
      const unsigned lane = static_cast<unsigned>(__builtin_ctz(rest));
      if (warp.key[lane] == key) group |= 1u << lane;
    }
    left &= ~group;
    if (group == mask_of(key)) complete(warp, group);
  }
  if (warp.ready == 0) report_stuck(warp);
}

void Scheduler::complete(Warp& warp, uint32_t group) {
  const Kind kind = kind_of(warp.key[__builtin_ctz(group)]);
  if (kind <= Kind::kShflXor) {
    for (uint32_t rest = group; rest != 0; rest &= rest - 1) {
      const int lane = __builtin_ctz(rest);
      warp.result[lane] = warp.operand[warp.source[lane]];
    }
  } else if (kind != Kind::kSyncwarp) {
    uint32_t votes = 0;
    for (uint32_t rest = group; rest != 0; rest &= rest - 1) {
      const int lane = __builtin_ctz(rest);
      votes |= static_cast<uint32_t>(warp.operand[lane]) << lane;
    }
    const uint32_t result = kind == Kind::kBallot ? votes
                            : kind == Kind::kAny  ? votes != 0
                                                  : votes == group;
    for (uint32_t rest = group; rest != 0; rest &= rest - 1) {
      warp.result[__builtin_ctz(rest)] = result;
    }
  } else if (group == kFullMask) {
    warp.stamp = tick();
    // The lane that resolves may go on without a switch.
    now.who = warp.stamp | current_->thread_bits;
  }
  warp.waiting &= ~group;
  make_ready(warp, group);
}

// No warp can go on: all lanes of the block have arrived at one barrier, or never will.
void Scheduler::release_barrier() {
  const Warp* first = nullptr;
  for (const Warp& warp : warps_) {
    if (warp.at_barrier != 0 && first == nullptr) first = &warp;
  }
  const unsigned waiting = static_cast<unsigned>(__builtin_ctz(first->at_barrier));
  const Key key = first->key[waiting];
  for (const Warp& warp : warps_) {
    for (unsigned lane = 0; lane < kWarp; ++lane) {
      if ((warp.at_barrier >> lane & 1) == 0 || warp.key[lane] != key) {
        report_missing(*first, waiting, warp, lane);
      }
    }
  }
  now.barrier = tick();
  for (Warp& warp : warps_) {
    warp.stamp = tick();
    warp.at_barrier = 0;
    make_ready(warp, kFullMask);
  }
  now.who = current_->warp->stamp | current_->thread_bits;
}

void Scheduler::report_mask(Kind kind, uint32_t mask, uint32_t source, Site site) {
  const int thread = static_cast<int>(current_->thread);
  const std::string name = kind_name(kind);
  if ((mask >> current_->in_warp & 1) == 0) {
    violate_at("mask", thread, site,
               name + " with mask " + lanes_text(mask) + ", which does not name the lane itself");
  }
  violate_at("shuffle source", thread, site,
             name + " reads from lane " + std::to_string(source) +
                 " of the warp, outside its mask " + lanes_text(mask));
}

void Scheduler::report_stuck(const Warp& warp) {
  for (uint32_t rest = warp.waiting; rest != 0; rest &= rest - 1) {
    const unsigned lane = static_cast<unsigned>(__builtin_ctz(rest));
    const Key key = warp.key[lane];
    const uint32_t mask = mask_of(key);
    for (uint32_t named = mask; named != 0; named &= named - 1) {
      const unsigned other = static_cast<unsigned>(__builtin_ctz(named));
      const Key others = warp.key[other];
      if ((warp.waiting >> other & 1) == 0 || kind_of(others) != kind_of(key) ||
          site_of(others) != site_of(key)) {
        report_missing(warp, lane, warp, other);
      }
    }
  }
  const unsigned lane = static_cast<unsigned>(__builtin_ctz(warp.waiting));
  const Key key = warp.key[lane];
  uint32_t named = mask_of(key);
  while (warp.key[__builtin_ctz(named)] == key) named &= named - 1;
  const unsigned other = static_cast<unsigned>(__builtin_ctz(named));
  violate_at("mask", static_cast<int>(warp.number * kWarp + lane), site_of(key),
             std::string(kind_name(kind_of(key))) + " with mask " + lanes_text(mask_of(key)) +
                 ", and lane " + std::to_string(warp.number * kWarp + other) + " with mask " +
                 lanes_text(mask_of(warp.key[other])));
}

void Scheduler::report_missing(const Warp& warp, unsigned lane, const Warp& other_warp,
                               unsigned other) {
  const Key key = warp.key[lane], others = other_warp.key[other];
  const bool exited = (other_warp.exited >> other & 1) != 0;
  violate_at("missed collective", static_cast<int>(warp.number * kWarp + lane), site_of(key),
             std::string(kind_name(kind_of(key))) + " waits for lane " +
                 std::to_string(other_warp.number * kWarp + other) + ", which " +
                 (exited ? "has exited"
                         : std::string("waits at ") + kind_name(kind_of(others)) + ", " +
                               site_text(site_of(others))));
}

uint64_t rendezvous(Kind kind, uint32_t mask, uint64_t operand, uint32_t source, Site site) {
  return Scheduler::get().rendezvous(kind, mask, operand, source, site);
}

void barrier(Site site) { Scheduler::get().barrier(site); }

void bad_width(int width, const char* file, int line) {
  violate("shuffle source", file, line,
          "a width of " + std::to_string(width) + ": expected a power of two up to 32");
}

}  // namespace hitgraph::host_cuda
