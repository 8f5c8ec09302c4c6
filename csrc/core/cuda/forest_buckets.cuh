// The last kernels of a build: buckets, and the boxes above them.
#pragma once

#include "core/cuda/block_partition.cuh"

namespace hitgraph {

template <typename T>
struct Leaves {
  Forest<T> forest;
  Global<const int32_t> part_begin;  // (parts + 1)
  Global<const int32_t> order;       // (rows)
};

// A warp writes one bucket: its rows, their coordinates and its box, if they are wanted. `count`
// may be 0.
template <typename T, typename Row>
HITGRAPH_DEVICE void write_bucket(const Forest<T>& forest, int bucket, int begin, int count,
                                  int segment, Row row_at) {
  const int lane = lane_index();
  if (lane == 0) {
    forest.bucket_begin[bucket] = begin;
    forest.bucket_segment[bucket] = segment;
  }
  const bool present = lane < count;
  int row = 0x7fffffff;
  if (present) {
    row = row_at(lane);
    forest.index[begin + lane] = row;
  }
  if (forest.coordinates == nullptr) return;
  for (int axis = 0; axis < forest.dim; ++axis) {
    T low = infinity<T>(), high = -infinity<T>();
    if (present) {
      const T value = forest.points[static_cast<int64_t>(row) * forest.dim + axis];
      forest.coordinates[static_cast<int64_t>(begin) * forest.dim + axis * count + lane] = value;
      low = high = value;
    }
    if (forest.low == nullptr) continue;
    low = warp_min(low);
    high = warp_max(high);
    if (lane == 0) {
      forest.low[static_cast<int64_t>(axis) * forest.slots + bucket] = low;
      forest.high[static_cast<int64_t>(axis) * forest.slots + bucket] = high;
    }
  }
  if (forest.first_index == nullptr) return;
  const int first = warp_min(row);
  if (lane == 0) forest.first_index[bucket] = first;
}

// A warp a bucket of a forest whose points stay in the order of their rows: a part a segment.
template <typename T>
__global__ void fill_buckets(Forest<T> forest) {
  const int bucket = static_cast<int>((blockIdx.x * blockDim.x + threadIdx.x) / kWarpSize);
  if (bucket > forest.buckets) return;
  const int last = forest.segment_begin[forest.segments];
  if (bucket == forest.buckets) {
    if (lane_index() == 0) forest.bucket_begin[bucket] = last;
    return;
  }
  const int segment = forest.segment_of_bucket(bucket);
  const int begin = forest.segment_begin[segment], end = forest.segment_begin[segment + 1];
  const int place = begin + (bucket - bucket_of_part(segment, begin)) * kBucketSize;
  const int count = smaller(larger(end - place, 0), kBucketSize);
  write_bucket(forest, bucket, smaller(place, end), count, segment,
               [&](int lane) { return int(forest.index[place + lane]); });
}

// A block a part. A part beyond the capacity, an accident of sampling, is cut by position first.
template <typename T>
__global__ void make_buckets(Leaves<T> leaves) {
  const Forest<T>& forest = leaves.forest;
  const int part = static_cast<int>(blockIdx.x);
  const int begin = leaves.part_begin[part], end = leaves.part_begin[part + 1];
  const int first_bucket = bucket_of_part(part, begin), past = bucket_of_part(part + 1, end);
  const int warp = static_cast<int>(threadIdx.x) / kWarpSize;
  const int segment = last_not_beyond(forest.segments, part, [&](int s) {
    return part_of_segment(s, forest.segment_begin[s], forest.rounds);
  });

  BlockPartition<T> partition(forest.points, forest.dim);
  for (int piece = begin; piece < end; piece += kPartCapacity) {
    const int count = smaller(end - piece, kPartCapacity);
    const int bins = (count + kBucketSize - 1) / kBucketSize;
    __syncthreads();
    partition.load(count, bins, kBucketSize,
                   [&](int slot) { return int(leaves.order[piece + slot]); });
    for (int width = bins; width > 1; width = (width + 1) / 2) partition.cut_once();
    const int bucket = first_bucket + (piece - begin) / kBucketSize;
    for (int bin = warp; bin < bins; bin += static_cast<int>(blockDim.x) / kWarpSize) {
      const int place = bin * kBucketSize;
      write_bucket(forest, bucket + bin, piece + place, smaller(count - place, kBucketSize),
                   segment, [&](int lane) { return partition.row_at(place + lane); });
    }
  }
  // The slots that stay over.
  const int full = first_bucket + (end - begin + kBucketSize - 1) / kBucketSize;
  for (int bucket = full + warp; bucket < past;
       bucket += static_cast<int>(blockDim.x) / kWarpSize) {
    write_bucket(forest, bucket, end, 0, segment, [](int) { return 0; });
  }
  if (part < forest.parts - 1) return;
  for (int bucket = past + static_cast<int>(threadIdx.x); bucket <= forest.buckets;
       bucket += static_cast<int>(blockDim.x)) {
    forest.bucket_begin[bucket] = end;
  }
}

template <typename T>
struct BoxLevel {
  Forest<T> forest;
  int level;       // that is made, from the one below
  int node_slots;  // of this level
};

// A warp a node: the box of its 32 children.
template <typename T>
__global__ void box_nodes(BoxLevel<T> boxes) {
  const Forest<T>& forest = boxes.forest;
  const int node = static_cast<int>((blockIdx.x * blockDim.x + threadIdx.x) / kWarpSize);
  if (node >= boxes.node_slots) return;
  const int segment = last_not_beyond(forest.segments, node,
                                      [&](int s) { return forest.nodes(s, boxes.level).first; });
  const auto own = forest.nodes(segment, boxes.level),
             below = forest.nodes(segment, boxes.level - 1);
  const int number = node - own.first;
  if (number >= own.count) return;  // nobody's
  const int child = number * kWarpSize + lane_index();
  const bool present = child < below.count;
  const int64_t from = forest.level_slot[boxes.level - 1] + below.first + child;
  const int64_t to = forest.level_slot[boxes.level] + node;
  for (int axis = 0; axis < forest.dim; ++axis) {
    const int64_t column = static_cast<int64_t>(axis) * forest.slots;
    const T low = warp_min<T>(present ? T(forest.low[column + from]) : infinity<T>());
    const T high = warp_max<T>(present ? T(forest.high[column + from]) : -infinity<T>());
    if (lane_index() == 0) {
      forest.low[column + to] = low;
      forest.high[column + to] = high;
    }
  }
  const int first = warp_min(present ? int(forest.first_index[from]) : 0x7fffffff);
  if (lane_index() == 0) forest.first_index[to] = first;
}

}  // namespace hitgraph
