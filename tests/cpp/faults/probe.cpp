// A small run of every kernel of the CUDA search and of its gradient: says what is wrong with it,
// in one line, and returns 1. Compiled by faults.py, with a fault and without.
#include <cstdio>

#include "clouds.h"
#include "faults/run_probe.h"
#include "host_knn.h"
// After the vocabulary.
#include "core/cuda/graph_launches.h"

namespace hitgraph::testing {
namespace {

// Points that coincide many times, in no order: boxes are points, and bounds are distances.
KnnCase<float> copies(int64_t n, int64_t dim) {
  std::vector<float> points = make_cloud<float>("uniform", n, dim, 3);
  for (int64_t i = 10; i < n; ++i) {
    std::copy_n(points.begin() + i * 7 % 10 * dim, dim, points.begin() + i * dim);
  }
  return {points, dim};
}

bool agrees(const char* name, const KnnCase<float>& knn, int64_t k, uint64_t seed) {
  HostRun run;
  run.seed = seed;
  const Rows<float> truth = knn.search(k, best_simd_level());
  const Rows<float> found = search_on_host_cuda(knn, k, run);
  for (std::size_t i = 0; i < truth.index.size(); ++i) {
    if (truth.index[i] == found.index[i] && truth.distance2[i] == found.distance2[i]) continue;
    std::printf("[wrong rows] %s, k = %d: row %d, column %d\n", name, static_cast<int>(k),
                static_cast<int>(i / k), static_cast<int>(i % k));
    return false;
  }
  return true;
}

bool backward_runs() {
  HostDevice device;
  constexpr int64_t kRows = 150, k = 20, kPoints = 40;
  std::vector<int64_t> index(kRows * k);
  for (std::size_t i = 0; i < index.size(); ++i)
    index[i] = static_cast<int64_t>(i % 3 ? i % 2 : i % kPoints);
  host_cuda::Buffer<float> by_queries("grad_queries", kRows), by_points("grad_points", kPoints);
  Distance2Gradient<float, int64_t, int32_t> problem{};
  problem.grad = device.array<float>("grad", std::vector<float>(kRows * k, 1.0f));
  problem.queries = device.array<float>("queries", std::vector<float>(kRows, 1.0f));
  problem.points = device.array<float>("points", std::vector<float>(kPoints, 0.0f));
  const Global<int64_t> ends = device.array<int64_t>("index", index);
  const Global<int64_t> offsets = device.array<int64_t>("offsets", kPoints + 1);
  const Global<int32_t> edges = device.array<int32_t>("edges", kRows * k);
  launch_transpose<int32_t, int64_t>(device, ends, kRows * k, kPoints, offsets, edges);
  problem.index = ends;
  problem.graph = transposed_graph<int32_t>(kPoints, kRows * k, offsets, edges);
  problem.rows = kRows;
  problem.k = k;
  problem.dim = 1;
  problem.grad_queries = by_queries.view();
  problem.grad_points = by_points.view();
  launch_distance2_backward(device, problem);
  std::vector<float> expected(kPoints, 0.0f);
  for (const int64_t point : index) expected[point] -= 2;
  if (by_points.values() == expected) return true;
  std::printf("[wrong rows] distance2_backward\n");
  return false;
}

bool far_rows_agree() {
  KnnCase<float> knn(make_cloud<float>("uniform", 1010, 2), 2);
  knn.include_self = true;
  const Rows<float> truth = knn.search(1000, best_simd_level());
  const Rows<float> found = search_far_rows(knn, 2, 1000, 3'000'000);
  if (std::equal(found.index.begin(), found.index.end(), truth.index.begin())) return true;
  std::printf("[wrong rows] beyond 32 bits\n");
  return false;
}

bool all_agree() {
  for (uint64_t seed = 1; seed <= 2; ++seed) {
    for (const char* name : {"uniform", "lattice", "half_equal", "non_finite"}) {
      for (const int64_t dim : {2, 3}) {
        KnnCase<float> knn(make_cloud<float>(name, 200, dim), dim);
        if (!agrees(name, knn, 5, seed) || !agrees(name, knn, 40, seed)) return false;
      }
    }
    for (const int64_t dim : {3, 5, 16}) {
      if (!agrees("copies", copies(700, dim), 100, seed)) return false;
    }
    KnnCase<float> split(make_cloud<float>("clusters", 5000, 2), 2);
    split.row_splits = {0, 0, 700, 4400, 5000};
    split.point_mask = Mask::where(5000, [](int64_t i) { return i % 5 != 0; });
    split.query_mask = Mask::where(5000, [](int64_t i) { return i % 9 == 0; });
    if (!agrees("segments", split, 12, seed)) return false;
  }
  return far_rows_agree() && backward_runs();
}

}  // namespace
}  // namespace hitgraph::testing

int main() { return hitgraph::testing::run_probe(hitgraph::testing::all_agree); }
