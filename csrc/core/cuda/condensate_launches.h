// The launches of condensate, for any Device (see forest_build.h), in two halves: between them the
// host learns how many points there are.
#pragma once

#include "core/cuda/condensate.cuh"
#include "core/cuda/event_order_launches.h"
#include "core/cuda/forest_build.h"

namespace hitgraph {

template <typename T>
struct CondensateInput {
  ForestInput<T> hits;
  Global<const T> beta, radius;
  T beta_threshold = 0, distance_threshold = 0;
  bool nearest = false;
  Global<int64_t> label, point, point_splits;
};

// One block works on an event: a large one should keep a multiprocessor busy, small ones share it.
inline int point_threads(int64_t hits) { return hits > 4096 ? kMostPointThreads : 256; }

// The first half: labels, the hits' points and the splits, whose last is the number of points.
template <typename T, typename Device>
CondensateLaunch<T> launch_condensate(Device& device, const CondensateInput<T>& input) {
  const int64_t hits = input.hits.rows, events = input.hits.segments;
  CondensateLaunch<T> problem{};
  problem.beta = input.beta;
  problem.radius = input.radius;
  problem.beta_threshold = input.beta_threshold;
  problem.distance_threshold = input.distance_threshold;
  problem.nearest = input.nearest;
  problem.label = input.label;
  problem.point = input.point;
  problem.point_splits = input.point_splits;
  problem.counts = device.template array<int64_t>("counts", events + 1);
  problem.taken = device.template array<int32_t>("taken", hits);
  problem.found = device.template array<int32_t>("found", hits);
  problem.ranked = event_order<BetaKey<T>>(device, input.hits.row_splits, hits, events);
  problem.ranked.order = device.template array<int32_t>("ranked", hits);
  device.zero(problem.counts, events + 1);
  if (events > 0) problem.forest = build_forest(device, input.hits, true);
  device.launch("put_candidates", put_candidates<T>, event_blocks(hits), kEventThreads, 0, problem);
  if (events > 0) {
    launch_event_order(device, problem.ranked);
    device.launch("find_points", find_points<T>, events, point_threads(hits), point_bytes(),
                  problem);
    device.launch("assign_hits", assign_hits<T>, event_blocks(problem.forest.buckets * kWarpSize),
                  kEventThreads, 0, problem);
  }
  device.exclusive_scan(problem.counts, problem.point_splits, events + 1);
  return problem;
}

// The second.
template <typename T, typename Device>
void launch_point_list(Device& device, CondensateLaunch<T> problem, int64_t points,
                       Global<int64_t> rows) {
  problem.all_points = points;
  problem.points = rows;
  device.launch("list_points", list_points<T>, event_blocks(points), kEventThreads, 0, problem);
}

}  // namespace hitgraph
