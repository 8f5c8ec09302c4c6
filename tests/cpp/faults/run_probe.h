// What every probe ends with: 0 if all agree, 1 if not or if the host's execution reports a
// violation, whose text is printed.
#pragma once

#include <cstdio>
#include <exception>

namespace hitgraph::testing {

inline int run_probe(bool (*all_agree)()) {
  try {
    return all_agree() ? 0 : 1;
  } catch (const std::exception& problem) {
    std::printf("%s\n", problem.what());
    return 1;
  }
}

}  // namespace hitgraph::testing
