// One call of the CUDA search, on the host.
#pragma once

#include "host_device.h"
// After the vocabulary.
#include "core/cuda/knn_launches.h"
#include "knn_case.h"

namespace hitgraph::testing {

template <typename T>
Global<const T> device_array(HostDevice& device, const char* name, const T* values, int64_t count) {
  if (values == nullptr) return nullptr;
  return device.array<T>(name, std::vector<T>(values, values + count));
}

// std::vector<bool> again.
inline Global<const bool> device_mask(HostDevice& device, const char* name, const Mask& mask,
                                      int64_t count) {
  if (mask.get() == nullptr) return nullptr;
  const Global<bool> array = device.array<bool>(name, count);
  std::copy_n(mask.get(), count, host_cuda::data(array));
  host_cuda::mark_written(array, count);
  return array;
}

template <typename T>
KnnInput<T> device_input(HostDevice& device, const KnnCase<T>& knn, int64_t k) {
  const KnnProblem<T> problem = knn.problem(k);
  const auto set = [&](const PointSet<T>& from, const Mask& mask) {
    ForestInput<T> to;
    to.points = device_array(device, "points", from.coordinates, from.size * problem.dim);
    // One segment is given to the device without row_splits, as the operator does.
    if (problem.segments > 1) {
      to.row_splits = device_array(device, "row_splits", from.row_splits, problem.segments + 1);
    }
    to.mask = device_mask(device, "mask", mask, from.size);
    to.rows = from.size;
    to.dim = problem.dim;
    to.segments = problem.segments;
    return to;
  };
  KnnInput<T> input;
  input.points = set(problem.points, knn.point_mask);
  input.queries = set(problem.queries, knn.query_mask);
  input.own_queries =
      problem.self_queries && problem.points.mask == nullptr && problem.queries.mask == nullptr;
  input.exclude_self = problem.self_queries && !problem.include_self;
  input.k = k;
  input.max_distance2 = problem.max_distance2;
  input.query_rows = problem.queries.size;
  return input;
}

struct HostRun {
  uint64_t seed = 1;
  int64_t shared_bytes = HostDevice::kAmpere;
  KnnCounters* counters = nullptr;
};

// As KnnCase::search, by the kernels of the GPU.
template <typename T, typename Index = int64_t>
Rows<T, Index> search_on_host_cuda(const KnnCase<T>& knn, int64_t k, const HostRun& run = {}) {
  host_cuda::set_options({run.seed});
  HostDevice device(run.shared_bytes);
  KnnInput<T> input = device_input(device, knn, k);
  const int64_t size = knn.query_count() * k;
  host_cuda::Buffer<Index> index("index", size);
  host_cuda::Buffer<T> distance2("distance2", size);
  host_cuda::Buffer<unsigned long long> counters("counters", kCounters);
  counters.zero();
  if constexpr (sizeof(Index) == 4) {
    input.index32 = index.view();
  } else {
    input.index64 = index.view();
  }
  input.distance2 = distance2.view();
  if (run.counters != nullptr) input.counters = counters.view();
  launch_knn(device, input);
  if (run.counters != nullptr) {
    const unsigned long long* work = counters.data();
    *run.counters = {static_cast<int64_t>(work[kQueries]),  static_cast<int64_t>(work[kCandidates]),
                     static_cast<int64_t>(work[kBuckets]),  static_cast<int64_t>(work[kNodes]),
                     static_cast<int64_t>(work[kAccepted]), static_cast<int64_t>(work[kSelections]),
                     static_cast<int64_t>(work[kRestarts])};
  }
  // values() reports an element that no kernel wrote.
  return {index.values(), distance2.values()};
}

}  // namespace hitgraph::testing
