// Random graphs, their types and comparisons, for the tests of what works on graphs.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace hitgraph::testing {

// The end of a random edge, of a Spec with points, k and hubs (0: none). Of seven rows one has no
// edges, one misses none, and the others miss some anywhere.
template <typename Spec>
int64_t end_of_edge(const Spec& spec, int64_t edge, uint64_t draw) {
  const int64_t row = edge / spec.k;
  if (spec.points == 0 || row % 7 == 3 || (row % 7 != 5 && draw % 5 == 0)) return -1;
  const bool to_hub = spec.hubs > 0 && draw % 8 != 1;
  return static_cast<int64_t>(draw / 8 % static_cast<uint64_t>(to_hub ? spec.hubs : spec.points));
}

// Calls check(T, Index, Slot) with values of one combination of types, so that all are among those
// of a loop over sizes that counts spec.seed up.
template <typename Spec, typename Check>
void with_some_types(const Spec& spec, const Check& check) {
  const auto with_slot = [&](auto number, auto index) {
    const bool small = spec.k <= 255 && spec.seed / 4 % 2 == 0;
    small ? check(number, index, uint8_t{}) : check(number, index, int32_t{});
  };
  switch (spec.seed % 4) {
    case 0: return with_slot(float{}, int32_t{});
    case 1: return with_slot(double{}, int64_t{});
    case 2: return with_slot(float{}, int64_t{});
    default: return with_slot(double{}, int32_t{});
  }
}

// The same with the type of a transposed graph's edges: check(T, Index, Slot, Edge).
template <typename Spec, typename Check>
void with_some_edge_types(const Spec& spec, const Check& check) {
  switch (spec.seed % 4) {
    case 0: return check(float{}, int32_t{}, uint8_t{}, int32_t{});
    case 1: return check(double{}, int64_t{}, uint8_t{}, int64_t{});
    case 2: return check(float{}, int64_t{}, int32_t{}, int64_t{});
    default: return check(double{}, int32_t{}, int32_t{}, int32_t{});
  }
}

// Any NaN is as good as another: processors make different ones.
template <typename T>
void expect_same_bits(const std::vector<T>& expected, const std::vector<T>& found,
                      const std::string& what) {
  ASSERT_EQ(expected.size(), found.size()) << what;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (expected[i] != expected[i] && found[i] != found[i]) continue;
    ASSERT_EQ(0, std::memcmp(&expected[i], &found[i], sizeof(T)))
        << what << ", element " << i << ": expected " << +expected[i] << ", got " << +found[i];
  }
}

}  // namespace hitgraph::testing
