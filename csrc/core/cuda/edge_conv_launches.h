// The launches of EdgeConv's linear edge network and of its gradient, for any Device (see
// forest_build.h).
#pragma once

#include "core/cuda/edge_conv.cuh"
#include "core/cuda/edge_conv_backward.cuh"
#include "core/cuda/row_launches.h"

namespace hitgraph {

// So many shares keep a GPU busy and are soon joined.
constexpr int64_t kMostShares = 2048;

// Of at least a row a group.
inline RowShares row_shares(int64_t rows, int group) {
  const int64_t groups = kEdgeConvThreads / group;
  const int64_t each = larger<int64_t>((rows + kMostShares - 1) / kMostShares, groups);
  const int64_t whole = (each + groups - 1) / groups * groups;
  return {whole, (rows + whole - 1) / whole};
}

inline int64_t join_blocks(int64_t channels) { return (channels + kWarpSize - 1) / kWarpSize; }

template <typename T, typename Index>
bool products_hold_vectors(const EdgeConvEdges<T, Index>& edges) {
  constexpr int kWidth = kVectorWidth<T>;
  return edges.channels % kWidth == 0 &&
         holds_vectors<kWidth, const T>(edges.center, edges.center_stride) &&
         holds_vectors<kWidth, const T>(edges.neighbour, edges.neighbour_stride);
}

// The layer's own arrays: no strides, but a start that may be anywhere.
template <typename T>
bool layer_holds_vectors(const EdgeConvNormal<T>& normal) {
  constexpr int kWidth = kVectorWidth<T>;
  return holds_vectors<kWidth, const T>(normal.scale, 0) &&
         holds_vectors<kWidth, const T>(normal.shift, 0) &&
         holds_vectors<kWidth, T>(normal.mean, 0);
}

template <typename T, typename Index, typename Slot>
struct EdgeConvForward {
  EdgeConvEdges<T, Index> edges;
  EdgeConvNormal<T> normal;  // without inverse and factor
  Global<T> value;           // (rows, channels)
  Global<Slot> slot;
};

// The mean over all edges, and their number in joined.edges.
template <typename T, typename Index, typename Device>
void launch_means(Device& device, const EdgeConvEdges<T, Index>& edges, JoinedColumns<T>& joined,
                  bool vectors) {
  EdgeDegrees<Index> degrees{};
  degrees.graph = edges;
  degrees.of_rows = device.template array<int32_t>("of_rows", edges.rows);
  degrees.of_points = device.template array<int32_t>("of_points", edges.points);
  device.zero(degrees.of_points, edges.points);
  device.launch("count_degrees", count_degrees<Index>,
                group_blocks(edges.rows, kWarpSize, kEdgeConvThreads), kEdgeConvThreads, 0,
                degrees);
  ColumnSums<T> sums{};
  sums.centers = {edges.center, edges.center_stride, edges.rows, degrees.of_rows,
                  row_shares(edges.rows, edges.group)};
  sums.neighbours = {edges.neighbour, edges.neighbour_stride, edges.points, degrees.of_points,
                     row_shares(edges.points, edges.group)};
  sums.channels = edges.channels;
  sums.group = edges.group;
  joined.shares = sums.centers.shares.count + sums.neighbours.shares.count;
  sums.partial = device.template array<double>("column_sums", joined.shares * edges.channels);
  sums.edges = device.template array<double>("share_edges", joined.shares);
  joined.partial = sums.partial;
  joined.counts = sums.edges;
  device.launch("sum_columns", vectors ? sum_columns<T, true> : sum_columns<T, false>,
                joined.shares, kEdgeConvThreads, share_bytes<T>(), sums);
  device.launch("set_means", set_means<T>, join_blocks(edges.channels), kJoinThreads, kJoinBytes,
                joined);
}

template <typename T, typename Device>
void launch_factors(Device& device, const JoinedColumns<T>& joined) {
  device.launch("set_factors", set_factors<T>, join_blocks(joined.channels), kJoinThreads,
                kJoinBytes, joined);
}

// Inverse and factor of a layer, whose variance is known or `joined` has the sums for it.
template <typename T, typename Device>
void make_room_for_factors(Device& device, EdgeConvNormal<T>& normal, int64_t channels) {
  normal.inverse = device.template array<T>("inverse", channels);
  normal.factor = device.template array<T>("factor", channels);
}

template <typename T, typename Index, typename Slot, typename Device>
void launch_edge_conv(Device& device, EdgeConvForward<T, Index, Slot> problem) {
  constexpr int kWidth = kVectorWidth<T>;
  EdgeConvEdges<T, Index>& edges = problem.edges;
  const int64_t channels = edges.channels;
  if (channels == 0) return;
  edges.group = row_group_lanes<T>(channels);
  const bool vectors = products_hold_vectors(edges) && layer_holds_vectors(problem.normal) &&
                       holds_vectors<kWidth, T>(problem.value, channels) &&
                       holds_vectors<kWidth, Slot>(problem.slot, channels);
  make_room_for_factors(device, problem.normal, channels);
  JoinedColumns<T> joined{};
  joined.normal = problem.normal;
  joined.channels = channels;
  joined.edges = device.template array<double>("edges", 1);
  EdgeConvSelect<T, Index, Slot> select{};
  select.shares = row_shares(edges.rows, edges.group);
  if (problem.normal.trained) {
    launch_means(device, edges, joined, vectors);
    select.partial = device.template array<double>("square_sums", select.shares.count * channels);
  } else {
    launch_factors(device, joined);
  }
  select.edges = edges;
  select.normal = problem.normal;
  select.value = problem.value;
  select.slot = problem.slot;
  device.launch("select_edges",
                vectors ? select_edges<T, Index, Slot, true> : select_edges<T, Index, Slot, false>,
                select.shares.count, kEdgeConvThreads, share_bytes<T>(), select);
  if (!problem.normal.trained) return;
  joined.shares = select.shares.count;
  joined.partial = select.partial;
  launch_factors(device, joined);
  const EdgeConvActivate<T, Slot> activate{problem.normal, edges.rows,    edges.channels,
                                           edges.group,    problem.value, problem.slot};
  device.launch(
      "activate_rows", vectors ? activate_rows<T, Slot, true> : activate_rows<T, Slot, false>,
      group_blocks(edges.rows, edges.group, kEdgeConvThreads), kEdgeConvThreads, 0, activate);
}

template <typename T, typename Index, typename Slot, typename Edge>
struct EdgeConvBackward {
  EdgeConvEdges<T, Index> edges;
  EdgeConvNormal<T> normal;  // without inverse and factor
  EdgeConvGrads<T, Slot> grads;
  Global<const int64_t> offsets;          // of the transposed graph
  Global<const Edge> transposed;          // and its edges
  Global<T> grad_scale, grad_shift;       // (channels)
  Global<T> by_selected;                  // (rows, channels): scratch
  Global<T> grad_center, grad_neighbour;  // (rows, channels), (points, channels)
};

template <typename T, typename Index, typename Slot, typename Edge, typename Device>
void launch_edge_conv_backward(Device& device, EdgeConvBackward<T, Index, Slot, Edge> problem) {
  constexpr int kWidth = kVectorWidth<T>;
  EdgeConvEdges<T, Index>& edges = problem.edges;
  const int64_t channels = edges.channels;
  if (channels == 0) return;
  edges.group = row_group_lanes<T>(channels);
  const bool vectors =
      products_hold_vectors(edges) && layer_holds_vectors(problem.normal) &&
      holds_vectors<kWidth, const T>(problem.grads.grad, problem.grads.grad_stride) &&
      holds_vectors<kWidth, const Slot>(problem.grads.slot, problem.grads.slot_stride) &&
      holds_vectors<kWidth, T>(problem.by_selected, channels) &&
      holds_vectors<kWidth, T>(problem.grad_center, channels) &&
      holds_vectors<kWidth, T>(problem.grad_neighbour, channels);
  make_room_for_factors(device, problem.normal, channels);
  JoinedColumns<T> joined{};
  joined.normal = problem.normal;
  joined.channels = channels;
  launch_factors(device, joined);

  EdgeConvRows<T, Index, Slot> rows{};
  rows.edges = edges;
  rows.normal = problem.normal;
  rows.grads = problem.grads;
  rows.shares = row_shares(edges.rows, edges.group);
  rows.by_selected = problem.by_selected;
  rows.grad_center = problem.grad_center;
  rows.degrees = device.template array<int32_t>("degrees", edges.rows);
  rows.partial = device.template array<double>("grad_sums", rows.shares.count * 2 * channels);
  device.launch("differentiate_selected",
                vectors ? differentiate_selected<T, Index, Slot, true>
                        : differentiate_selected<T, Index, Slot, false>,
                rows.shares.count, kEdgeConvThreads, share_bytes<T>(), rows);

  EdgeConvAllEdges<T> all{};
  all.normal = problem.normal;
  all.channels = channels;
  all.shares = rows.shares.count;
  all.points = edges.points;
  all.partial = rows.partial;
  all.offsets = problem.offsets;
  all.grad_scale = problem.grad_scale;
  all.grad_shift = problem.grad_shift;
  all.constant = device.template array<T>("constant", channels);
  all.linear = device.template array<T>("linear", channels);
  device.launch("share_of_all_edges", share_of_all_edges<T>, join_blocks(channels), kJoinThreads,
                kJoinBytes, all);

  const EdgeConvCenters<T> centers{
      edges.rows,   edges.channels, edges.group,  problem.normal.trained, problem.by_selected,
      all.constant, all.linear,     rows.degrees, problem.grad_center};
  device.launch("finish_centers", vectors ? finish_centers<T, true> : finish_centers<T, false>,
                group_blocks(edges.rows, edges.group, kEdgeConvThreads), kEdgeConvThreads, 0,
                centers);

  EdgeConvPoints<T, Slot, Edge> points{};
  points.center = edges.center;
  points.neighbour = edges.neighbour;
  points.by_selected = problem.by_selected;
  points.slot = problem.grads.slot;
  points.center_stride = edges.center_stride;
  points.neighbour_stride = edges.neighbour_stride;
  points.slot_stride = problem.grads.slot_stride;
  points.normal = problem.normal;
  points.constant = all.constant;
  points.linear = all.linear;
  points.points = edges.points;
  points.k = edges.k;
  points.channels = edges.channels;
  points.group = edges.group;
  points.offsets = problem.offsets;
  points.edges = problem.transposed;
  points.grad_neighbour = problem.grad_neighbour;
  points.pieces = HubPiece::count(edges.rows * edges.k);
  points.partial = device.template array<T>("partial", points.pieces * 2 * channels);
  device.launch("sum_hub_edges",
                vectors ? sum_hub_edges<T, Slot, Edge, true> : sum_hub_edges<T, Slot, Edge, false>,
                group_blocks(points.pieces, points.group, kEdgeConvThreads), kEdgeConvThreads, 0,
                points);
  device.launch(
      "finish_neighbours",
      vectors ? finish_neighbours<T, Slot, Edge, true> : finish_neighbours<T, Slot, Edge, false>,
      group_blocks(points.points, points.group, kEdgeConvThreads), kEdgeConvThreads, 0, points);
}

}  // namespace hitgraph
