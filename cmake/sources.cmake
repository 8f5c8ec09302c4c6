# The one list of sources, read by every build. No globs: a new file shows up here, in review.
# Paths are relative to the repository root.

set(HITGRAPH_CORE_CPU_SOURCES
  csrc/core/cpu/bucket_tree.cpp
  csrc/core/cpu/condensate.cpp
  csrc/core/cpu/condensate_portable.cpp
  csrc/core/cpu/condensation.cpp
  csrc/core/cpu/condensation_objects.cpp
  csrc/core/cpu/condensation_portable.cpp
  csrc/core/cpu/distance2_backward.cpp
  csrc/core/cpu/edge_conv.cpp
  csrc/core/cpu/edge_conv_backward.cpp
  csrc/core/cpu/edge_conv_portable.cpp
  csrc/core/cpu/gravnet.cpp
  csrc/core/cpu/gravnet_backward.cpp
  csrc/core/cpu/gravnet_portable.cpp
  csrc/core/cpu/huge_pages.cpp
  csrc/core/cpu/kd_cut_portable.cpp
  csrc/core/cpu/kd_partition.cpp
  csrc/core/cpu/knn.cpp
  csrc/core/cpu/knn_brute_force.cpp
  csrc/core/cpu/knn_portable.cpp
  csrc/core/cpu/list_rows.cpp
  csrc/core/cpu/numbers_within.cpp
  csrc/core/cpu/radius.cpp
  csrc/core/cpu/radius_brute_force.cpp
  csrc/core/cpu/radius_portable.cpp
  csrc/core/cpu/simd_level.cpp
  csrc/core/cpu/sort_keys.cpp
  csrc/core/cpu/transpose_graph.cpp)

# Compiled for one instruction set each, chosen at run time; x86-64 only.
set(HITGRAPH_CORE_AVX2_SOURCES
  csrc/core/cpu/condensate_avx2.cpp
  csrc/core/cpu/condensation_avx2.cpp
  csrc/core/cpu/edge_conv_avx2.cpp
  csrc/core/cpu/gravnet_avx2.cpp
  csrc/core/cpu/kd_cut_avx2.cpp
  csrc/core/cpu/knn_avx2.cpp
  csrc/core/cpu/radius_avx2.cpp)
set(HITGRAPH_CORE_AVX512_SOURCES
  csrc/core/cpu/condensate_avx512.cpp
  csrc/core/cpu/condensation_avx512.cpp
  csrc/core/cpu/edge_conv_avx512.cpp
  csrc/core/cpu/gravnet_avx512.cpp
  csrc/core/cpu/kd_cut_avx512.cpp
  csrc/core/cpu/knn_avx512.cpp
  csrc/core/cpu/radius_avx512.cpp)

# Compiled by nvcc; no torch header.
set(HITGRAPH_CORE_CUDA_SOURCES
  csrc/core/cuda/condensate.cu
  csrc/core/cuda/condensation.cu
  csrc/core/cuda/edge_conv.cu
  csrc/core/cuda/graph.cu
  csrc/core/cuda/gravnet.cu
  csrc/core/cuda/knn.cu
  csrc/core/cuda/radius.cu
  csrc/core/cuda/tile_search.cu)

set(HITGRAPH_OPS_SOURCES
  csrc/ops/api.cpp
  csrc/ops/autograd/condensation.cpp
  csrc/ops/autograd/edge_conv.cpp
  csrc/ops/autograd/gravnet.cpp
  csrc/ops/autograd/knn.cpp
  csrc/ops/autograd/radius.cpp
  csrc/ops/checks.cpp
  csrc/ops/compat/edge_search.cpp
  csrc/ops/compat/knn_edges.cpp
  csrc/ops/compat/operators.cpp
  csrc/ops/compat/radius_edges.cpp
  csrc/ops/condensate_problem.cpp
  csrc/ops/condensation_problem.cpp
  csrc/ops/cpu/condensate.cpp
  csrc/ops/cpu/condensation.cpp
  csrc/ops/cpu/distance2_backward.cpp
  csrc/ops/cpu/edge_conv.cpp
  csrc/ops/cpu/executor.cpp
  csrc/ops/cpu/gravnet.cpp
  csrc/ops/cpu/knn.cpp
  csrc/ops/cpu/radius.cpp
  csrc/ops/cpu/row_splits.cpp
  csrc/ops/cpu/transpose_graph.cpp
  csrc/ops/edge_conv_problem.cpp
  csrc/ops/edge_conv_products.cpp
  csrc/ops/gravnet_problem.cpp
  csrc/ops/hit_checks.cpp
  csrc/ops/schema.cpp
  csrc/ops/transpose_problem.cpp)

# One of the two: for CUDA tensors, with kernels and without.
set(HITGRAPH_OPS_CUDA_SOURCES
  csrc/ops/cuda/condensate.cpp
  csrc/ops/cuda/condensation.cpp
  csrc/ops/cuda/distance2_backward.cpp
  csrc/ops/cuda/edge_conv.cpp
  csrc/ops/cuda/gravnet.cpp
  csrc/ops/cuda/knn.cpp
  csrc/ops/cuda/radius.cpp
  csrc/ops/cuda/row_splits.cpp
  csrc/ops/cuda/run.cpp
  csrc/ops/cuda/transpose_graph.cpp)
set(HITGRAPH_OPS_WITHOUT_CUDA_SOURCES csrc/ops/cuda/refuse.cpp)

set(HITGRAPH_PYTHON_SOURCES csrc/python/module.cpp)

# CUDA's vocabulary for the host: kernels run in C++ tests, checked.
set(HITGRAPH_HOST_CUDA_SOURCES
  tests/cpp/host_cuda/buffer.cpp
  tests/cpp/host_cuda/rendezvous.cpp
  tests/cpp/host_cuda/scheduler.cpp
  tests/cpp/host_cuda/shared.cpp
  tests/cpp/host_cuda/violation.cpp)

set(HITGRAPH_CPP_TESTS
  tests/cpp/bucket_tree_test.cpp
  tests/cpp/condensation_test.cpp
  tests/cpp/executor_test.cpp
  tests/cpp/graph_test.cpp
  tests/cpp/gravnet_test.cpp
  tests/cpp/kd_cut_test.cpp
  tests/cpp/knn_exact_test.cpp
  tests/cpp/knn_work_test.cpp
  tests/cpp/radius_test.cpp
  tests/cpp/simd_level_test.cpp)

# Those that run kernels on the host.
set(HITGRAPH_HOST_CUDA_TESTS
  tests/cpp/condensate_cuda_test.cpp
  tests/cpp/condensation_cuda_test.cpp
  tests/cpp/edge_conv_cuda_test.cpp
  tests/cpp/graph_cuda_test.cpp
  tests/cpp/gravnet_cuda_test.cpp
  tests/cpp/host_cuda_memory_test.cpp
  tests/cpp/host_cuda_test.cpp
  tests/cpp/knn_cuda_test.cpp
  tests/cpp/knn_cuda_work_test.cpp
  tests/cpp/radius_cuda_test.cpp
  tests/cpp/tile_cuda_test.cpp)
