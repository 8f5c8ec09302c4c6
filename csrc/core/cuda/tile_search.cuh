// The k-nearest search in many dimensions, where most boxes reach into every query's sphere and
// what counts is how often a point is read and a distance made.
//
// A block takes the queries of one bucket, kWarpQueries a warp, and goes through the buckets of
// their segment a few at a time: a *tile*, whose coordinates are in shared memory, kTileAxes axes
// after another. A lane keeps the distances of kWarpQueries queries to one point of each bucket in
// registers: direct differences, one fused multiply-add an axis, axes in order. A sum of squares
// only grows, rounded or not, so a tile is left when all sums of the block are beyond their limits.
//
// With boxes the walk is nearest first, from the box of the block's queries, up to the widest of
// their limits; every warp walks by itself, in step with the others, since all read the same
// limits. Without, it is the order of the buckets.
//
// Shared memory (TileLayout). A warp alone touches the states and pools of its queries, and its own
// bounds. Limits are written by their warp where distances are judged, and read by all where the
// walk goes on: __syncthreads stands between.
#pragma once

#include "core/cuda/knn_pool.cuh"
#include "core/cuda/tile_launch.cuh"
#include "core/cuda/vector.cuh"

namespace hitgraph {

template <typename T, bool kCounting>
class TileSearch {
 public:
  HITGRAPH_DEVICE explicit TileSearch(const TileLaunch<T>& launch)
      : launch_(launch),
        forest_(launch.forest),
        points_(shared_array<Numbers>(launch.layout.points, kTileAxes * kWarpSize)),
        query_vectors_(shared_array<Numbers>(launch.layout.queries,
                                             launch.queries.size * (kTileAxes / kWidth))),
        query_numbers_(shared_array<T>(launch.layout.queries, launch.queries.size * kTileAxes)),
        staged_(shared_array<T>(launch.layout.points, kTileAxes * kWarpSize * kWidth)),
        states_(shared_array<QueryState>(launch.layout.states, launch.queries.size)),
        limits_(shared_array<T>(launch.layout.limits, launch.queries.size)),
        near_(shared_array<T>(launch.layout.near, bounds(launch.layout.warps))),
        low_(shared_array<T>(launch.layout.low, forest_.levels > 0 ? forest_.dim : 0)),
        high_(shared_array<T>(launch.layout.high, forest_.levels > 0 ? forest_.dim : 0)),
        alive_(shared_array<int32_t>(launch.layout.alive, launch.layout.warps)),
        warp_(static_cast<int>(threadIdx.x) / kWarpSize) {}

  HITGRAPH_DEVICE void run(int number) {
    const QueryGroup group = launch_.queries.group(number);
    if (group.count <= 0) return;
    load_queries(group);
    if (forest_.levels > 0) {
      box_queries(group);
      find_widest();
      walk_boxes(
          forest_, group.segment,
          [&](int level, int parent) { open(group.segment, level, parent); },
          [&](int level) { return nearest_child(level); }, [&](int bucket) { collect(bucket); });
    } else {
      const auto buckets = forest_.nodes(group.segment, 0);
      for (int bucket = 0; bucket < buckets.count; ++bucket) collect(buckets.first + bucket);
    }
    if (collected_ > 0) scan();
    __syncthreads();  // others may still ask for the widest limit
    finish();
    work_.flush(launch_.counters);
  }

 private:
  static constexpr int kWidth = kTileBuckets<T>;
  using Numbers = Vector<T, kWidth>;
  // Of a warp, whose distances fit where a tile's points are.
  static constexpr int kStagedQueries = kTileAxes / kMostTileWarps;
  static_assert(kWarpQueries % kStagedQueries == 0, "in whole parts");
  using Bits = typename DistanceBits<T>::type;

  HITGRAPH_DEVICE int bounds(int warps) const { return warps * forest_.levels * kWarpSize; }
  HITGRAPH_DEVICE int own(int query) const { return warp_ * kWarpQueries + query; }
  HITGRAPH_DEVICE PoolPlace place_of(int query) const {
    const int capacity = launch_.pool.capacity;
    return {launch_.layout.pool_distance2, launch_.layout.pool_index,
            launch_.queries.size * capacity, own(query) * capacity};
  }

  // Lane q brings query q of its warp. One that does not exist is beyond every limit.
  HITGRAPH_DEVICE void load_queries(const QueryGroup& group) {
    own_count_ = smaller(kWarpQueries, larger(group.count - warp_ * kWarpQueries, 0));
    if (lane_index() < kWarpQueries) {
      const bool asks = lane_index() < own_count_;
      const int row = asks ? int(launch_.queries.index[group.begin + own(lane_index())]) : -1;
      states_[own(lane_index())] = {row, launch_.exclude_self ? row : -1, 0x7fffffff, 0};
      limits_[own(lane_index())] = asks ? launch_.max_distance2 : T(-1);
    }
    add(kQueries, own_count_);
    __syncthreads();
  }

  HITGRAPH_DEVICE T query_coordinate(int query, int axis) const {
    const QueryState state = states_[query];
    if (state.row < 0 || axis >= forest_.dim) return T(0);
    return launch_.queries.coordinates[static_cast<int64_t>(state.row) * forest_.dim + axis];
  }

  // An axis a warp.
  HITGRAPH_DEVICE void box_queries(const QueryGroup& group) {
    const bool asks = lane_index() < group.count;
    for (int axis = warp_; axis < forest_.dim; axis += launch_.layout.warps) {
      T low = infinity<T>(), high = -infinity<T>();
      if (asks) low = high = query_coordinate(lane_index(), axis);
      low = warp_min(low);
      high = warp_max(high);
      if (lane_index() == 0) {
        low_[axis] = low;
        high_[axis] = high;
      }
    }
    __syncthreads();
  }

  // What no query of the block goes beyond.
  HITGRAPH_DEVICE void find_widest() {
    T limit = T(-1);
    if (lane_index() < launch_.queries.size) limit = limits_[lane_index()];
    widest_ = warp_max(limit);
  }

  // The bounds of the 32 children of a node, towards the box of the queries.
  HITGRAPH_DEVICE void open(int segment, int level, int parent) {
    if (warp_ == 0) add(kNodes, 1);
    const auto nodes = forest_.nodes(segment, level);
    const int child = parent * kWarpSize + lane_index();
    T bound = infinity<T>();
    if (child < nodes.count) {
      const int slot = forest_.level_slot[level] + nodes.first + child;
      bound = box_bound(forest_, forest_.dim, slot, [&](int axis) {
        return Interval<T>{low_[axis], high_[axis]};
      });
    }
    near_[bound_place(level)] = bound;
  }
  HITGRAPH_DEVICE int bound_place(int level) const {
    return (warp_ * forest_.levels + level) * kWarpSize + lane_index();
  }

  // The lane of the nearest child that is within the widest limit and was not given yet, or -1.
  HITGRAPH_DEVICE int nearest_child(int level) {
    const T bound = near_[bound_place(level)];
    const bool within = bound <= widest_;
    if (!__any_sync(kFullWarp, within)) return -1;
    const Bits bits = within ? DistanceBits<T>::bits(bound) : ~Bits(0);
    const Bits least = warp_min(bits);
    const int lane = __ffs(__ballot_sync(kFullWarp, bits == least)) - 1;
    if (lane_index() == lane) near_[bound_place(level)] = infinity<T>();
    return lane;
  }

  // Lane b keeps bucket b of the tile.
  HITGRAPH_DEVICE void collect(int bucket) {
    if (lane_index() == collected_) bucket_ = bucket;
    if (++collected_ == kWidth) scan();
  }

  // Where a tile's buckets lie.
  struct TileBuckets {
    int begin[kWidth], count[kWidth];
  };
  HITGRAPH_DEVICE TileBuckets tile_buckets() const {
    int begin = 0, count = 0;
    if (lane_index() < collected_) {
      begin = forest_.bucket_begin[bucket_];
      count = forest_.bucket_begin[bucket_ + 1] - begin;
    }
    TileBuckets buckets;
    for (int b = 0; b < kWidth; ++b) {
      buckets.begin[b] = __shfl_sync(kFullWarp, begin, b);
      buckets.count[b] = __shfl_sync(kFullWarp, count, b);
    }
    return buckets;
  }

  HITGRAPH_DEVICE void scan() {
    const TileBuckets buckets = tile_buckets();
    count_work(buckets);
    T sums[kWarpQueries][kWidth];
    for (int q = 0; q < kWarpQueries; ++q) {
      for (int b = 0; b < kWidth; ++b) sums[q][b] = T(0);
    }
    bool alive = own_count_ > 0;
    for (int axis = 0; axis < forest_.dim; axis += kTileAxes) {
      load_axes(buckets, axis);
      __syncthreads();
      if (alive) add_axes(smaller(kTileAxes, forest_.dim - axis), sums);
      const int past = axis + kTileAxes;
      if (past % kCheckedAxes == 0 || past >= forest_.dim) {
        alive = alive && anybody_within(sums);
        if (lane_index() == 0) alive_[warp_] = alive ? 1 : 0;
      }
      __syncthreads();
      if (past % kCheckedAxes == 0 && nobody_alive()) break;
    }
    if (alive) judge(buckets, sums);
    collected_ = 0;
    __syncthreads();
    if (forest_.levels > 0) find_widest();
  }

  // Axes beyond the last are zeros, which change no sum.
  HITGRAPH_DEVICE void load_axes(const TileBuckets& buckets, int first) {
    for (int axis = warp_; axis < kTileAxes; axis += launch_.layout.warps) {
      Numbers point;
      for (int b = 0; b < kWidth; ++b) {
        const bool present = lane_index() < buckets.count[b] && first + axis < forest_.dim;
        const int64_t column = static_cast<int64_t>(buckets.begin[b]) * forest_.dim +
                               static_cast<int64_t>(first + axis) * buckets.count[b];
        point.lanes[b] = present ? T(forest_.coordinates[column + lane_index()]) : T(0);
      }
      points_[axis * kWarpSize + lane_index()] = point;
    }
    const int numbers = launch_.queries.size * kTileAxes;
    for (int number = static_cast<int>(threadIdx.x); number < numbers;
         number += static_cast<int>(blockDim.x)) {
      query_numbers_[number] = query_coordinate(number / kTileAxes, first + number % kTileAxes);
    }
  }

  HITGRAPH_DEVICE void add_axes(int axes, T (&sums)[kWarpQueries][kWidth]) const {
    HITGRAPH_ROLLED
    for (int step = 0; step * kWidth < axes; ++step) {
      Numbers point[kWidth];
      for (int a = 0; a < kWidth; ++a) {
        point[a] = points_[(step * kWidth + a) * kWarpSize + lane_index()];
      }
      for (int q = 0; q < kWarpQueries; ++q) {
        const Numbers query = query_vectors_[own(q) * (kTileAxes / kWidth) + step];
        for (int a = 0; a < kWidth; ++a) {
          for (int b = 0; b < kWidth; ++b) {
            sums[q][b] = fused_square_add(point[a].lanes[b] - query.lanes[a], sums[q][b]);
          }
        }
      }
    }
  }

  HITGRAPH_DEVICE bool anybody_within(const T (&sums)[kWarpQueries][kWidth]) const {
    bool within = false;
    for (int q = 0; q < kWarpQueries; ++q) {
      const T limit = limits_[own(q)];
      for (int b = 0; b < kWidth; ++b) within = within || sums[q][b] <= limit;
    }
    return __any_sync(kFullWarp, within) != 0;
  }
  HITGRAPH_DEVICE bool nobody_alive() const {
    int alive = 0;
    for (int warp = 0; warp < launch_.layout.warps; ++warp) alive |= alive_[warp];
    return alive == 0;
  }

  // Offers the tile's points to the queries of this warp. Half of the distances at a time go where
  // the points were: registers cannot be indexed, and an offer should stand in the code once.
  HITGRAPH_DEVICE void judge(const TileBuckets& buckets, const T (&sums)[kWarpQueries][kWidth]) {
    int index[kWidth];
    for (int b = 0; b < kWidth; ++b) {
      const bool present = lane_index() < buckets.count[b];
      index[b] = present ? int(forest_.index[buckets.begin[b] + lane_index()]) : -1;
    }
    for (int first = 0; first < kWarpQueries; first += kStagedQueries) {
      unsigned wanting = 0;
      for (int q = 0; q < kStagedQueries; ++q) {
        const T limit = limits_[own(first + q)];
        bool within = false;
        for (int b = 0; b < kWidth; ++b) {
          const T distance2 = sums[first + q][b];
          staged_[staged_place(q, b)] = distance2;
          within = within || (index[b] >= 0 && distance2 <= limit);
        }
        if (__any_sync(kFullWarp, within)) wanting |= 1u << q;
      }
      __syncwarp();
      HITGRAPH_ROLLED
      for (; wanting != 0; wanting &= wanting - 1) {
        offer_all(first, __ffs(wanting) - 1, index);
      }
    }
  }
  HITGRAPH_DEVICE int staged_place(int query, int bucket) const {
    return ((warp_ * kStagedQueries + query) * kWidth + bucket) * kWarpSize + lane_index();
  }

  HITGRAPH_DEVICE void offer_all(int first, int staged, const int (&index)[kWidth]) {
    const int query = first + staged;
    QueryState state = states_[own(query)];
    __syncwarp();
    HITGRAPH_ROLLED
    for (int bucket = 0; bucket < kWidth; ++bucket) {
      int candidate = index[0];
      for (int b = 1; b < kWidth; ++b) candidate = b == bucket ? index[b] : candidate;
      const T distance2 = staged_[staged_place(staged, bucket)];
      offer(query, state, distance2, candidate);
    }
    if (lane_index() == 0) states_[own(query)] = state;
    __syncwarp();
  }

  HITGRAPH_DEVICE unsigned acceptable(int query, const QueryState& state, T distance2,
                                      int index) const {
    const T limit = limits_[own(query)];
    const bool accept = index >= 0 && index != state.self &&
                        not_after<T, int>(distance2, index, limit, state.limit_index);
    return __ballot_sync(kFullWarp, accept);
  }

  HITGRAPH_DEVICE void offer(int query, QueryState& state, T distance2, int index) {
    unsigned accepted = acceptable(query, state, distance2, index);
    if (accepted == 0) return;
    if (state.count + __popc(accepted) > launch_.pool.capacity) {
      cut(query, state);
      accepted = acceptable(query, state, distance2, index);
    }
    Pool<T>(place_of(query)).append(state.count, accepted, distance2, index);
    state.count += __popc(accepted);
    add(kAccepted, __popc(accepted));
    __syncwarp();
    const bool unlimited =
        state.limit_index == 0x7fffffff && T(limits_[own(query)]) == launch_.max_distance2;
    if (unlimited && state.count >= launch_.pool.trigger) cut(query, state);
  }

  // Cuts the query's pool back to about k, and lowers its limit to what is left.
  HITGRAPH_DEVICE void cut(int query, QueryState& state) {
    add(kSelections, 1);
    const CutPool<T> result =
        cut_pool<T>(place_of(query), state.count, launch_.pool.k, launch_.pool.kept);
    state.count = result.count;
    state.limit_index = result.limit.index;
    __syncwarp();
    if (lane_index() == 0) limits_[own(query)] = result.limit.distance2;
    __syncwarp();
  }

  HITGRAPH_DEVICE void finish() {
    HITGRAPH_ROLLED
    for (int q = 0; q < own_count_; ++q) {
      QueryState state = states_[own(q)];
      __syncwarp();
      if (state.count > launch_.pool.kept) cut(q, state);
      const int64_t row = static_cast<int64_t>(state.row) * launch_.k;
      Pool<T>(place_of(q)).rank(state.count, [&](int rank, T distance2, int index) {
        if (rank < launch_.k) launch_.found.write(row + rank, distance2, index);
      });
      const int found = smaller(state.count, launch_.k);
      for (int slot = found + lane_index(); slot < launch_.k; slot += kWarpSize) {
        launch_.found.write(row + slot, infinity<T>(), -1);
      }
    }
  }

  HITGRAPH_DEVICE void count_work(const TileBuckets& buckets) {
    if constexpr (kCounting) {
      for (int b = 0; b < kWidth; ++b) {
        add(kBuckets, buckets.count[b] > 0 ? own_count_ : 0);
        add(kCandidates, buckets.count[b] * own_count_);
      }
    }
  }
  HITGRAPH_DEVICE void add(Counter counter, int amount) { work_.add(counter, amount); }

  const TileLaunch<T>& launch_;
  const Forest<T>& forest_;
  const Shared<Numbers> points_, query_vectors_;
  const Shared<T> query_numbers_;  // the same memory
  const Shared<T> staged_;         // that of the points
  const Shared<QueryState> states_;
  const Shared<T> limits_, near_, low_, high_;
  const Shared<int32_t> alive_;
  const int warp_;

  int own_count_ = 0;  // queries of this warp
  int collected_ = 0;  // buckets of the tile
  int bucket_ = 0;     // lane b: bucket b of the tile
  T widest_ = T(-1);
  CountedWork<kCounting> work_;
};

// A block a group of queries.
template <typename T, bool kCounting>
__global__ void __launch_bounds__(kMostTileWarps* kWarpSize, kTileBlocks)
    search_tiles(TileLaunch<T> launch) {
  TileSearch<T, kCounting> search(launch);
  search.run(static_cast<int>(blockIdx.x));
}

}  // namespace hitgraph
