// What a group of lanes sums over the edges that reach one point, in the order of the transposed
// graph, in short batches; a hub's edges by pieces, which are joined in order. No atomics.
#pragma once

#include "core/cuda/hub_piece.cuh"
#include "core/cuda/row_group.cuh"
// After the vocabulary.
#include "core/gravnet_rules.h"

namespace hitgraph {

// So many products are summed one after the other, a multiple of any group's lanes.
constexpr int kSummedEdges = 32;

// One lane's channels of the sum over at most kHubPiece edges of one point: in short batches, so
// that its error grows with kSummedEdges and with the number of batches.
template <typename T, int kWidth>
struct EdgeSum {
  Vector<T, kWidth> batch = broadcast<kWidth>(T(0)), sum = batch;

  HITGRAPH_DEVICE void end_batch() {
    for (int v = 0; v < kWidth; ++v) sum.lanes[v] += batch.lanes[v];
    batch = broadcast<kWidth>(T(0));
  }
};

// The winning slots of one lane's channels in one row.
template <typename Channels, typename Slot,
          bool kPacked = Channels::kHasVectors && sizeof(Slot) == 1>
struct Winners {
  Vector<Slot, Channels::kWidth> slots = broadcast<Channels::kWidth>(no_slot<Slot>());

  HITGRAPH_DEVICE void load(Global<const Slot> array, const Channels& channels, int64_t row) {
    slots = channels.template load<Slot>(array, row);
  }
  HITGRAPH_DEVICE bool has(int v, int slot) const {
    return slots.lanes[v] == static_cast<Slot>(slot);
  }
  HITGRAPH_DEVICE bool any(int slot) const {
    bool found = false;
    for (int v = 0; v < Channels::kWidth; ++v) found = found || has(v, slot);
    return found;
  }
};

// Bytes stay packed until they are compared: to take them apart is to wait for them, and the rows
// of the next edges are to be asked for first.
template <typename Channels, typename Slot>
struct Winners<Channels, Slot, true> {
  static constexpr unsigned kOnes = 0x01010101u, kNone = kFullWarp;
  unsigned slots = kNone;

  HITGRAPH_DEVICE void load(Global<const Slot> array, const Channels& channels, int64_t row) {
    slots = load_bytes<Channels::kWidth>(array, row + channels.own[0]);
    if (Channels::kWidth == 2) slots |= kNone << 16;
  }
  HITGRAPH_DEVICE bool has(int v, int slot) const {
    return (slots >> 8 * v & 255u) == static_cast<unsigned>(slot);
  }
  // Whether one of the bytes is zero (Mycroft).
  HITGRAPH_DEVICE bool any(int slot) const {
    const unsigned difference = slots ^ static_cast<unsigned>(slot) * kOnes;
    return ((difference - kOnes) & ~difference & kOnes << 7) != 0;
  }
};

// So many edges of a point are worked on at once. Slots of 32 bits take many registers.
template <typename Channels, typename Slot>
constexpr int kPointEdges = sizeof(Slot) == 1 ? Channels::kInFlight : 2;

// The places of a point's edges, of which a group sums `own`: all, or none if others sum its
// pieces.
struct EdgesToPoint {
  int64_t begin = 0, count = 0;
  int own = 0;
  bool exists, hub;

  HITGRAPH_DEVICE EdgesToPoint(Global<const int64_t> offsets, int64_t points, int64_t point)
      : exists(point < points) {
    if (exists) begin = offsets[point];
    if (exists) count = offsets[point + 1] - begin;
    hub = HubPiece::is_hub(0, count);
    if (!hub) own = static_cast<int>(count);
  }
};

// Walks over `count` edges, at most kHubPiece. look_up(held, place) gives a lane an edge to hold, a
// `Held` without one stands for none; add(held, source) adds kAtOnce, which lane `source` and those
// after it hold, to `sum`. Groups of a warp go through the same steps.
template <typename Held, int kAtOnce, typename LookUp, typename Add, typename Sum>
HITGRAPH_DEVICE void walk_point_edges(const RowGroup& group, int count, LookUp look_up, Add add,
                                      Sum& sum) {
  for (int first = 0; __any_sync(kFullWarp, first < count); first += group.size) {
    Held held;
    if (first + group.lane < count) look_up(held, first + group.lane);
    for (int source = 0; source < group.size && __any_sync(kFullWarp, first + source < count);
         source += kAtOnce) {
      add(held, source);
    }
    if ((first + group.size) % kSummedEdges == 0) sum.end_batch();
  }
  sum.end_batch();
}

// The sums of a hub's pieces, which lie in `partial` from `column` on, `width` numbers a piece. In
// double: there may be as many as edges / kHubPiece. Offsets are read again: kept since the walk,
// they cost registers that its kernels do not have.
template <typename Channels, typename T>
HITGRAPH_DEVICE Vector<T, Channels::kWidth> join_pieces(const Channels& channels,
                                                        Global<const int64_t> offsets,
                                                        int64_t point, Global<const T> partial,
                                                        int64_t width, int64_t column) {
  const int64_t begin = offsets[point], end = offsets[point + 1];
  auto joined = broadcast<Channels::kWidth>(0.0);
  for (int64_t piece = begin; piece < end; piece += kHubPiece) {
    const int64_t place = HubPiece::number(piece, piece == begin) * width + column;
    const auto sum = channels.template load<T>(partial, place);
    for (int v = 0; v < Channels::kWidth; ++v) joined.lanes[v] += sum.lanes[v];
  }
  Vector<T, Channels::kWidth> rounded;
  for (int v = 0; v < Channels::kWidth; ++v) rounded.lanes[v] = static_cast<T>(joined.lanes[v]);
  return rounded;
}

}  // namespace hitgraph
