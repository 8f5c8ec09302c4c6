// The gradient of EdgeConv's linear edge network (see core/edge_conv.h): over the rows, for the
// selected edges and the sums that all edges share, then over the transposed graph, for the
// neighbours. Gathered in a fixed order, no atomics.
#pragma once

#include "core/cuda/edge_conv.cuh"
#include "core/cuda/point_edges.cuh"

namespace hitgraph {

// One fewer than kEdgeConvBlocks: more registers, no spills.
constexpr int kDifferentiateBlocks = 5;

template <typename T, typename Slot>
struct EdgeConvGrads {
  Global<const T> grad;  // of the result; rows lie a stride apart, as those of slot
  Global<const Slot> slot;
  int64_t grad_stride, slot_stride;
};

template <typename T, typename Index, typename Slot>
struct EdgeConvRows {
  EdgeConvEdges<T, Index> edges;
  EdgeConvNormal<T> normal;
  EdgeConvGrads<T, Slot> grads;
  RowShares shares;
  Global<T> by_selected;    // (rows, channels): of the selected edge
  Global<T> grad_center;    // (rows, channels): at first the sum over edges of y - mean
  Global<int32_t> degrees;  // (rows)
  Global<double> partial;   // (shares, 2 * channels): sums of dz normal, of dz
};

// A block a share of rows, tile by tile of its channels.
template <typename T, typename Index, typename Slot, bool kVector>
__global__ void __launch_bounds__(kEdgeConvThreads, kDifferentiateBlocks)
    differentiate_selected(EdgeConvRows<T, Index, Slot> problem) {
  using Channels = LaneChannels<T, kVector>;
  constexpr int kWidth = Channels::kWidth;
  const EdgeConvEdges<T, Index>& edges = problem.edges;
  const EdgeConvNormal<T>& normal = problem.normal;
  const RowGroup group(edges.group);
  const ShareWalk walk(problem.shares, blockIdx.x, edges.rows, group);
  for (int tile = 0; tile < edges.channels; tile += group.size * kWidth) {
    const Channels channels(group, tile, edges.channels);
    auto by_scale = broadcast<kWidth>(0.0), by_shift = by_scale;
    for (int64_t begin = walk.begin; begin < walk.end; begin += walk.step) {
      const int64_t row = walk.row(begin);
      const bool exists = row < edges.rows;
      auto slots = broadcast<kWidth>(no_slot<Slot>());
      if (exists) {
        slots = channels.template load<Slot>(problem.grads.slot, row * problem.grads.slot_stride);
      }
      auto selected = broadcast<kWidth>(T(0)), sum = selected;
      int first;
      const int present = visit_edges(
          edges, group, channels, row, first, [&](bool, int slot, const Vector<T, kWidth>& values) {
            for (int v = 0; v < kWidth; ++v) {
              const bool own = slots.lanes[v] == static_cast<Slot>(slot);
              selected.lanes[v] = own ? values.lanes[v] : selected.lanes[v];
              sum.lanes[v] += values.lanes[v];
            }
          });
      if (!exists) continue;
      if (tile == 0 && group.lane == 0) problem.degrees[row] = present;
      const int64_t out = row * edges.channels;
      if (present == 0) {
        channels.template store<T>(sum, problem.by_selected, out);
        channels.template store<T>(sum, problem.grad_center, out);
        continue;
      }
      const auto grad =
          channels.template load<T>(problem.grads.grad, row * problem.grads.grad_stride);
      const auto center = channels.template load<T>(edges.center, row * edges.center_stride);
      const auto mean = channels.template load<T>(Global<const T>(normal.mean), 0);
      const auto factor = channels.template load<T>(Global<const T>(normal.factor), 0);
      const auto inverse = channels.template load<T>(Global<const T>(normal.inverse), 0);
      const auto shift = channels.template load<T>(normal.shift, 0);
      for (int v = 0; v < kWidth; ++v) {
        const T from = center.lanes[v] - mean.lanes[v];
        const T deviation = from + selected.lanes[v];
        const T z = shift.lanes[v] + factor.lanes[v] * deviation;
        const T by_z = z > 0 ? grad.lanes[v] : normal.slope * grad.lanes[v];
        by_scale.lanes[v] += static_cast<double>(by_z * deviation * inverse.lanes[v]);
        by_shift.lanes[v] += static_cast<double>(by_z);
        selected.lanes[v] = by_z * factor.lanes[v];
        sum.lanes[v] += static_cast<T>(present) * from;
      }
      channels.template store<T>(selected, problem.by_selected, out);
      channels.template store<T>(sum, problem.grad_center, out);
    }
    const int64_t place = static_cast<int64_t>(blockIdx.x) * 2 * edges.channels;
    write_share(group, channels, by_scale, problem.partial, place);
    write_share(group, channels, by_shift, problem.partial, place + edges.channels);
  }
}

// What every edge has, selected or not: a part, and another times y - mean.
template <typename T>
struct EdgeConvAllEdges {
  EdgeConvNormal<T> normal;
  int64_t channels, shares, points;
  Global<const double> partial;   // of EdgeConvRows
  Global<const int64_t> offsets;  // of the transposed graph
  Global<T> grad_scale, grad_shift;
  Global<T> constant, linear;
};

// A block 32 channels.
template <typename T>
__global__ void __launch_bounds__(kJoinThreads) share_of_all_edges(EdgeConvAllEdges<T> problem) {
  const EdgeConvNormal<T>& normal = problem.normal;
  const int64_t channel = static_cast<int64_t>(blockIdx.x) * kWarpSize + lane_index();
  const int64_t channels = problem.channels, last = channel < channels ? channel : channels - 1;
  const double by_scale = join_shares(problem.partial, problem.shares, 2 * channels, last);
  const double by_shift =
      join_shares(problem.partial, problem.shares, 2 * channels, channels + last);
  if (threadIdx.x >= kWarpSize || channel >= channels) return;
  problem.grad_scale[channel] = static_cast<T>(by_scale);
  problem.grad_shift[channel] = static_cast<T>(by_shift);
  const double edges = static_cast<double>(problem.offsets[problem.points]);
  const bool shared = normal.trained && edges > 0;
  const double factor = T(normal.factor[channel]), inverse = T(normal.inverse[channel]);
  problem.constant[channel] = static_cast<T>(shared ? -factor * by_shift / edges : 0);
  problem.linear[channel] = static_cast<T>(shared ? -factor * inverse * by_scale / edges : 0);
}

template <typename T>
struct EdgeConvCenters {
  int64_t rows;
  int channels, group;
  bool trained;
  Global<const T> by_selected, constant, linear;
  Global<const int32_t> degrees;
  Global<T> grad_center;
};

// A group a row.
template <typename T, bool kVector>
__global__ void __launch_bounds__(kEdgeConvThreads) finish_centers(EdgeConvCenters<T> problem) {
  using Channels = LaneChannels<T, kVector>;
  const RowGroup group(problem.group);
  const int64_t row = group.number;
  if (row >= problem.rows) return;
  const T degree = static_cast<T>(int(problem.degrees[row]));
  const int64_t begin = row * problem.channels;
  for (int tile = 0; tile < problem.channels; tile += group.size * Channels::kWidth) {
    const Channels channels(group, tile, problem.channels);
    const auto selected = channels.template load<T>(problem.by_selected, begin);
    const auto constant = channels.template load<T>(problem.constant, 0);
    const auto linear = channels.template load<T>(problem.linear, 0);
    auto grad = channels.template load_own<T>(problem.grad_center, begin);
    for (int v = 0; v < Channels::kWidth; ++v) {
      const T shared = degree * constant.lanes[v] + linear.lanes[v] * grad.lanes[v];
      // Of a layer that is not trained this might be 0 times infinity.
      grad.lanes[v] = selected.lanes[v] + (problem.trained ? shared : T(0));
    }
    channels.template store<T>(grad, problem.grad_center, begin);
  }
}

template <typename T, typename Slot, typename Edge>
struct EdgeConvPoints {
  Global<const T> center, neighbour, by_selected;
  Global<const Slot> slot;
  int64_t center_stride, neighbour_stride, slot_stride;
  EdgeConvNormal<T> normal;
  Global<const T> constant, linear;
  int64_t points;
  int k, channels, group;
  Global<const int64_t> offsets;  // of the transposed graph
  Global<const Edge> edges;
  int64_t pieces;
  Global<T> partial;         // (pieces, 2 * channels): sums of the pieces of hubs
  Global<T> grad_neighbour;  // (points, channels)
};

// One lane's channels of sums over the edges that reach one point: of what selected edges bring,
// and of y - mean, if that matters.
template <typename T, int kWidth>
struct PointGradient {
  EdgeSum<T, kWidth> selected, deviations;

  HITGRAPH_DEVICE void end_batch() {
    selected.end_batch();
    deviations.end_batch();
  }
};

struct HeldRow {
  int row = -1, slot = 0;  // no row: there is no edge

  template <typename Edge>
  HITGRAPH_DEVICE void look_up(Global<const Edge> edges, int64_t place, int k) {
    const Edge edge = edges[place];
    row = static_cast<int>(edge / static_cast<Edge>(k));
    slot = static_cast<int>(edge % static_cast<Edge>(k));
  }
};

// The edges that lane `source` and those after it hold. Few edges were selected, so the gradient's
// row is read only by lanes with such a channel. `offset` is neighbour - mean: y - mean is made
// edge by edge, since sums far from 0 would lose it.
template <typename Channels, typename T, typename Slot, typename Edge>
HITGRAPH_DEVICE void add_point_edges(const EdgeConvPoints<T, Slot, Edge>& problem,
                                     const RowGroup& group, const Channels& channels,
                                     const HeldRow& held, int source,
                                     const Vector<T, Channels::kWidth>& offset,
                                     PointGradient<T, Channels::kWidth>& sum) {
  constexpr int kWidth = Channels::kWidth, kInFlight = kPointEdges<Channels, Slot>;
  int rows[kInFlight], slots[kInFlight];
  Winners<Channels, Slot> winners[kInFlight];
  Vector<T, kWidth> values[kInFlight];
  for (int e = 0; e < kInFlight; ++e) {
    rows[e] = group.from(source + e, held.row);
    slots[e] = group.from(source + e, held.slot);
    values[e] = broadcast<kWidth>(T(0));
    if (rows[e] < 0) continue;
    winners[e].load(problem.slot, channels, rows[e] * problem.slot_stride);
    if (problem.normal.trained) {
      values[e] = channels.template load<T>(problem.center, rows[e] * problem.center_stride);
    }
  }
  for (int e = 0; e < kInFlight; ++e) {
    for (int v = 0; v < kWidth; ++v) {
      const T deviation = values[e].lanes[v] + offset.lanes[v];
      sum.deviations.batch.lanes[v] += rows[e] >= 0 ? deviation : T(0);
    }
  }
  for (int e = 0; e < kInFlight; ++e) {
    if (rows[e] < 0 || !winners[e].any(slots[e])) continue;
    const auto grad = channels.template load<T>(problem.by_selected,
                                                static_cast<int64_t>(rows[e]) * problem.channels);
    for (int v = 0; v < kWidth; ++v) {
      sum.selected.batch.lanes[v] += winners[e].has(v, slots[e]) ? grad.lanes[v] : T(0);
    }
  }
}

// Over `count` places of the transposed graph, at most kHubPiece.
template <typename Channels, typename T, typename Slot, typename Edge>
HITGRAPH_DEVICE PointGradient<T, Channels::kWidth> sum_point_edges(
    const EdgeConvPoints<T, Slot, Edge>& problem, const RowGroup& group, const Channels& channels,
    const Vector<T, Channels::kWidth>& offset, int64_t begin, int count) {
  PointGradient<T, Channels::kWidth> sum;
  walk_point_edges<HeldRow, kPointEdges<Channels, Slot>>(
      group, count,
      [&](HeldRow& held, int place) { held.look_up(problem.edges, begin + place, problem.k); },
      [&](const HeldRow& held, int source) {
        add_point_edges(problem, group, channels, held, source, offset, sum);
      },
      sum);
  return sum;
}

template <typename Channels, typename T, typename Slot, typename Edge>
HITGRAPH_DEVICE Vector<T, Channels::kWidth> neighbour_offset(
    const EdgeConvPoints<T, Slot, Edge>& problem, const Channels& channels, int64_t point) {
  auto offset = channels.template load<T>(problem.neighbour, point * problem.neighbour_stride);
  const auto mean = channels.template load<T>(Global<const T>(problem.normal.mean), 0);
  for (int v = 0; v < Channels::kWidth; ++v) offset.lanes[v] -= mean.lanes[v];
  return offset;
}

// A group a piece of a hub.
template <typename T, typename Slot, typename Edge, bool kVector>
__global__ void __launch_bounds__(kEdgeConvThreads, kEdgeConvBlocks)
    sum_hub_edges(EdgeConvPoints<T, Slot, Edge> problem) {
  using Channels = LaneChannels<T, kVector>;
  const RowGroup group(problem.group);
  HubPiece piece{};
  const bool found =
      group.number < problem.pieces && piece.find(problem.offsets, problem.points, group.number);
  if (!__any_sync(kFullWarp, found)) return;
  const int count = found ? static_cast<int>(piece.end - piece.begin) : 0;
  for (int tile = 0; tile < problem.channels; tile += group.size * Channels::kWidth) {
    const Channels channels(group, tile, problem.channels);
    auto offset = broadcast<Channels::kWidth>(T(0));
    if (found) offset = neighbour_offset(problem, channels, piece.point);
    const auto sum = sum_point_edges(problem, group, channels, offset, piece.begin, count);
    if (!found) continue;
    const int64_t place = int64_t{2} * group.number * problem.channels;
    channels.template store<T>(sum.selected.sum, problem.partial, place);
    channels.template store<T>(sum.deviations.sum, problem.partial, place + problem.channels);
  }
}

// A group a point: the sums over its edges, or over its pieces if it is a hub.
template <typename T, typename Slot, typename Edge, bool kVector>
__global__ void __launch_bounds__(kEdgeConvThreads, kEdgeConvBlocks)
    finish_neighbours(EdgeConvPoints<T, Slot, Edge> problem) {
  using Channels = LaneChannels<T, kVector>;
  const RowGroup group(problem.group);
  const int64_t point = group.number;
  const EdgesToPoint edges(problem.offsets, problem.points, point);
  for (int tile = 0; tile < problem.channels; tile += group.size * Channels::kWidth) {
    const Channels channels(group, tile, problem.channels);
    auto offset = broadcast<Channels::kWidth>(T(0));
    if (edges.exists) offset = neighbour_offset(problem, channels, point);
    auto sum = sum_point_edges(problem, group, channels, offset, edges.begin, edges.own);
    if (!edges.exists) continue;
    if (edges.hub) {
      const Global<const T> partial = problem.partial;
      const int64_t width = int64_t{2} * problem.channels;
      sum.selected.sum = join_pieces(channels, problem.offsets, point, partial, width, 0);
      sum.deviations.sum =
          join_pieces(channels, problem.offsets, point, partial, width, problem.channels);
    }
    const auto constant = channels.template load<T>(problem.constant, 0);
    const auto linear = channels.template load<T>(problem.linear, 0);
    auto grad = sum.selected.sum;
    for (int v = 0; v < Channels::kWidth; ++v) {
      const T shared = static_cast<T>(edges.count) * constant.lanes[v] +
                       linear.lanes[v] * sum.deviations.sum.lanes[v];
      grad.lanes[v] += problem.normal.trained ? shared : T(0);
    }
    channels.template store<T>(grad, problem.grad_neighbour, point * problem.channels);
  }
}

}  // namespace hitgraph
