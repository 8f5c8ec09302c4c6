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

// One segment is given to the device without row_splits, as the operator does.
template <typename T>
SearchInput<T> device_search(HostDevice& device, const KnnCase<T>& knn) {
  const SearchProblem<T> problem = knn.problem(1);
  const auto set = [&](const PointSet<T>& from, const Mask& mask) {
    ForestInput<T> to;
    to.points = device_array(device, "points", from.coordinates, from.size * problem.dim);
    if (problem.segments > 1) {
      to.row_splits = device_array(device, "row_splits", from.row_splits, problem.segments + 1);
    }
    to.mask = device_mask(device, "mask", mask, from.size);
    to.rows = from.size;
    to.dim = problem.dim;
    to.segments = problem.segments;
    return to;
  };
  SearchInput<T> input;
  input.points = set(problem.points, knn.point_mask);
  input.queries = set(problem.queries, knn.query_mask);
  set_roles(input, problem);
  return input;
}

template <typename T>
KnnInput<T> device_input(HostDevice& device, const KnnCase<T>& knn, int64_t k) {
  KnnInput<T> input;
  static_cast<SearchInput<T>&>(input) = device_search(device, knn);
  input.k = k;
  return input;
}

struct HostRun {
  uint64_t seed = 1;
  int64_t shared_bytes = HostDevice::kAmpere;
  KnnCounters* counters = nullptr;
  int64_t* bucket_tests = nullptr;
  bool boxes = false;  // in many dimensions too, however few the points
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
  input.found = neighbours<T>(index.view(), distance2.view());
  if (run.boxes) input.few_points = -1;
  if (run.counters != nullptr) input.counters = counters.view();
  launch_knn(device, input);
  if (run.counters != nullptr) {
    const unsigned long long* work = counters.data();
    *run.counters = {static_cast<int64_t>(work[kQueries]),  static_cast<int64_t>(work[kCandidates]),
                     static_cast<int64_t>(work[kBuckets]),  static_cast<int64_t>(work[kNodes]),
                     static_cast<int64_t>(work[kAccepted]), static_cast<int64_t>(work[kSelections]),
                     static_cast<int64_t>(work[kRestarts])};
  }
  if (run.bucket_tests != nullptr) {
    *run.bucket_tests = static_cast<int64_t>(counters.data()[kBucketTests]);
  }
  // values() reports an element that no kernel wrote.
  return {index.values(), distance2.values()};
}

// The first `asking` points ask, as if they were the rows from `first_row` on of a huge set of
// queries: no array is that long, the views begin elsewhere. Self is included.
inline Rows<float> search_far_rows(const KnnCase<float>& knn, int32_t asking, int64_t k,
                                   int32_t first_row) {
  HostDevice device;
  KnnInput<float> input = device_input(device, knn, k);
  host_cuda::Buffer<int64_t> index("index", asking * k);
  host_cuda::Buffer<float> distance2("distance2", asking * k);
  input.found = neighbours<float>(index.view() - first_row * k, distance2.view() - first_row * k);
  input.exclude_self = false;
  const Forest<float> points = build_forest(device, input.points, true);
  KnnLaunch<float> launch = search_launch(
      input, points, points, search_sizes(k, points.dim, points.levels, 4, HostDevice::kAmpere));
  std::vector<int32_t> rows(static_cast<std::size_t>(asking));
  std::iota(rows.begin(), rows.end(), first_row);
  launch.queries.coordinates = input.points.points - first_row * knn.dim;
  launch.queries.index = device.array<int32_t>("query_index", rows);
  launch.queries.begin = device.array<int32_t>("query_begin", std::vector<int32_t>{0, asking});
  launch.queries.segment = device.array<int32_t>("query_segment", std::vector<int32_t>{0});
  launch.queries.buckets = 1;
  launch_search(device, launch);
  return {index.values(), distance2.values()};
}

}  // namespace hitgraph::testing
