// The bins on the device: one tree of buckets for every segment, built for all segments at once.
//
// Layout. A *position* is a place in the order of the trees; segment s owns the positions
// segment_begin[s] ... segment_begin[s + 1] - 1. Buckets are runs of at most 32 positions.
//   index        [position]                   row of the point
//   coordinates  [bucket][axis][lane]         packed: bucket b starts at bucket_begin[b] * dim
//   low, high    [axis][slot]                 boxes of the buckets (level 0) and of the nodes above
//   first_index  [slot]                       smallest row inside, for the tie rule
// A node of level l is the box of 32 consecutive nodes of level l - 1 of its segment.
//
// Numbering without a scan. How many parts, buckets and nodes a segment has is known on the device
// only, and nothing waits for it. Instead whatever owns positions [begin, end) gets the slots
//   [id + floor(begin / step), next id + floor(end / step)),
// which are more than (end - begin) / step and never those of a neighbour, so that every number
// follows from a segment's first position by arithmetic, and every buffer is sized from (N, B).
// Slots that stay over are empty: a bucket without points, a box that nothing is near to.
#pragma once

#include "core/cuda/ascending.cuh"
#include "core/cuda/warp.cuh"
#include "core/distance.h"
#include "core/kd_key.h"

namespace hitgraph {

constexpr int kFanout = 64;          // parts that one round makes of one
constexpr int kPartTarget = 1024;    // points a part should end with
constexpr int kPartCapacity = 2048;  // points that a block can order
constexpr int kTile = 512;           // positions a warp classifies at once
constexpr int kMaxLevels = 6;        // 32^6 buckets exceed what an int32 can name
static_assert(kBucketSize == kWarpSize, "a candidate per lane");

HITGRAPH_HOST_DEVICE int slots_before(int begin, int step) { return begin / step; }

// Parts of a round: part p of the one before becomes the parts child_part(p, begin of p) and on.
HITGRAPH_HOST_DEVICE int child_part(int part, int begin) {
  return part + static_cast<int>(2 * static_cast<long long>(begin) / kPartTarget);
}

// The cells of a round's histogram: (part, leaf, tile). Fanout times tiles is at most
// 130 / 1024 of the points of a part that is cut, and one a tile of one that is not.
HITGRAPH_HOST_DEVICE int first_cell(int part, int begin) {
  return part + static_cast<int>(130 * static_cast<long long>(begin) / 1024);
}

HITGRAPH_HOST_DEVICE int first_tile(int part, int begin) { return part + begin / kTile; }

HITGRAPH_HOST_DEVICE int bucket_of_part(int part, int begin) { return part + begin / kBucketSize; }

HITGRAPH_HOST_DEVICE int part_of_segment(int segment, int begin, int rounds) {
  return segment + rounds * static_cast<int>(2 * static_cast<long long>(begin) / kPartTarget);
}

HITGRAPH_HOST_DEVICE int bucket_of_segment(int segment, int begin, int rounds) {
  return bucket_of_part(part_of_segment(segment, begin, rounds), begin);
}

// How many parts a part of `count` points is cut into: a power of two.
HITGRAPH_HOST_DEVICE int fanout(int count) {
  if (count <= kPartCapacity) return 1;
  int parts = 2;
  while (parts < kFanout && parts * kPartTarget < count) parts *= 2;
  return parts;
}

template <typename T>
struct Forest {
  // What it is made of.
  Global<const T> points;
  Global<const bool> mask;           // null: everybody
  Global<const int64_t> row_splits;  // null: one segment
  int rows, dim, segments;
  // How it is numbered.
  int rounds;                  // of splitting
  int parts;                   // slots after the last round
  int buckets;                 // slots
  int levels;                  // of boxes, level 0 the buckets
  int level_slot[kMaxLevels];  // where a level's slots start
  int slots;                   // of all levels
  // What is made.
  Global<int32_t> malformed;       // one: row_splits are not row_splits
  Global<int32_t> flags, ranks;    // (rows + 1): takes part; how many before do
  Global<int32_t> segment_begin;   // (segments + 1)
  Global<int32_t> index;           // (rows)
  Global<int32_t> bucket_begin;    // (buckets + 1)
  Global<int32_t> bucket_segment;  // (buckets)
  Global<T> coordinates;           // (rows, dim), null if boxes are not wanted
  Global<T> low, high;             // (dim, slots)
  Global<int32_t> first_index;     // (slots)

  HITGRAPH_DEVICE int segment_of_bucket(int bucket) const {
    return last_not_beyond(segments, bucket, [&](int segment) {
      return bucket_of_segment(segment, segment_begin[segment], rounds);
    });
  }

  // The first node of a segment at a level, and how many nodes it has there.
  struct Nodes {
    int first, count;
  };
  HITGRAPH_DEVICE Nodes nodes(int segment, int level) const {
    const int begin = segment_begin[segment], end = segment_begin[segment + 1];
    Nodes nodes;
    nodes.first = bucket_of_segment(segment, begin, rounds);
    nodes.count = begin == end ? 0 : bucket_of_segment(segment + 1, end, rounds) - nodes.first;
    for (int above = 0; above < level; ++above) {
      nodes.first = segment + nodes.first / kWarpSize;
      nodes.count = (nodes.count + kWarpSize - 1) / kWarpSize;
    }
    return nodes;
  }
};

}  // namespace hitgraph
