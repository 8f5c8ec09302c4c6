#include <algorithm>
#include <atomic>
#include <limits>
#include <type_traits>

#include "core/graph.h"

namespace hitgraph {
namespace {

int32_t number_of(uint8_t value) { return value == 255 ? -1 : value; }
int32_t number_of(int32_t value) { return value; }
int64_t number_of(int64_t value) { return value; }

}  // namespace

// Every operator on a graph comes through here, so a number costs no branch, and no comparison
// either: the oldest vector instructions have none for 64 bits. The sign of number - lowest or that
// of past - 1 - number tells one that is outside, and neither overflows unless the other is
// negative.
template <typename Integer>
bool numbers_within(const Integer* numbers, int64_t count, int64_t lowest, int64_t past,
                    const Executor& executor) {
  using Number = decltype(number_of(Integer{}));
  using Bits = std::make_unsigned_t<Number>;
  const int64_t most = std::numeric_limits<Number>::max() - 1;
  const auto low = static_cast<Bits>(lowest), high = static_cast<Bits>(std::min(past - 1, most));
  const Bits bounded = past - 1 > most ? 0 : ~Bits{0};  // by less than the type is
  constexpr int64_t kShare = 1 << 16;
  std::atomic<bool> all{true};
  for_each_task(executor, (count + kShare - 1) / kShare, 1, [&](int64_t share, int) {
    const int64_t end = std::min(count, (share + 1) * kShare);
    Bits outside = 0;
    for (int64_t i = share * kShare; i < end; ++i) {
      const auto number = static_cast<Bits>(number_of(numbers[i]));
      outside |= (number - low) | ((high - number) & bounded);
    }
    if (static_cast<Number>(outside) < 0) all = false;
  });
  return all;
}

#define HITGRAPH_INSTANTIATE(Integer) \
  template bool numbers_within(const Integer*, int64_t, int64_t, int64_t, const Executor&);
HITGRAPH_INSTANTIATE(uint8_t)
HITGRAPH_INSTANTIATE(int32_t)
HITGRAPH_INSTANTIATE(int64_t)
#undef HITGRAPH_INSTANTIATE

}  // namespace hitgraph
