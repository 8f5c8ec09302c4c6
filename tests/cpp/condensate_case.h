// Hits to cluster by condensation points, by the definition, by the CPU and by the kernels of the
// GPU on the host.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "clouds.h"
#include "core/condensate.h"
#include "core/distance.h"
#include "host_device.h"
// After the vocabulary.
#include "core/cuda/condensate_launches.h"

namespace hitgraph::testing {

struct Clusters {
  std::vector<int64_t> label, point, point_splits, points;

  bool operator==(const Clusters& other) const {
    return label == other.label && point == other.point && point_splits == other.point_splits &&
           points == other.points;
  }
};

template <typename T>
struct CondensateCase {
  int64_t dim;
  std::vector<int64_t> row_splits;
  std::vector<T> coordinates, beta, radius;  // no radius: all 1
  T beta_threshold = 0, distance_threshold = 0;
  bool nearest = false;

  // Betas of few values, most of them there more than once; some below any threshold.
  CondensateCase(const std::string& cloud, std::vector<int64_t> splits, int64_t dim)
      : dim(dim),
        row_splits(std::move(splits)),
        coordinates(make_cloud<T>(cloud, row_splits.back(), dim)) {
    std::mt19937 random(5);
    for (int64_t i = 0; i < row_splits.back(); ++i) {
      beta.push_back(static_cast<T>(random() % 33) / 32);
    }
  }
  void draw_radii() {
    std::mt19937 random(6);
    radius.clear();
    for (std::size_t i = 0; i < beta.size(); ++i) {
      radius.push_back(static_cast<T>(random() % 4) / 2);
    }
  }
  int64_t hits() const { return static_cast<int64_t>(beta.size()); }
  int64_t events() const { return static_cast<int64_t>(row_splits.size()) - 1; }

  CondensateProblem<T> problem() const {
    return {coordinates.data(),
            beta.data(),
            radius.empty() ? nullptr : radius.data(),
            row_splits.data(),
            hits(),
            events(),
            dim,
            beta_threshold,
            distance_threshold,
            nearest};
  }

  T between(int64_t a, int64_t b) const {
    return squared_distance(coordinates.data() + a * dim, coordinates.data() + b * dim, dim);
  }

  Clusters by_definition() const {
    Clusters result;
    result.label.assign(beta.size(), -1);
    result.point = result.label;
    result.point_splits = {0};
    const bool* everybody = nullptr;
    for (int64_t event = 0; event < events(); ++event) {
      std::vector<int64_t> ranked;
      for (int64_t i = row_splits[event]; i < row_splits[event + 1]; ++i) {
        const bool there = takes_part(coordinates.data(), everybody, i, dim);
        if (there && beta[i] > beta_threshold) ranked.push_back(i);
      }
      std::stable_sort(ranked.begin(), ranked.end(),
                       [&](int64_t a, int64_t b) { return beta[a] > beta[b]; });
      for (const int64_t point : ranked) {
        if (result.label[point] >= 0) continue;
        const T reach = distance_threshold * (radius.empty() ? T(1) : radius[point]);
        for (int64_t i = row_splits[event]; i < row_splits[event + 1]; ++i) {
          const T near = between(i, point);
          if (!takes_part(coordinates.data(), everybody, i, dim) || !(near <= reach * reach)) {
            continue;
          }
          if (result.label[i] >= 0) {
            const T own = between(i, result.point[i]);
            if (!nearest || near > own || (near == own && point > result.point[i])) continue;
          }
          result.label[i] = static_cast<int64_t>(result.points.size()) - result.point_splits.back();
          result.point[i] = point;
        }
        result.points.push_back(point);
      }
      result.point_splits.push_back(static_cast<int64_t>(result.points.size()));
    }
    return result;
  }

  Clusters on_cpu() const {
    Clusters result;
    result.label.resize(beta.size());
    result.point.resize(beta.size());
    result.point_splits.resize(row_splits.size());
    condensate_cpu(problem(), best_simd_level(), Executor(), result.label.data(),
                   result.point.data(), result.point_splits.data(), [&](int64_t count) {
                     result.points.resize(count);
                     return result.points.data();
                   });
    return result;
  }

  Clusters on_host_cuda(uint64_t seed = 1) const {
    host_cuda::set_options({seed});
    HostDevice device;
    host_cuda::Buffer<int64_t> label("label", hits()), point("point", hits());
    host_cuda::Buffer<int64_t> splits("point_splits", events() + 1);
    CondensateInput<T> input{};
    input.hits.points = device.array<T>("points", coordinates);
    input.hits.row_splits = device.array<int64_t>("row_splits", row_splits);
    input.hits.rows = hits();
    input.hits.dim = dim;
    input.hits.segments = events();
    input.beta = device.array<T>("beta", beta);
    if (!radius.empty()) input.radius = device.array<T>("radius", radius);
    input.beta_threshold = beta_threshold;
    input.distance_threshold = distance_threshold;
    input.nearest = nearest;
    input.label = label.view();
    input.point = point.view();
    input.point_splits = splits.view();
    const CondensateLaunch<T> found = launch_condensate(device, input);
    host_cuda::Buffer<int64_t> points("points", splits.values().back());
    launch_point_list(device, found, points.size(), points.view());
    // values() reports an element that no kernel wrote.
    return {label.values(), point.values(), splits.values(), points.values()};
  }
};

}  // namespace hitgraph::testing
