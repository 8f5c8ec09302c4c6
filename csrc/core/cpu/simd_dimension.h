// The dimensions that searches are unrolled for.
#pragma once

#include <cstdint>
#include <type_traits>

namespace hitgraph {

// choose(std::integral_constant<int, d>()) for d = 1 ... 8, and d = 0, known at run time, beyond.
template <typename Choose>
auto for_dimension(int64_t dim, const Choose& choose) {
  switch (dim) {
    case 1: return choose(std::integral_constant<int, 1>());
    case 2: return choose(std::integral_constant<int, 2>());
    case 3: return choose(std::integral_constant<int, 3>());
    case 4: return choose(std::integral_constant<int, 4>());
    case 5: return choose(std::integral_constant<int, 5>());
    case 6: return choose(std::integral_constant<int, 6>());
    case 7: return choose(std::integral_constant<int, 7>());
    case 8: return choose(std::integral_constant<int, 8>());
    default: return choose(std::integral_constant<int, 0>());
  }
}

}  // namespace hitgraph
