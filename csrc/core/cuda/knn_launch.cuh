// What a search kernel is told, and how it lays out shared memory.
#pragma once

#include "core/cuda/group_walk.cuh"

namespace hitgraph {

// Above this, the columns of a row are found in several passes, each going on where the last
// stopped.
constexpr int kMostPerPass = 1024;

// Those of KnnCounters, in its order (nodes are opened for a group), and the bounds of buckets that
// were asked for all queries of a group at once.
enum Counter {
  kQueries,
  kCandidates,
  kBuckets,
  kNodes,
  kAccepted,
  kSelections,
  kRestarts,
  kBucketTests,
  kCounters
};

// What one warp has done; nothing is kept unless it is counted.
template <bool kCounting>
struct CountedWork {
  unsigned long long work[kCounting ? kCounters : 1] = {};

  HITGRAPH_DEVICE void add(Counter counter, int amount) {
    if constexpr (kCounting) work[counter] += amount;
  }
  HITGRAPH_DEVICE void flush(Global<unsigned long long> counters) const {
    if constexpr (kCounting) {
      if (lane_index() != 0) return;
      for (int counter = 0; counter < kCounters; ++counter) {
        atomicAdd(counters + counter, work[counter]);
      }
    }
  }
};

// Of a pool of candidates. A search without a guess cuts it back to `kept` at most, k at least,
// once it holds `trigger`, which gives the first limit; every search does when there is no room.
struct PoolSizes {
  int k;  // neighbours of one pass
  int kept;
  int trigger;
  int capacity;
};

HITGRAPH_HOST_DEVICE PoolSizes pool_sizes(int k, int room) {
  PoolSizes sizes;
  sizes.k = k;
  sizes.kept = k + 4 + k / 16;
  sizes.trigger = sizes.kept + 1;
  sizes.capacity = sizes.kept + kWarpSize + room;
  return sizes;
}

// Factors of squared radii. The shell of a query is the pilot's k-th distance times `shell`; points
// up to the shell times `margin` are kept; a shell that held too few grows by `widen`.
template <typename T>
struct GuessFactors {
  T shell, margin, widen;
};

// Offsets in bytes, for a warp with `group` queries. T arrays first, so that all are aligned.
struct SearchLayout {
  int stride;  // numbers in a query's record: its coordinates and the distance2 of its limit
  uint32_t records, floors, near, low, high, pool_distance2;  // T
  uint32_t states, floor_index, first, pool_index;            // int32
  uint32_t bytes;
};

HITGRAPH_HOST_DEVICE SearchLayout search_layout(int group, int dim, int levels, int capacity,
                                                uint32_t number_size) {
  SearchLayout layout;
  layout.stride = record_size(dim + 1, number_size);
  uint32_t at = 0;
  const auto take = [&](int count, uint32_t size) {
    const uint32_t place = at;
    at += (static_cast<uint32_t>(count) * size + 15) / 16 * 16;
    return place;
  };
  layout.records = take(group * layout.stride, number_size);
  layout.floors = take(group, number_size);
  layout.near = take(levels * kWarpSize, number_size);
  layout.low = take(dim, number_size);
  layout.high = take(dim, number_size);
  layout.pool_distance2 = take(group * capacity, number_size);
  layout.states = take(group * 4, 4);
  layout.floor_index = take(group, 4);
  layout.first = take(levels * kWarpSize, 4);
  layout.pool_index = take(group * capacity, 4);
  layout.bytes = at;
  return layout;
}

template <typename T>
struct KnnLaunch {
  Forest<T> forest;  // of the points
  QueryGroups<T> queries;
  int k;
  PoolSizes pool;  // of a full pass
  GuessFactors<T> guess;
  SearchLayout layout;
  T max_distance2;
  bool exclude_self;
  Neighbours<T> found;                  // (rows, k), or the rows of a compressed list:
  Global<const int64_t> row_splits;     // where each begins, or null; no row has less than k
  Global<unsigned long long> counters;  // (kCounters), null unless counting

  HITGRAPH_DEVICE int64_t row_begin(int row) const {
    return row_splits == nullptr ? static_cast<int64_t>(row) * k : int64_t(row_splits[row]);
  }
};

}  // namespace hitgraph
