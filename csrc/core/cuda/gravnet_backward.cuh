// The gradient of GravNet's aggregation (see core/gravnet.h): by the values a group of lanes a row,
// by the features a group a point over the transposed graph. Gathered in a fixed order, no atomics.
#pragma once

#include "core/cuda/gravnet.cuh"
#include "core/cuda/point_edges.cuh"

namespace hitgraph {

// What comes from the outputs. Null: zero.
template <typename T, typename Slot>
struct GravnetGradients {
  Global<const T> total, maximum;  // rows lie a stride apart
  int64_t total_stride, maximum_stride;
  Global<const Slot> slot;   // (rows, channels)
  Global<const T> divisors;  // (rows) what totals were divided by; null: all by `divisor`
  T divisor;

  HITGRAPH_DEVICE T divisor_of(int64_t row) const {
    return divisors == nullptr ? divisor : T(divisors[row]);
  }
};

template <typename T, typename Index>
struct GravnetDivisors {
  GravnetEdges<T, Index> edges;
  Global<T> divisors;  // (rows)
};

// A warp a row.
template <typename T, typename Index>
__global__ void __launch_bounds__(kGravnetThreads, kGravnetBlocks)
    count_present(GravnetDivisors<T, Index> problem) {
  const RowGroup warp(kWarpSize);
  int present = 0;
  for (int slot = warp.lane; slot < problem.edges.k; slot += kWarpSize) {
    present += problem.edges.point_of(warp.number, slot) >= 0 ? 1 : 0;
  }
  present = warp_sum(present);
  if (warp.lane != 0 || warp.number >= problem.edges.rows) return;
  problem.divisors[warp.number] = gravnet_divisor<T>(Divisor::kPresent, problem.edges.k, present);
}

template <typename T, typename Index, typename Slot>
struct GravnetRows {
  GravnetEdges<T, Index> edges;
  GravnetGradients<T, Slot> gradients;
  Global<T> grad_values;
};

// One lane's channels of the gradients of a row.
template <typename T, typename Slot, int kWidth>
struct RowGradient {
  Vector<T, kWidth> total, maximum;
  Vector<Slot, kWidth> slots;
  bool has_total;

  template <typename Channels>
  HITGRAPH_DEVICE void load(const GravnetGradients<T, Slot>& from, const Channels& channels,
                            int64_t row, int channel_count) {
    has_total = from.total != nullptr;
    if (has_total) {
      const T divisor = from.divisor_of(row);
      total = channels.template load<T>(from.total, row * from.total_stride);
      for (int v = 0; v < kWidth; ++v) total.lanes[v] /= divisor;
    }
    slots = broadcast<kWidth>(no_slot<Slot>());
    if (from.maximum == nullptr) return;
    maximum = channels.template load<T>(from.maximum, row * from.maximum_stride);
    slots = channels.template load<Slot>(from.slot, row * channel_count);
  }
  // The product with a row of features that is the end of the edge in slot `slot`. What did not win
  // takes no part in the maximum's, not even where it is infinite.
  template <typename Channels>
  HITGRAPH_DEVICE T dot(const Channels& channels, const Vector<T, kWidth>& features,
                        int slot) const {
    T sum = 0;
    for (int v = 0; v < kWidth; ++v) {
      if (!channels.has(v)) continue;
      if (has_total) sum += features.lanes[v] * total.lanes[v];
      if (slots.lanes[v] == static_cast<Slot>(slot)) sum += features.lanes[v] * maximum.lanes[v];
    }
    return sum;
  }
};

// The derivatives by the weights of four edges from slot `first` on, which lane `source` and
// those after it hold: lane l gets that of edge l % 4.
template <typename Channels, typename Gradient, typename T, typename Index>
HITGRAPH_DEVICE T dot_edges(const GravnetEdges<T, Index>& edges, const RowGroup& group,
                            const Channels& channels, const Gradient& gradient, int point,
                            int source, int first) {
  constexpr int kInFlight = 4;  // what sum_of_four sums
  Vector<T, Channels::kWidth> features[kInFlight];
  T dots[kInFlight];
  for (int e = 0; e < kInFlight; ++e) {
    const int end = group.from(source + e, point);
    features[e] = broadcast<Channels::kWidth>(T(0));
    if (end < 0) continue;
    features[e] =
        channels.template load<T>(edges.features, static_cast<int64_t>(end) * edges.channels);
  }
  for (int e = 0; e < kInFlight; ++e) dots[e] = gradient.dot(channels, features[e], first + e);
  return group.sum_of_four(dots);
}

// A group a row, tile by tile of its channels; between tiles the sums wait in grad_values.
template <typename T, typename Index, typename Slot, bool kVector>
__global__ void __launch_bounds__(kGravnetThreads, kGravnetBlocks)
    differentiate_rows(GravnetRows<T, Index, Slot> problem) {
  using Channels = LaneChannels<T, kVector>;
  const GravnetEdges<T, Index>& edges = problem.edges;
  const RowGroup group(edges.group);
  const int64_t row = group.number;
  const int span = group.size * Channels::kWidth;
  for (int tile = 0; tile == 0 || tile < edges.channels; tile += span) {
    const Channels channels(group, tile, edges.channels);
    RowGradient<T, Slot, Channels::kWidth> gradient{};
    if (row < edges.rows) gradient.load(problem.gradients, channels, row, edges.channels);
    for (int begin = 0; begin < edges.k; begin += group.size) {
      const int own = begin + group.lane;
      const int point = edges.point_of(row, own);
      T by_weight = 0;
      for (int source = 0; source < group.size && begin + source < edges.k; source += 4) {
        const T dot = dot_edges(edges, group, channels, gradient, point, source, begin + source);
        if (group.lane - group.lane % 4 == source) by_weight = dot;
      }
      if (row >= edges.rows || own >= edges.k) continue;
      const int64_t edge = row * edges.k + own;
      if (tile > 0) by_weight += problem.grad_values[edge];
      if (tile + span >= edges.channels) {
        const T weight = edges.weight_of(row, own, point);
        by_weight = point < 0 ? T(0) : edges.weighting.value_gradient(by_weight, weight);
      }
      problem.grad_values[edge] = by_weight;
    }
  }
}

template <typename T, typename Slot, typename Edge>
struct GravnetPoints {
  GravnetGradients<T, Slot> gradients;
  Global<const T> values;  // (rows, k)
  Weighting<T> weighting;
  int64_t points;
  int k, channels, group;
  Global<const int64_t> offsets;  // of the transposed graph
  Global<const Edge> edges;
  int64_t pieces;
  Global<T> partial;  // (pieces, channels): sums of the pieces of hubs
  Global<T> grad_features;
};

// One edge of a point, looked up by one lane. No row: there is none.
template <typename T>
struct HeldGradient {
  int row = -1, slot = 0;
  T weight = 0, factor = 0;  // of the row's gradients by the maximum and by the total

  template <typename Slot, typename Edge>
  HITGRAPH_DEVICE void look_up(const GravnetPoints<T, Slot, Edge>& problem, int64_t place) {
    const Edge edge = problem.edges[place], k = static_cast<Edge>(problem.k);
    row = static_cast<int>(edge / k);
    slot = static_cast<int>(edge % k);
    weight = problem.weighting.weight(problem.values[edge]);
    factor = weight / problem.gradients.divisor_of(row);
  }
};

// The edges that lane `source` and those after it hold. Few edges won a channel, so the row of the
// maximum is read only by lanes with such a channel.
template <typename Channels, typename T, typename Slot, typename Edge>
HITGRAPH_DEVICE void add_gradients(const GravnetPoints<T, Slot, Edge>& problem,
                                   const RowGroup& group, const Channels& channels,
                                   const HeldGradient<T>& held, int source,
                                   EdgeSum<T, Channels::kWidth>& sum) {
  constexpr int kWidth = Channels::kWidth, kInFlight = kPointEdges<Channels, Slot>;
  const GravnetGradients<T, Slot>& gradients = problem.gradients;
  Vector<T, kWidth> totals[kInFlight], maxima[kInFlight];
  int slots[kInFlight];
  Winners<Channels, Slot> winners[kInFlight];
  for (int e = 0; e < kInFlight; ++e) {
    const int row = group.from(source + e, held.row);
    totals[e] = broadcast<kWidth>(T(0));
    if (row < 0) continue;
    if (gradients.total != nullptr) {
      totals[e] = channels.template load<T>(gradients.total, row * gradients.total_stride);
    }
    if (gradients.maximum != nullptr) {
      winners[e].load(gradients.slot, channels, static_cast<int64_t>(row) * problem.channels);
    }
  }
  for (int e = 0; e < kInFlight; ++e) {
    const T factor = group.from(source + e, held.factor);
    for (int v = 0; v < kWidth; ++v) sum.batch.lanes[v] += factor * totals[e].lanes[v];
  }
  for (int e = 0; e < kInFlight; ++e) {
    const int row = group.from(source + e, held.row);
    slots[e] = group.from(source + e, held.slot);
    maxima[e] = broadcast<kWidth>(T(0));
    if (row < 0 || !winners[e].any(slots[e])) continue;
    maxima[e] = channels.template load<T>(gradients.maximum, row * gradients.maximum_stride);
  }
  for (int e = 0; e < kInFlight; ++e) {
    const T weight = group.from(source + e, held.weight);
    for (int v = 0; v < kWidth; ++v) {
      const T product = weight * maxima[e].lanes[v];
      sum.batch.lanes[v] += winners[e].has(v, slots[e]) ? product : T(0);
    }
  }
}

// Over `count` places of the transposed graph, at most kHubPiece.
template <typename Channels, typename T, typename Slot, typename Edge>
HITGRAPH_DEVICE Vector<T, Channels::kWidth> sum_edges(const GravnetPoints<T, Slot, Edge>& problem,
                                                      const RowGroup& group,
                                                      const Channels& channels, int64_t begin,
                                                      int count) {
  EdgeSum<T, Channels::kWidth> sum;
  walk_point_edges<HeldGradient<T>, kPointEdges<Channels, Slot>>(
      group, count, [&](HeldGradient<T>& held, int place) { held.look_up(problem, begin + place); },
      [&](const HeldGradient<T>& held, int source) {
        add_gradients(problem, group, channels, held, source, sum);
      },
      sum);
  return sum.sum;
}

// A group a piece of a hub.
template <typename T, typename Slot, typename Edge, bool kVector>
__global__ void __launch_bounds__(kGravnetThreads, kGravnetBlocks)
    sum_hub_pieces(GravnetPoints<T, Slot, Edge> problem) {
  using Channels = LaneChannels<T, kVector>;
  const RowGroup group(problem.group);
  HubPiece piece{};
  const bool found =
      group.number < problem.pieces && piece.find(problem.offsets, problem.points, group.number);
  if (!__any_sync(kFullWarp, found)) return;
  const int count = found ? static_cast<int>(piece.end - piece.begin) : 0;
  for (int tile = 0; tile < problem.channels; tile += group.size * Channels::kWidth) {
    const Channels channels(group, tile, problem.channels);
    const auto sum = sum_edges(problem, group, channels, piece.begin, count);
    if (found) channels.template store<T>(sum, problem.partial, group.number * problem.channels);
  }
}

// A group a point: the sum over its edges, or over its pieces if it is a hub.
template <typename T, typename Slot, typename Edge, bool kVector>
__global__ void __launch_bounds__(kGravnetThreads, kGravnetBlocks)
    sum_points(GravnetPoints<T, Slot, Edge> problem) {
  using Channels = LaneChannels<T, kVector>;
  const RowGroup group(problem.group);
  const EdgesToPoint edges(problem.offsets, problem.points, group.number);
  for (int tile = 0; tile < problem.channels; tile += group.size * Channels::kWidth) {
    const Channels channels(group, tile, problem.channels);
    auto sum = sum_edges(problem, group, channels, edges.begin, edges.own);
    if (edges.hub) {
      sum = join_pieces(channels, problem.offsets, group.number, Global<const T>(problem.partial),
                        problem.channels, 0);
    }
    if (!edges.exists) continue;
    channels.template store<T>(sum, problem.grad_features,
                               static_cast<int64_t>(group.number) * problem.channels);
  }
}

}  // namespace hitgraph
