// One round of splitting: every part of more than 2048 points becomes up to 64 parts, by a small
// k-d tree over a sample of its points. Points keep their order within a part, which is that of
// rows.
#pragma once

#include "core/cuda/block_partition.cuh"
#include "core/cuda/forest_rows.cuh"

namespace hitgraph {

constexpr int kSample = 1024;
constexpr int kCuts = kFanout;  // 63 inner nodes of a tree, in heap order
constexpr int kTileWarps = 4;   // tiles a block

template <typename T>
struct Round {
  Forest<T> forest;
  int parts;                          // slots, of the parts that are split
  int trees, tiles, cells, children;  // slots
  Global<const int32_t> part_begin;   // (parts + 1)
  Global<const int32_t> order;        // (rows) before
  Global<int32_t> next_order;         // (rows) after
  Global<int32_t> child_begin;        // (children + 1)
  Global<int32_t> cut_axis;           // (trees, kCuts)
  Global<T> cut_origin;
  Global<unsigned long long> cut_key;
  Global<unsigned char> leaf;      // (rows)
  Global<int32_t> counts, places;  // (cells): points, and where they go

  // The part that is split by the tree in slot `tree`, or -1. A part of more than kPartTarget
  // points that begins in the slot's stretch of positions is the last that does.
  HITGRAPH_DEVICE int part_of_tree(int tree) const {
    const int stretch = tree * kPartTarget + (kPartTarget - 1);
    const int part = last_not_beyond(parts, stretch, [&](int p) { return int(part_begin[p]); });
    const int begin = part_begin[part], end = part_begin[part + 1];
    return begin / kPartTarget == tree && fanout(end - begin) > 1 ? part : -1;
  }
};

HITGRAPH_DEVICE unsigned scrambled(unsigned value) {
  value ^= value >> 16;
  value *= 0x7feb352du;
  value ^= value >> 15;
  value *= 0x846ca68bu;
  return value ^ value >> 16;
}

// A block a tree. The sample is one point out of each of 1024 equal stretches, at a random place in
// it: points that lie in raster order must not all come from one column.
template <typename T>
__global__ void plant_trees(Round<T> round) {
  const int tree = static_cast<int>(blockIdx.x);
  const int part = round.part_of_tree(tree);
  if (part < 0) return;
  const int begin = round.part_begin[part], end = round.part_begin[part + 1];
  const int count = end - begin;

  BlockPartition<T> partition(round.forest.points, round.forest.dim);
  partition.load(kSample, kBins, kSample / kBins, [&](int slot) {
    const unsigned long long from = static_cast<unsigned long long>(slot) * count / kSample;
    const unsigned long long to = static_cast<unsigned long long>(slot + 1) * count / kSample;
    const unsigned jitter = scrambled(static_cast<unsigned>(begin + slot));
    return int(round.order[begin + static_cast<int>(from + jitter % (to - from))]);
  });
  const int leaves = fanout(count);
  for (int nodes = 1; nodes < leaves; nodes *= 2) {
    partition.cut_once();
    const int node = static_cast<int>(threadIdx.x);
    if (node < nodes) {
      const Cut<T> cut = partition.cut_before((2 * node + 1) * (kBins / nodes / 2));
      const int64_t place = static_cast<int64_t>(tree) * kCuts + nodes - 1 + node;
      round.cut_axis[place] = cut.axis;
      round.cut_origin[place] = cut.origin;
      round.cut_key[place] = cut.key;
    }
    __syncthreads();
  }
}

// What a warp knows of its tile: a stretch of at most 512 positions of one part.
template <typename T>
struct Tile {
  int part, begin, end, leaves, digits;
  int tree;          // slot
  int cell, stride;  // cell of leaf 0; from one leaf to the next

  // False if the slot is empty.
  HITGRAPH_DEVICE bool find(const Round<T>& round, int tile) {
    if (tile >= round.tiles) return false;
    part = last_not_beyond(round.parts, tile,
                           [&](int p) { return first_tile(p, round.part_begin[p]); });
    const int part_begin = round.part_begin[part], part_end = round.part_begin[part + 1];
    const int number = tile - first_tile(part, part_begin);
    begin = part_begin + number * kTile;
    if (begin >= part_end) return false;
    end = smaller(begin + kTile, part_end);
    leaves = fanout(part_end - part_begin);
    digits = 0;
    while (1 << digits < leaves) ++digits;
    tree = part_begin / kPartTarget;
    stride = (part_end - part_begin + kTile - 1) / kTile;
    cell = first_cell(part, part_begin) + number;
    return true;
  }
};

template <typename T>
HITGRAPH_DEVICE int leaf_of(const Round<T>& round, const Tile<T>& tile, int row) {
  int node = 0;
  for (int digit = 0; digit < tile.digits; ++digit) {
    const int64_t place = static_cast<int64_t>(tile.tree) * kCuts + node;
    const int axis = round.cut_axis[place];
    const T origin = round.cut_origin[place];
    const unsigned long long cut = round.cut_key[place];
    const T value = round.forest.points[static_cast<int64_t>(row) * round.forest.dim + axis];
    node = 2 * node + (kd_key(kd_coordinate<T>(value, origin), row) < cut ? 1 : 2);
  }
  return node - (tile.leaves - 1);
}

// The tile's points, 32 at a time, each with its leaf and its rank among those of the same leaf so
// far: `next` holds a number a leaf, and visit(position, leaf, place) gets that number plus the
// rank.
template <typename T, typename Leaf, typename Visit>
HITGRAPH_DEVICE void rank_by_leaf(const Tile<T>& tile, const Shared<int32_t>& next, Leaf leaf_at,
                                  Visit visit) {
  for (int first = tile.begin; first < tile.end; first += kWarpSize) {
    const int position = first + lane_index();
    const bool present = position < tile.end;
    const unsigned here = __ballot_sync(kFullWarp, present);
    const int leaf = present ? leaf_at(position) : 0;
    const unsigned alike = lanes_alike(leaf, tile.digits, here);
    const int place = next[leaf];
    if (present) visit(position, leaf, place + __popc(alike & lanes_below()));
    __syncwarp();
    if (present && (alike & lanes_below()) == 0) next[leaf] = place + __popc(alike);
    __syncwarp();
  }
}

HITGRAPH_DEVICE Shared<int32_t> leaf_counters() {
  return shared_array<int32_t>((threadIdx.x / kWarpSize) * kFanout * 4, kFanout);
}

HITGRAPH_DEVICE int tile_number() {
  return static_cast<int>(blockIdx.x * kTileWarps + threadIdx.x / kWarpSize);
}

// A warp a tile: the leaf of every point, and how many points each leaf gets from this tile.
template <typename T>
__global__ void count_leaves(Round<T> round) {
  Tile<T> tile;
  if (!tile.find(round, tile_number())) return;
  const Shared<int32_t> next = leaf_counters();
  for (int leaf = lane_index(); leaf < kFanout; leaf += kWarpSize) next[leaf] = 0;
  __syncwarp();
  rank_by_leaf<T>(
      tile, next,
      [&](int position) {
        const int leaf = tile.leaves == 1 ? 0 : leaf_of(round, tile, round.order[position]);
        round.leaf[position] = static_cast<unsigned char>(leaf);
        return leaf;
      },
      [](int, int, int) {});
  for (int leaf = lane_index(); leaf < tile.leaves; leaf += kWarpSize) {
    round.counts[tile.cell + leaf * tile.stride] = int(next[leaf]);
  }
}

// A warp a tile: every point to its place.
template <typename T>
__global__ void scatter_leaves(Round<T> round) {
  Tile<T> tile;
  if (!tile.find(round, tile_number())) return;
  const Shared<int32_t> next = leaf_counters();
  for (int leaf = lane_index(); leaf < kFanout; leaf += kWarpSize) {
    next[leaf] = leaf < tile.leaves ? int(round.places[tile.cell + leaf * tile.stride]) : 0;
  }
  __syncwarp();
  rank_by_leaf<T>(
      tile, next, [&](int position) { return int(round.leaf[position]); },
      [&](int position, int, int place) { round.next_order[place] = int(round.order[position]); });
}

// One thread a child: where it begins. Slots that stay over begin where the part ends.
template <typename T>
__global__ void begin_children(Round<T> round) {
  const int child = thread_number();
  if (child > round.children) return;
  const int part = last_not_beyond(round.parts + 1, child,
                                   [&](int p) { return child_part(p, round.part_begin[p]); });
  const int begin = round.part_begin[part];
  if (part == round.parts) {
    round.child_begin[child] = begin;
    return;
  }
  const int end = round.part_begin[part + 1], leaves = begin == end ? 0 : fanout(end - begin);
  const int stride = (end - begin + kTile - 1) / kTile;
  const int leaf = child - child_part(part, begin);
  round.child_begin[child] =
      leaf < leaves ? int(round.places[first_cell(part, begin) + leaf * stride]) : end;
}

}  // namespace hitgraph
