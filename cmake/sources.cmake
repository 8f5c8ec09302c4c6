# The one list of sources, read by every build. No globs: a new file shows up here, in review.
# Paths are relative to the repository root.

set(HITGRAPH_CORE_CPU_SOURCES
  csrc/core/cpu/bucket_tree.cpp
  csrc/core/cpu/kd_partition.cpp
  csrc/core/cpu/knn.cpp
  csrc/core/cpu/knn_brute_force.cpp
  csrc/core/cpu/knn_portable.cpp
  csrc/core/cpu/simd_level.cpp
  csrc/core/cpu/sort_keys.cpp)
