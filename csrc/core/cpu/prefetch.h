// What will be read soon and where the processor does not expect it.
#pragma once

#include <cstdint>

namespace hitgraph {

// Asks for the cache lines of `count` values.
template <typename T>
inline void prefetch(const T* begin, int64_t count) {
  constexpr int64_t kLine = 64 / sizeof(T);
  for (int64_t i = 0; i < count; i += kLine) __builtin_prefetch(begin + i);
  // GCC takes a function that only prefetches for one without effects, and drops its calls.
  __asm__ volatile("");
}

}  // namespace hitgraph
