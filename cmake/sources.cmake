# The one list of sources, read by every build. No globs: a new file shows up here, in review.
# Paths are relative to the repository root.

set(HITGRAPH_CORE_CPU_SOURCES
  csrc/core/cpu/knn_brute_force.cpp
  csrc/core/cpu/simd_level.cpp)
