// The launches that build a forest. Written once: `Device` is CUDA's (device.cuh) or, in the tests,
// the host's. It gives zero-cost names to what they share:
//   device.array<T>(name, count)                         scratch memory, not initialised
//   device.zero(array, count)
//   device.exclusive_scan(from, to, count)               of one integer type
//   device.launch(name, kernel, blocks, threads, shared bytes, argument)
// Nothing here reads what the device computes: sizes follow from (rows, segments) alone.
#pragma once

#include "core/cuda/forest_buckets.cuh"
#include "core/cuda/forest_split.cuh"

namespace hitgraph {

template <typename T>
struct ForestInput {
  Global<const T> points;
  Global<const bool> mask;
  Global<const int64_t> row_splits;
  int64_t rows = 0, dim = 0, segments = 1;
};

constexpr int kThreads = 256;
// A tree is planted by few blocks, which everything waits for; buckets are made by many.
constexpr int kPlantThreads = 512, kBucketThreads = 128;

inline int64_t blocks_for(int64_t threads) { return (threads + kThreads - 1) / kThreads; }

// Rounds until parts of `rows` points have about kPartTarget each.
inline int split_rounds(int64_t rows) {
  int rounds = 0;
  for (int64_t most = kPartCapacity; most < rows; ++rounds) {
    most = (rounds == 0 ? kPartTarget : most) * kFanout;
  }
  return rounds;
}

template <typename T>
void number_forest(Forest<T>& forest, const ForestInput<T>& input) {
  forest.points = input.points;
  forest.mask = input.mask;
  forest.row_splits = input.row_splits;
  forest.rows = static_cast<int>(input.rows);
  forest.dim = static_cast<int>(input.dim);
  forest.segments = static_cast<int>(input.segments);
  forest.rounds = split_rounds(input.rows);
  forest.parts = part_of_segment(forest.segments, forest.rows, forest.rounds);
  forest.buckets = bucket_of_part(forest.parts, forest.rows);
  // The most buckets that one segment can have.
  int64_t most = bucket_of_segment(1, forest.rows, forest.rounds) + 1;
  forest.levels = 1;
  forest.level_slot[0] = 0;
  forest.slots = forest.buckets;
  for (int nodes = forest.buckets; most > kWarpSize; ++forest.levels) {
    most = (most + kWarpSize - 1) / kWarpSize;
    nodes = forest.segments + nodes / kWarpSize;
    forest.level_slot[forest.levels] = forest.slots;
    forest.slots += nodes;
  }
}

// Rows that take part, in order, and where each segment starts among them.
template <typename T, typename Device>
void list_points(Device& device, Forest<T>& forest) {
  const int64_t rows = forest.rows;
  forest.malformed = device.template array<int32_t>("malformed", 1);
  forest.flags = device.template array<int32_t>("flags", rows + 1);
  forest.ranks = device.template array<int32_t>("ranks", rows + 1);
  forest.segment_begin = device.template array<int32_t>("segment_begin", forest.segments + 1);
  forest.index = device.template array<int32_t>("index", rows);
  if (forest.row_splits != nullptr) {
    device.zero(forest.malformed, 1);
    device.launch("check_row_splits", check_row_splits<T>, blocks_for(forest.segments), kThreads, 0,
                  forest);
  }
  device.launch("mark_rows", mark_rows<T>, blocks_for(rows + 1), kThreads, 0, forest);
  device.exclusive_scan(forest.flags, forest.ranks, rows + 1);
  const int64_t numbers = rows > forest.segments ? rows : forest.segments;
  device.launch("list_rows", list_rows<T>, blocks_for(numbers + 1), kThreads, 0, forest);
}

template <typename T, typename Device>
void split_parts(Device& device, Forest<T>& forest, Leaves<T>& leaves) {
  Round<T> round{};
  round.forest = forest;
  round.parts = forest.segments;
  round.part_begin = forest.segment_begin;
  round.order = forest.index;
  round.trees = forest.rows / kPartTarget + 1;
  const int64_t cuts = static_cast<int64_t>(round.trees) * kCuts;
  round.cut_axis = device.template array<int32_t>("cut_axis", cuts);
  round.cut_origin = device.template array<T>("cut_origin", cuts);
  round.cut_key = device.template array<unsigned long long>("cut_key", cuts);
  round.leaf = device.template array<unsigned char>("leaf", forest.rows);
  const Global<int32_t> orders[2] = {device.template array<int32_t>("order", forest.rows),
                                     device.template array<int32_t>("order", forest.rows)};
  for (int number = 0; number < forest.rounds; ++number) {
    round.next_order = orders[number % 2];
    round.tiles = first_tile(round.parts, forest.rows);
    round.cells = first_cell(round.parts, forest.rows);
    round.children = child_part(round.parts, forest.rows);
    const Global<int32_t> child_begin =
        device.template array<int32_t>("child_begin", round.children + 1);
    round.child_begin = child_begin;
    round.counts = device.template array<int32_t>("counts", round.cells);
    round.places = device.template array<int32_t>("places", round.cells);
    const int64_t tile_blocks = (round.tiles + kTileWarps - 1) / kTileWarps;
    const uint32_t counter_bytes = kTileWarps * kFanout * 4;
    device.launch("plant_trees", plant_trees<T>, round.trees, kPlantThreads,
                  BlockPartition<T>::shared_bytes(), round);
    device.zero(round.counts, round.cells);
    device.launch("count_leaves", count_leaves<T>, tile_blocks, kTileWarps * kWarpSize,
                  counter_bytes, round);
    device.exclusive_scan(round.counts, round.places, round.cells);
    device.launch("scatter_leaves", scatter_leaves<T>, tile_blocks, kTileWarps * kWarpSize,
                  counter_bytes, round);
    device.launch("begin_children", begin_children<T>, blocks_for(round.children + 1), kThreads, 0,
                  round);
    round.parts = round.children;
    round.part_begin = child_begin;
    round.order = round.next_order;
  }
  leaves.part_begin = round.part_begin;
  leaves.order = round.order;
}

// The forest of a set of points; without `boxes` only the order and the buckets, as queries need
// it.
template <typename T, typename Device>
Forest<T> build_forest(Device& device, const ForestInput<T>& input, bool boxes) {
  Forest<T> forest{};
  number_forest(forest, input);
  list_points(device, forest);
  forest.bucket_begin = device.template array<int32_t>("bucket_begin", forest.buckets + 1);
  forest.bucket_segment = device.template array<int32_t>("bucket_segment", forest.buckets);
  if (boxes) {
    const int64_t dim = forest.dim;
    forest.coordinates = device.template array<T>("coordinates", forest.rows * dim);
    forest.low = device.template array<T>("low", forest.slots * dim);
    forest.high = device.template array<T>("high", forest.slots * dim);
    forest.first_index = device.template array<int32_t>("first_index", forest.slots);
  }
  Leaves<T> leaves{};
  if (forest.rounds > 0) {
    split_parts(device, forest, leaves);
  } else {
    // Buckets are written where the rows they come from are read.
    leaves.part_begin = forest.segment_begin;
    leaves.order = forest.index;
    forest.index = device.template array<int32_t>("index", forest.rows);
  }
  leaves.forest = forest;
  device.launch("make_buckets", make_buckets<T>, forest.parts, kBucketThreads,
                BlockPartition<T>::shared_bytes(), leaves);
  for (int level = 1; boxes && level < forest.levels; ++level) {
    const int end = level + 1 < forest.levels ? forest.level_slot[level + 1] : forest.slots;
    const BoxLevel<T> level_boxes{forest, level, end - forest.level_slot[level]};
    device.launch("box_nodes", box_nodes<T>,
                  blocks_for(int64_t{kWarpSize} * level_boxes.node_slots), kThreads, 0,
                  level_boxes);
  }
  return forest;
}

// The points in the order of their rows, in buckets without boxes: what a search needs that
// compares all pairs of a segment. `coordinates`: bucket by bucket, as points need them.
template <typename T, typename Device>
Forest<T> build_row_order(Device& device, const ForestInput<T>& input, bool coordinates) {
  Forest<T> forest{};
  number_forest(forest, input);
  forest.rounds = forest.levels = 0;
  forest.parts = forest.segments;
  forest.buckets = forest.slots = bucket_of_part(forest.parts, forest.rows);
  list_points(device, forest);
  forest.bucket_begin = device.template array<int32_t>("bucket_begin", forest.buckets + 1);
  forest.bucket_segment = device.template array<int32_t>("bucket_segment", forest.buckets);
  if (coordinates) {
    forest.coordinates = device.template array<T>("coordinates", int64_t{forest.rows} * forest.dim);
  }
  device.launch("fill_buckets", fill_buckets<T>,
                blocks_for(int64_t{kWarpSize} * (forest.buckets + 1)), kThreads, 0, forest);
  return forest;
}

}  // namespace hitgraph
