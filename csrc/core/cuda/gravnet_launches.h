// The launches of GravNet's aggregation and of its gradient, for any Device (see forest_build.h).
#pragma once

#include "core/cuda/gravnet.cuh"
#include "core/cuda/gravnet_backward.cuh"
#include "core/cuda/row_launches.h"

namespace hitgraph {

template <typename T, typename Index, typename Slot, typename Device>
void launch_gravnet_aggregate(Device& device, GravnetAggregate<T, Index, Slot> problem) {
  constexpr int kWidth = kVectorWidth<T>;
  GravnetEdges<T, Index>& edges = problem.edges;
  const int64_t channels = edges.channels;
  edges.group = row_group_lanes<T>(channels);
  const bool vectors = channels % kWidth == 0 &&
                       holds_vectors<kWidth, const T>(edges.features, channels) &&
                       holds_vectors<kWidth, T>(problem.total, channels) &&
                       holds_vectors<kWidth, T>(problem.maximum, channels) &&
                       holds_vectors<kWidth, Slot>(problem.slot, channels);
  // Without a maximum the type of a slot makes no difference.
  const auto launch = [&](auto* with_maximum, auto* without) {
    const int64_t blocks = group_blocks(edges.rows, edges.group, kGravnetThreads);
    if (problem.maximum != nullptr) {
      device.launch("aggregate_rows", with_maximum, blocks, kGravnetThreads, 0, problem);
    } else {
      const GravnetAggregate<T, Index, uint8_t> totals{
          edges, problem.missing_is_zero, problem.divisor, problem.total, nullptr, nullptr};
      device.launch("aggregate_rows", without, blocks, kGravnetThreads, 0, totals);
    }
  };
  if (vectors) {
    launch(aggregate_rows<T, Index, Slot, true, true>,
           aggregate_rows<T, Index, uint8_t, true, false>);
  } else {
    launch(aggregate_rows<T, Index, Slot, false, true>,
           aggregate_rows<T, Index, uint8_t, false, false>);
  }
}

template <typename T, typename Index, typename Slot, typename Edge>
struct GravnetBackward {
  GravnetEdges<T, Index> edges;
  Divisor divisor;
  GravnetGradients<T, Slot> gradients;
  Global<const int64_t> offsets;         // of the transposed graph
  Global<const Edge> transposed;         // and its edges
  Global<T> grad_values, grad_features;  // null: not wanted

  bool holds_gradient_vectors() const {
    constexpr int kWidth = kVectorWidth<T>;
    return edges.channels % kWidth == 0 &&
           holds_vectors<kWidth, const T>(gradients.total, gradients.total_stride) &&
           holds_vectors<kWidth, const T>(gradients.maximum, gradients.maximum_stride) &&
           holds_vectors<kWidth, const Slot>(gradients.slot, edges.channels);
  }
};

// The gradient by the values.
template <typename T, typename Index, typename Slot, typename Edge, typename Device>
void launch_gravnet_rows(Device& device, const GravnetBackward<T, Index, Slot, Edge>& problem) {
  const GravnetEdges<T, Index>& edges = problem.edges;
  const GravnetRows<T, Index, Slot> rows{edges, problem.gradients, problem.grad_values};
  const bool vectors = problem.holds_gradient_vectors() &&
                       holds_vectors<kVectorWidth<T>, const T>(edges.features, edges.channels);
  device.launch("differentiate_rows",
                vectors ? differentiate_rows<T, Index, Slot, true>
                        : differentiate_rows<T, Index, Slot, false>,
                group_blocks(edges.rows, edges.group, kGravnetThreads), kGravnetThreads, 0, rows);
}

// The gradient by the features.
template <typename T, typename Index, typename Slot, typename Edge, typename Device>
void launch_gravnet_points(Device& device, const GravnetBackward<T, Index, Slot, Edge>& problem) {
  const GravnetEdges<T, Index>& edges = problem.edges;
  GravnetPoints<T, Slot, Edge> points{};
  points.gradients = problem.gradients;
  points.values = edges.values;
  points.weighting = edges.weighting;
  points.k = edges.k;
  points.points = edges.points;
  points.channels = edges.channels;
  points.group = edges.group;
  points.offsets = problem.offsets;
  points.edges = problem.transposed;
  points.grad_features = problem.grad_features;
  points.pieces = HubPiece::count(edges.rows * edges.k);
  points.partial = device.template array<T>("partial", points.pieces * edges.channels);
  const bool vectors = problem.holds_gradient_vectors() &&
                       holds_vectors<kVectorWidth<T>, T>(problem.grad_features, edges.channels);
  device.launch(
      "sum_hub_pieces",
      vectors ? sum_hub_pieces<T, Slot, Edge, true> : sum_hub_pieces<T, Slot, Edge, false>,
      group_blocks(points.pieces, points.group, kGravnetThreads), kGravnetThreads, 0, points);
  device.launch(
      "sum_points", vectors ? sum_points<T, Slot, Edge, true> : sum_points<T, Slot, Edge, false>,
      group_blocks(points.points, points.group, kGravnetThreads), kGravnetThreads, 0, points);
}

// `problem` without groups and divisors.
template <typename T, typename Index, typename Slot, typename Edge, typename Device>
void launch_gravnet_backward(Device& device, GravnetBackward<T, Index, Slot, Edge> problem) {
  GravnetEdges<T, Index>& edges = problem.edges;
  edges.group = row_group_lanes<T>(edges.channels);
  if (edges.channels == 0) {  // nothing to read; the gradients by the values are zero
    edges.points = 0;
    problem.gradients.total = problem.gradients.maximum = nullptr;
  }
  problem.gradients.divisor = gravnet_divisor<T>(problem.divisor, edges.k, 0);
  if (problem.divisor == Divisor::kPresent && problem.gradients.total != nullptr) {
    const GravnetDivisors<T, Index> counted{edges,
                                            device.template array<T>("divisors", edges.rows)};
    problem.gradients.divisors = counted.divisors;
    device.launch("count_present", count_present<T, Index>,
                  group_blocks(edges.rows, kWarpSize, kGravnetThreads), kGravnetThreads, 0,
                  counted);
  }
  if (problem.grad_values != nullptr) launch_gravnet_rows(device, problem);
  if (problem.grad_features != nullptr) launch_gravnet_points(device, problem);
}

}  // namespace hitgraph
