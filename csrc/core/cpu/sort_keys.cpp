#include "core/cpu/sort_keys.h"

#include <algorithm>

namespace hitgraph {

void sort_keys(FloatKey* keys, int64_t count) { std::sort(keys, keys + count); }

void sort_keys(DoubleKey* keys, int64_t count) {
  std::sort(keys, keys + count, [](const DoubleKey& a, const DoubleKey& b) {
    return a.distance2 != b.distance2 ? a.distance2 < b.distance2 : a.index < b.index;
  });
}

}  // namespace hitgraph
