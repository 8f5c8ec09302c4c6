// What a check found.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "host_cuda/trace.h"

namespace hitgraph::host_cuda {

// [shared race] knn_search block 3 lane 7, csrc/core/cuda/knn_search.cuh:123: what happened
struct Violation : std::runtime_error {
  std::string kind, kernel;  // kind without its brackets; kernel empty: found outside a launch
  int64_t block = -1;
  int lane = -1;  // the thread in its block; -1: no lane's doing
  std::string file;
  int line = 0;

  Violation(std::string kind, std::string kernel, int64_t block, int lane, std::string file,
            int line, const std::string& what);
};

// By the lane that runs now.
[[noreturn]] void violate(const char* kind, const char* file, int line, const std::string& what);
// By lane `thread` of the block that runs now, at a place where it waits.
[[noreturn]] void violate_at(const char* kind, int thread, Site site, const std::string& what);
// By the launch as a whole.
[[noreturn]] void violate_launch(const char* kind, const std::string& what);

// "writes x that lane 5 read at file:line, no barrier between".
std::string describe_race(Access access, const std::string& what, bool earlier_is_read,
                          Record earlier);

}  // namespace hitgraph::host_cuda
