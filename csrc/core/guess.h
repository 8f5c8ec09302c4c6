// What a search may expect of the radius that holds k points, on every device. Host code.
#pragma once

#include <cmath>
#include <cstdint>

namespace hitgraph {

// Volumes grow like radius^dim: a factor of volume as a factor of the squared radius.
template <typename T>
inline T radius2_factor(double volume, int64_t dim) {
  return static_cast<T>(std::pow(volume, 2.0 / static_cast<double>(dim)));
}

// The count of points in a given radius fluctuates like sqrt(k) from query to query: how many more
// than k a guess should hold.
inline int64_t guess_reserve(int64_t k) {
  return 2 + static_cast<int64_t>(1.5 * std::sqrt(static_cast<double>(k)));
}

}  // namespace hitgraph
