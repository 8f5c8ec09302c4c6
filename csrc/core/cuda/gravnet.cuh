// GravNet's aggregation (see core/gravnet.h): a group of lanes a row. Each lane looks up one edge
// of a batch; the edges are then handed round, and every lane sums its own channels in slot order,
// as the CPU does. Nothing is read of an edge whose index is out of range: it is missing.
#pragma once

#include "core/cuda/graph_rows.cuh"
#include "core/cuda/row_group.cuh"
// After the vocabulary.
#include "core/gravnet_rules.h"

namespace hitgraph {

constexpr int kGravnetThreads = 128;
// Of a multiprocessor, at least: 32 warps, whose reads hide each other's latency.
constexpr int kGravnetBlocks = 8;

template <typename T, typename Index>
struct GravnetEdges : GraphRows<Index> {
  Global<const T> features;
  Global<const T> values;
  Weighting<T> weighting;
  int channels;
  int group;  // lanes a row

  HITGRAPH_DEVICE T weight_of(int64_t row, int slot, int point) const {
    return point < 0 ? T(0) : weighting.weight(values[row * this->k + slot]);
  }
};

template <typename T, typename Index, typename Slot>
struct GravnetAggregate {
  GravnetEdges<T, Index> edges;
  bool missing_is_zero;
  Divisor divisor;
  Global<T> total, maximum;  // (rows, channels), null: not wanted
  Global<Slot> slot;
};

// One lane's channels of one row.
template <typename T, bool kMaximum, int kWidth>
struct ChannelReduction {
  Vector<T, kWidth> block, sum, best;
  Vector<int, kWidth> at;  // the slot of the best, -1: none was better than -inf

  HITGRAPH_DEVICE ChannelReduction()
      : block(broadcast<kWidth>(T(0))),
        sum(block),
        best(broadcast<kWidth>(-infinity<T>())),
        at(broadcast<kWidth>(-1)) {}

  HITGRAPH_DEVICE void add(T weight, const Vector<T, kWidth>& features, int slot, bool competes) {
    for (int v = 0; v < kWidth; ++v) {
      const T product = weight * features.lanes[v];
      block.lanes[v] += product;
      if (!kMaximum) continue;
      const bool better = competes & replaces(product, best.lanes[v]);
      best.lanes[v] = better ? product : best.lanes[v];
      at.lanes[v] = better ? slot : at.lanes[v];
    }
  }
  HITGRAPH_DEVICE void end_block() {
    for (int v = 0; v < kWidth; ++v) sum.lanes[v] += block.lanes[v];
    block = broadcast<kWidth>(T(0));
  }
  HITGRAPH_DEVICE void divide(T divisor) {
    for (int v = 0; v < kWidth; ++v) sum.lanes[v] /= divisor;
  }
  // Of a row whose first edge that takes part stands in slot `first`; below 0: none does.
  HITGRAPH_DEVICE void settle(int first) {
    for (int v = 0; v < kWidth; ++v) {
      if (first < 0) best.lanes[v] = 0;
      if (at.lanes[v] < 0) at.lanes[v] = first;
    }
  }
};

// The edges of a row that one lane of its group looked up, at most one.
template <typename T>
struct HeldEdge {
  int point;
  T weight;
};

// The edges from slot `first` on, which lane `source` and those after it hold. One that is missing
// adds the product 0, which changes no sum. Those from point `least` on compete for the maximum.
template <typename Channels, typename Reduction, typename T, typename Index>
HITGRAPH_DEVICE void add_edges(const GravnetEdges<T, Index>& edges, const RowGroup& group,
                               const Channels& channels, const HeldEdge<T>& held, int source,
                               int first, int least, Reduction& reduction) {
  constexpr int kWidth = Channels::kWidth, kInFlight = Channels::kInFlight;
  int points[kInFlight];
  T weights[kInFlight];
  Vector<T, kWidth> features[kInFlight];
  for (int e = 0; e < kInFlight; ++e) {
    points[e] = group.from(source + e, held.point);
    weights[e] = group.from(source + e, held.weight);
  }
  for (int e = 0; e < kInFlight; ++e) {
    features[e] = broadcast<kWidth>(T(0));
    if (points[e] < 0) continue;
    features[e] =
        channels.template load<T>(edges.features, static_cast<int64_t>(points[e]) * edges.channels);
  }
  for (int e = 0; e < kInFlight; ++e) {
    reduction.add(weights[e], features[e], first + e, points[e] >= least);
  }
}

// A group a row, tile by tile of its channels.
template <typename T, typename Index, typename Slot, bool kVector, bool kMaximum>
__global__ void __launch_bounds__(kGravnetThreads, kGravnetBlocks)
    aggregate_rows(GravnetAggregate<T, Index, Slot> problem) {
  using Channels = LaneChannels<T, kVector>;
  const GravnetEdges<T, Index>& edges = problem.edges;
  const RowGroup group(edges.group);
  const int64_t row = group.number;
  const int least = problem.missing_is_zero ? kMissing : 0;
  for (int tile = 0; tile < edges.channels; tile += group.size * Channels::kWidth) {
    const Channels channels(group, tile, edges.channels);
    ChannelReduction<T, kMaximum, Channels::kWidth> reduction;
    int present = 0, first = problem.missing_is_zero && edges.k > 0 ? 0 : -1;
    for (int begin = 0; begin < edges.k; begin += group.size) {
      const int point = edges.point_of(row, begin + group.lane);
      const HeldEdge<T> held{point, edges.weight_of(row, begin + group.lane, point)};
      const unsigned exist = group.ballot(point >= 0);
      present += __popc(exist);
      if (first < 0 && exist != 0) first = begin + __ffs(exist) - 1;
      for (int source = 0; source < group.size && begin + source < edges.k;
           source += Channels::kInFlight) {
        const int slot = begin + source;
        if (slot % kSumBlock == 0) reduction.end_block();
        add_edges(edges, group, channels, held, source, slot, least, reduction);
      }
    }
    if (row >= edges.rows) continue;
    reduction.end_block();
    const int64_t out = row * edges.channels;
    if (problem.total != nullptr) {
      if (first >= 0) reduction.divide(gravnet_divisor<T>(problem.divisor, edges.k, present));
      channels.template store<T>(reduction.sum, problem.total, out);
    }
    if (!kMaximum) continue;
    reduction.settle(first);
    Vector<Slot, Channels::kWidth> slots;
    for (int v = 0; v < Channels::kWidth; ++v) {
      slots.lanes[v] = static_cast<Slot>(reduction.at.lanes[v]);
    }
    channels.template store<T>(reduction.best, problem.maximum, out);
    channels.template store<Slot>(slots, problem.slot, out);
  }
}

}  // namespace hitgraph
