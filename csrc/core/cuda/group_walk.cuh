// What the searches share. A warp takes a group of queries of one bucket and walks through the
// boxes of their segment; candidates are lanes, queries a uniform loop.
#pragma once

#include "core/cuda/forest.cuh"

namespace hitgraph {

// Where neighbours go. One of the two indices is null.
template <typename T>
struct Neighbours {
  Global<int32_t> index32;
  Global<int64_t> index64;
  Global<T> distance2;

  HITGRAPH_DEVICE void write(int64_t place, T near, int number) const {
    distance2[place] = near;
    if (index64 != nullptr) {
      index64[place] = number;
    } else {
      index32[place] = number;
    }
  }
  HITGRAPH_DEVICE int index(int64_t place) const {
    return index64 != nullptr ? static_cast<int>(index64[place]) : int(index32[place]);
  }
};

// Up to `count` queries of one bucket, from `begin` on in the order of the queries' forest.
struct QueryGroup {
  int begin, count, segment;
};

// Who asks, in groups of at most `size` queries, a divisor of 32.
template <typename T>
struct QueryGroups {
  Global<const T> coordinates;    // (., dim)
  Global<const int32_t> index;    // the order of the queries' buckets ...
  Global<const int32_t> begin;    // ... where each starts (buckets + 1)
  Global<const int32_t> segment;  // ... and its segment
  int buckets, size;

  HITGRAPH_HOST_DEVICE int64_t count() const {
    return static_cast<int64_t>(buckets) * (kWarpSize / size);
  }
  // Without queries where a bucket has fewer.
  HITGRAPH_DEVICE QueryGroup group(int number) const {
    const int groups = kWarpSize / size, bucket = number / groups;
    QueryGroup group;
    group.begin = begin[bucket] + number % groups * size;
    group.count = smaller(size, begin[bucket + 1] - group.begin);
    // Slots that stay over have no segment.
    group.segment = group.count > 0 ? int(segment[bucket]) : -1;
    return group;
  }
};

// Numbers of a query as they are read: 16 bytes at a time.
HITGRAPH_HOST_DEVICE constexpr int record_size(int numbers, uint32_t number_size) {
  const int quad = 16 / static_cast<int>(number_size);
  return (numbers + quad - 1) / quad * quad;
}

template <typename T, int kNumbers>
struct alignas(16) QueryRecord {
  static constexpr int kSize = record_size(kNumbers, sizeof(T));
  T value[kSize];
};

// This lane's query: its coordinates, and `rest` behind them, since a record is read whole.
template <typename T>
HITGRAPH_DEVICE void write_record(const Shared<T>& records, int stride, int dim,
                                  const Global<const T>& coordinates, int row, T rest) {
  const int record = lane_index() * stride;
  for (int axis = 0; axis < dim; ++axis) {
    records[record + axis] = T(coordinates[static_cast<int64_t>(row) * dim + axis]);
  }
  for (int number = dim; number < stride; ++number) records[record + number] = rest;
}

// The box of the lanes' queries, of those that ask.
template <typename T>
HITGRAPH_DEVICE void box_records(const Shared<T>& records, int stride, int dim, bool asks,
                                 const Shared<T>& low_corner, const Shared<T>& high_corner) {
  for (int axis = 0; axis < dim; ++axis) {
    T low = infinity<T>(), high = -infinity<T>();
    if (asks) low = high = records[lane_index() * stride + axis];
    low = warp_min(low);
    high = warp_max(high);
    if (lane_index() == 0) {
      low_corner[axis] = low;
      high_corner[axis] = high;
    }
  }
  __syncwarp();
}

template <typename T>
struct Interval {
  T low, high;
};

// The bound of the box in `slot` towards another: from(axis) is its interval.
template <typename T, typename From>
HITGRAPH_DEVICE T box_bound(const Forest<T>& forest, int dim, int slot, From from) {
  T bound = T(0);
  for (int axis = 0; axis < dim; ++axis) {
    const int64_t place = static_cast<int64_t>(axis) * forest.slots + slot;
    const Interval<T> other = from(axis);
    const T gap = axis_gap<T>(forest.low[place], forest.high[place], other.low, other.high);
    bound = fused_square_add(gap, bound);
  }
  return bound;
}

// The point of a bucket that is this lane's.
template <typename T, int kDim>
struct Candidate {
  int index = -1;  // of the point; -1: the bucket has fewer
  int count = 0;   // of the bucket

  HITGRAPH_DEVICE void load(const Forest<T>& forest, int dim, int bucket) {
    const int begin = forest.bucket_begin[bucket];
    count = forest.bucket_begin[bucket + 1] - begin;
    column_ = static_cast<int64_t>(begin) * dim + lane_index();
    index = lane_index() < count ? int(forest.index[begin + lane_index()]) : -1;
    if (kDim > 0 && index >= 0) {
      for (int axis = 0; axis < kDim; ++axis) {
        coordinates_[axis] = forest.coordinates[column_ + axis * count];
      }
    }
  }

  // To the query with the coordinates query(axis). Means nothing where index is -1.
  template <typename Query>
  HITGRAPH_DEVICE T distance2(const Forest<T>& forest, int dim, Query query) const {
    T distance2 = T(0);
    if (kDim == 0 && index < 0) return distance2;
    for (int axis = 0; axis < dim; ++axis) {
      T coordinate;
      if constexpr (kDim > 0) {
        coordinate = coordinates_[axis];
      } else {
        coordinate = forest.coordinates[column_ + static_cast<int64_t>(axis) * count];
      }
      const T own = query(axis);
      distance2 = fused_square_add(coordinate - own, distance2);
    }
    return distance2;
  }

 private:
  int64_t column_ = 0;
  T coordinates_[kDim > 0 ? kDim : 1] = {};
};

// Depth first through the boxes of a segment. The children of one node at each level are on the way
// down: numbers are relative to the segment, so a parent is a division. open(level, parent) looks
// at the children of a node; next(level) is the lane of the one to enter next, or -1 if there is
// none; visit(bucket).
template <typename T, typename Open, typename Next, typename Visit>
HITGRAPH_DEVICE void walk_boxes(const Forest<T>& forest, int segment, Open open, Next next,
                                Visit visit) {
  const int first_bucket = forest.nodes(segment, 0).first;
  int level = 0;
  while (forest.nodes(segment, level).count > kWarpSize) ++level;
  const int top = level;
  int parent = 0;
  open(level, parent);
  for (;;) {
    const int lane = next(level);
    if (lane < 0) {
      if (level == top) return;
      ++level;
      parent /= kWarpSize;
      continue;
    }
    const int child = parent * kWarpSize + lane;
    if (level == 0) {
      visit(first_bucket + child);
    } else {
      --level;
      parent = child;
      open(level, parent);
    }
  }
}

}  // namespace hitgraph
