// EdgeConv's linear edge network (see core/edge_conv.h): a group of lanes a row, as GravNet's
// aggregation. Nothing of an edge is stored. The statistics of a batch normalisation take two
// passes: the mean follows from how often rows ask and points are reached, the variance is summed
// where edges are compared, from deviations of that mean.
#pragma once

#include "core/cuda/edge_conv_sums.cuh"
#include "core/cuda/graph_rows.cuh"
// After the vocabulary.
#include "core/gravnet_rules.h"

namespace hitgraph {

template <typename T, typename Index>
struct EdgeConvEdges : GraphRows<Index> {
  Global<const T> center;     // (rows, channels)
  Global<const T> neighbour;  // (points, channels)
  int64_t center_stride, neighbour_stride;
  int channels;
  int group;  // lanes a row
};

// How often a row asks and a point is reached. Atomics on integers: no order matters.
template <typename Index>
struct EdgeDegrees {
  GraphRows<Index> graph;
  Global<int32_t> of_rows, of_points;  // the latter zeroed
};

// A warp a row.
template <typename Index>
__global__ void count_degrees(EdgeDegrees<Index> degrees) {
  const RowGroup warp(kWarpSize);
  const int64_t row = warp.number;
  if (row >= degrees.graph.rows) return;
  int present = 0;
  for (int slot = warp.lane; slot < degrees.graph.k; slot += kWarpSize) {
    const int point = degrees.graph.point_of(row, slot);
    if (point < 0) continue;
    ++present;
    atomicAdd(degrees.of_points + point, 1);
  }
  present = warp_sum(present);
  if (warp.lane == 0) degrees.of_rows[row] = present;
}

// One of the two products, and how often each of its rows occurs.
template <typename T>
struct WeightedRows {
  Global<const T> values;
  int64_t stride, rows;
  Global<const int32_t> degrees;
  RowShares shares;
};

template <typename T>
struct ColumnSums {
  WeightedRows<T> centers, neighbours;
  int channels, group;
  Global<double> partial;  // (shares of both, channels)
  Global<double> edges;    // (shares of both) among the centers' rows
};

// A block a share, of centers first, then of neighbours.
template <typename T, bool kVector>
__global__ void __launch_bounds__(kEdgeConvThreads, kEdgeConvBlocks)
    sum_columns(ColumnSums<T> problem) {
  using Channels = LaneChannels<T, kVector>;
  const RowGroup group(problem.group);
  const int64_t block = static_cast<int64_t>(blockIdx.x);
  const bool of_centers = block < problem.centers.shares.count;
  const WeightedRows<T>& from = of_centers ? problem.centers : problem.neighbours;
  const int64_t share = of_centers ? block : block - problem.centers.shares.count;
  const ShareWalk walk(from.shares, share, from.rows, group);
  for (int tile = 0; tile < problem.channels; tile += group.size * Channels::kWidth) {
    const Channels channels(group, tile, problem.channels);
    auto sum = broadcast<Channels::kWidth>(0.0);
    for (int64_t row = walk.begin + walk.own; row < walk.end; row += walk.step) {
      const double degree = from.degrees[row];
      const auto values = channels.template load<T>(from.values, row * from.stride);
      for (int v = 0; v < Channels::kWidth; ++v) {
        sum.lanes[v] += degree * static_cast<double>(values.lanes[v]);
      }
    }
    write_share(group, channels, sum, problem.partial, block * problem.channels);
  }
  if (threadIdx.x != 0) return;
  double edges = 0;
  for (int64_t row = walk.begin; of_centers && row < walk.end; ++row) {
    edges += static_cast<double>(from.degrees[row]);
  }
  problem.edges[block] = edges;
}

// Normalisation and activation of a layer's channels; see EdgeConvLayer.
template <typename T>
struct EdgeConvNormal {
  Global<const T> scale, shift;
  Global<T> mean, variance;
  Global<T> inverse, factor;  // 1 / sqrt(variance + eps), and that times scale
  double eps;
  T slope;
  bool normal, trained;

  HITGRAPH_DEVICE T activated(T z) const { return z > 0 ? z : slope * z; }
};

template <typename T>
struct JoinedColumns {
  EdgeConvNormal<T> normal;
  int64_t channels, shares;
  Global<const double> partial;  // (shares, channels)
  Global<const double> counts;   // (shares)
  Global<double> edges;          // (1)
};

// A block 32 channels. The mean over all edges.
template <typename T>
__global__ void __launch_bounds__(kJoinThreads) set_means(JoinedColumns<T> joined) {
  const int64_t channel = static_cast<int64_t>(blockIdx.x) * kWarpSize + lane_index();
  const double sum = join_shares(joined.partial, joined.shares, joined.channels, channel);
  const double edges = join_shares(joined.counts, joined.shares, 1, 0);
  if (threadIdx.x >= kWarpSize) return;
  if (blockIdx.x == 0 && lane_index() == 0) joined.edges[0] = edges;
  if (channel >= joined.channels) return;
  joined.normal.mean[channel] = edges == 0 ? T(0) : static_cast<T>(sum / edges);
}

// A block 32 channels. The variance over all edges, if the layer is trained, and the factors.
template <typename T>
__global__ void __launch_bounds__(kJoinThreads) set_factors(JoinedColumns<T> joined) {
  const EdgeConvNormal<T>& normal = joined.normal;
  const int64_t channel = static_cast<int64_t>(blockIdx.x) * kWarpSize + lane_index();
  double sum = 0;
  // Uniform: one of the barriers is in here.
  if (joined.partial != nullptr) {
    sum = join_shares(joined.partial, joined.shares, joined.channels, channel);
  }
  if (threadIdx.x >= kWarpSize || channel >= joined.channels) return;
  if (joined.partial != nullptr) {
    const double edges = joined.edges[0];
    normal.variance[channel] = edges == 0 ? T(0) : static_cast<T>(sum / edges);
  }
  double deviation = 1;
  if (normal.normal) deviation = __dsqrt_rn(T(normal.variance[channel]) + normal.eps);
  normal.inverse[channel] = static_cast<T>(1 / deviation);
  normal.factor[channel] = static_cast<T>(T(normal.scale[channel]) / deviation);
}

template <typename T, typename Index, typename Slot>
struct EdgeConvSelect {
  EdgeConvEdges<T, Index> edges;
  EdgeConvNormal<T> normal;
  RowShares shares;
  Global<T> value;  // (rows, channels): of trained layers y, of others the result
  Global<Slot> slot;
  Global<double> partial;  // (shares, channels): sums of squared deviations, if trained
};

// One lane's channels of one row.
template <typename T, int kWidth>
struct EdgeSelection {
  Vector<T, kWidth> best, squares;
  Vector<int, kWidth> at;  // the slot of the best, -1: none was better than -inf

  HITGRAPH_DEVICE EdgeSelection()
      : best(broadcast<kWidth>(-infinity<T>())),
        squares(broadcast<kWidth>(T(0))),
        at(broadcast<kWidth>(-1)) {}

  HITGRAPH_DEVICE void add(const Vector<T, kWidth>& values, const Vector<T, kWidth>& sign, int slot,
                           bool exists) {
    for (int v = 0; v < kWidth; ++v) {
      const T ranked = values.lanes[v] * sign.lanes[v];
      const bool better = exists & replaces(ranked, best.lanes[v]);
      best.lanes[v] = better ? ranked : best.lanes[v];
      at.lanes[v] = better ? slot : at.lanes[v];
    }
  }
  // `offset` is center - mean.
  HITGRAPH_DEVICE void add_square(const Vector<T, kWidth>& values, const Vector<T, kWidth>& offset,
                                  bool exists) {
    for (int v = 0; v < kWidth; ++v) {
      const T deviation = offset.lanes[v] + values.lanes[v];
      squares.lanes[v] += exists ? deviation * deviation : T(0);
    }
  }
};

// Calls visit(exists, slot, values) for the edges of `row` in slot order, batch by batch; of an
// edge that does not exist values are 0. `first` is set to the first slot with an edge, -1 if there
// is none. Returns how many exist.
template <typename Channels, typename T, typename Index, typename Visit>
HITGRAPH_DEVICE int visit_edges(const EdgeConvEdges<T, Index>& edges, const RowGroup& group,
                                const Channels& channels, int64_t row, int& first, Visit visit) {
  constexpr int kWidth = Channels::kWidth, kInFlight = Channels::kInFlight;
  int present = 0;
  first = -1;
  for (int begin = 0; begin < edges.k; begin += group.size) {
    const int held = edges.point_of(row, begin + group.lane);
    const unsigned exist = group.ballot(held >= 0);
    present += __popc(exist);
    if (first < 0 && exist != 0) first = begin + __ffs(exist) - 1;
    for (int source = 0; source < group.size && begin + source < edges.k; source += kInFlight) {
      int points[kInFlight];
      Vector<T, kWidth> values[kInFlight];
      for (int e = 0; e < kInFlight; ++e) points[e] = group.from(source + e, held);
      for (int e = 0; e < kInFlight; ++e) {
        values[e] = broadcast<kWidth>(T(0));
        if (points[e] < 0) continue;
        values[e] = channels.template load<T>(edges.neighbour, points[e] * edges.neighbour_stride);
      }
      for (int e = 0; e < kInFlight; ++e) visit(points[e] >= 0, begin + source + e, values[e]);
    }
  }
  return present;
}

// A block a share of rows, tile by tile of its channels.
template <typename T, typename Index, typename Slot, bool kVector>
__global__ void __launch_bounds__(kEdgeConvThreads, kEdgeConvBlocks)
    select_edges(EdgeConvSelect<T, Index, Slot> problem) {
  using Channels = LaneChannels<T, kVector>;
  constexpr int kWidth = Channels::kWidth;
  const EdgeConvEdges<T, Index>& edges = problem.edges;
  const EdgeConvNormal<T>& normal = problem.normal;
  const RowGroup group(edges.group);
  const ShareWalk walk(problem.shares, blockIdx.x, edges.rows, group);
  const bool trained = normal.trained;
  for (int tile = 0; tile < edges.channels; tile += group.size * kWidth) {
    const Channels channels(group, tile, edges.channels);
    auto sign = channels.template load<T>(normal.scale, 0);
    for (int v = 0; v < kWidth; ++v) sign.lanes[v] = sign.lanes[v] < 0 ? T(-1) : T(1);
    auto squares = broadcast<kWidth>(0.0);
    for (int64_t begin = walk.begin; begin < walk.end; begin += walk.step) {
      const int64_t row = walk.row(begin);
      const bool exists = row < edges.rows;
      auto center = broadcast<kWidth>(T(0)), offset = center;
      if (exists) center = channels.template load<T>(edges.center, row * edges.center_stride);
      const auto mean = channels.template load<T>(Global<const T>(normal.mean), 0);
      for (int v = 0; v < kWidth; ++v) offset.lanes[v] = center.lanes[v] - mean.lanes[v];
      EdgeSelection<T, kWidth> selection;
      int first;
      visit_edges(edges, group, channels, row, first,
                  [&](bool present, int slot, const Vector<T, kWidth>& values) {
                    selection.add(values, sign, slot, present);
                    if (trained) selection.add_square(values, offset, present);
                  });
      if (!exists) continue;
      add_to(squares, selection.squares);
      Vector<Slot, kWidth> slots;
      for (int v = 0; v < kWidth; ++v) {
        const int at = selection.at.lanes[v];
        slots.lanes[v] = static_cast<Slot>(at < 0 ? first : at);
        const T y = selection.best.lanes[v] * sign.lanes[v] + center.lanes[v];
        selection.best.lanes[v] = first < 0 ? T(0) : y;
      }
      if (!trained && first >= 0) {
        const auto factor = channels.template load<T>(Global<const T>(normal.factor), 0);
        const auto shift = channels.template load<T>(normal.shift, 0);
        for (int v = 0; v < kWidth; ++v) {
          const T deviation = selection.best.lanes[v] - mean.lanes[v];
          selection.best.lanes[v] = normal.activated(shift.lanes[v] + factor.lanes[v] * deviation);
        }
      }
      channels.template store<T>(selection.best, problem.value, row * edges.channels);
      channels.template store<Slot>(slots, problem.slot, row * edges.channels);
    }
    if (trained) {
      write_share(group, channels, squares, problem.partial,
                  static_cast<int64_t>(blockIdx.x) * edges.channels);
    }
  }
}

template <typename T, typename Slot>
struct EdgeConvActivate {
  EdgeConvNormal<T> normal;
  int64_t rows;
  int channels, group;
  Global<T> value;
  Global<const Slot> slot;
};

// A group a row: what is trained becomes the result once the variance is known.
template <typename T, typename Slot, bool kVector>
__global__ void __launch_bounds__(kEdgeConvThreads)
    activate_rows(EdgeConvActivate<T, Slot> problem) {
  using Channels = LaneChannels<T, kVector>;
  const EdgeConvNormal<T>& normal = problem.normal;
  const RowGroup group(problem.group);
  const int64_t row = group.number;
  if (row >= problem.rows) return;
  const int64_t begin = row * problem.channels;
  if (problem.channels == 0 || problem.slot[begin] == no_slot<Slot>()) return;
  for (int tile = 0; tile < problem.channels; tile += group.size * Channels::kWidth) {
    const Channels channels(group, tile, problem.channels);
    auto value = channels.template load_own<T>(problem.value, begin);
    const auto mean = channels.template load<T>(Global<const T>(normal.mean), 0);
    const auto factor = channels.template load<T>(Global<const T>(normal.factor), 0);
    const auto shift = channels.template load<T>(normal.shift, 0);
    for (int v = 0; v < Channels::kWidth; ++v) {
      const T deviation = value.lanes[v] - mean.lanes[v];
      value.lanes[v] = normal.activated(shift.lanes[v] + factor.lanes[v] * deviation);
    }
    channels.template store<T>(value, problem.value, begin);
  }
}

}  // namespace hitgraph
