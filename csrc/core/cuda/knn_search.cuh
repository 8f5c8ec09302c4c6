// The search of a group of queries of one bucket, by one warp.
//
// Candidates are lanes, queries a uniform loop; for the bounds of boxes, children are lanes; for
// the bounds of one bucket, queries are lanes. The box of the queries that still ask steers: it
// opens nodes nearest first and stops where the bound exceeds the widest limit of those queries.
// Whether a bucket is scanned is asked for every query with the query's own bound and limit. Both
// bounds run the chain of core/distance.h on differences that are never larger than those of a
// point inside, so that nothing within a limit is missed, bit for bit.
//
// Onion layers. One query of the group, the pilot, searches first, outward from where it is, with
// no limit but the best k so far. Its k-th distance makes the others' first layer, the *shell*: a
// guess of the radius that holds k points. What reaches into the shell is scanned, points somewhat
// beyond it are kept too. If k points lie within the shell, that was all; if k were found, but some
// beyond it, the k-th is a limit, and a second layer scans what lies between; if fewer were found,
// the search starts again, wider, and after that like a pilot's.
//
// Shared memory (SearchLayout): a record a query (coordinates, the limit's distance2) that every
// lane reads at once, a state a query, the bounds of the children on the way down, a pool a query.
// One warp a block: __syncwarp orders all of it.
#pragma once

#include "core/cuda/knn_pool.cuh"

namespace hitgraph {

template <typename T, int kDim, bool kCounting>
class GroupSearch {
 public:
  HITGRAPH_DEVICE explicit GroupSearch(const KnnLaunch<T>& launch)
      : launch_(launch),
        forest_(launch.forest),
        records_(
            shared_array<T>(launch.layout.records, launch.queries.size * launch.layout.stride)),
        floors_(shared_array<T>(launch.layout.floors, launch.queries.size)),
        near_(shared_array<T>(launch.layout.near, forest_.levels * kWarpSize)),
        low_(shared_array<T>(launch.layout.low, forest_.dim)),
        high_(shared_array<T>(launch.layout.high, forest_.dim)),
        states_(shared_array<QueryState>(launch.layout.states, launch.queries.size)),
        floor_index_(shared_array<int32_t>(launch.layout.floor_index, launch.queries.size)),
        first_(shared_array<int32_t>(launch.layout.first, forest_.levels * kWarpSize)) {}

  HITGRAPH_DEVICE void run(int number) {
    const QueryGroup group = launch_.queries.group(number);
    if (group.count <= 0) return;
    queries_ = group.count;
    segment_ = group.segment;
    load_queries(group.begin);
    add(kQueries, queries_);
    for (int column = 0; column < launch_.k; column += kMostPerPass) {
      k_ = smaller(launch_.k - column, kMostPerPass);
      first_pass_ = column == 0;
      start_pass();
      search_pass();
      finish_pass(column);
    }
    work_.flush(launch_.counters);
  }

 private:
  using Record = QueryRecord<T, kDim + 1>;  // its last number: the distance2 of its limit

  HITGRAPH_DEVICE int dim() const { return kDim > 0 ? kDim : forest_.dim; }
  HITGRAPH_DEVICE int stride() const { return kDim > 0 ? Record::kSize : launch_.layout.stride; }
  HITGRAPH_DEVICE PoolPlace place_of(int query) const {
    const int capacity = launch_.pool.capacity;
    return {launch_.layout.pool_distance2, launch_.layout.pool_index,
            launch_.queries.size * capacity, query * capacity};
  }
  HITGRAPH_DEVICE Pool<T> pool(int query) const { return Pool<T>(place_of(query)); }

  // Lane q brings query q.
  HITGRAPH_DEVICE void load_queries(int begin) {
    const bool asks = lane_index() < queries_;
    if (asks) {
      const int row = launch_.queries.index[begin + lane_index()];
      write_record(records_, stride(), dim(), launch_.queries.coordinates, row,
                   launch_.max_distance2);
      states_[lane_index()] = {row, launch_.exclude_self ? row : -1, 0x7fffffff, 0};
    }
    __syncwarp();
  }

  HITGRAPH_DEVICE void start_pass() {
    if (!first_pass_ && lane_index() < queries_) reset(launch_.max_distance2);
    shell_ = launch_.max_distance2;
    inside_ = T(-1);
    __syncwarp();
  }

  // Lane q: query q starts anew.
  HITGRAPH_DEVICE void reset(T limit) {
    QueryState state = states_[lane_index()];
    state.limit_index = 0x7fffffff;
    state.count = 0;
    states_[lane_index()] = state;
    records_[lane_index() * stride() + dim()] = limit;
  }

  HITGRAPH_DEVICE void search_pass() {
    const unsigned everybody = kFullWarp >> (kWarpSize - queries_);
    const int pilot = queries_ / 2;
    asking_ = 1u << pilot;
    // Written as one loop, so that the search stands in the code once.
    for (int attempt = -1; asking_ != 0; ++attempt) {
      search();
      if (attempt >= 0) {
        asking_ = unfinished(attempt);
      } else {
        asking_ = everybody & ~asking_;
        if (asking_ != 0) guess_shells(pilot);
      }
    }
  }

  // The pilot's pool is cut to k, and its farthest entry is the k-th neighbour.
  HITGRAPH_DEVICE void guess_shells(int pilot) {
    QueryState state = states_[pilot];
    __syncwarp();
    if (state.count < k_) return;  // it has seen everything, and so must the others
    cut(pilot, state, k_);
    if (lane_index() == 0) states_[pilot] = state;
    __syncwarp();
    const T reach = records_[pilot * stride() + dim()];
    __syncwarp();
    if (asking_ >> lane_index() & 1u) set_shell(reach * launch_.guess.shell);
    __syncwarp();
  }

  HITGRAPH_DEVICE void set_shell(T shell) {
    shell_ = smaller(shell, launch_.max_distance2);
    records_[lane_index() * stride() + dim()] =
        smaller(shell_ * launch_.guess.margin, launch_.max_distance2);
  }

  // The queries that must search again, and how far.
  HITGRAPH_DEVICE unsigned unfinished(int attempt) {
    unsigned again = 0;
    for (unsigned rest = asking_; rest != 0; rest &= rest - 1) {
      const int query = __ffs(rest) - 1;
      const T shell = __shfl_sync(kFullWarp, shell_, query);
      QueryState state = states_[query];
      if (shell >= launch_.max_distance2 || pool(query).count_within(state.count, shell) >= k_) {
        continue;
      }
      again |= 1u << query;
      __syncwarp();
      if (state.count >= k_) {
        cut(query, state, k_);
        if (lane_index() == 0) states_[query] = state;
        __syncwarp();
        const T limit = records_[query * stride() + dim()];
        if (lane_index() == query) {
          inside_ = shell_;
          shell_ = limit;
        }
      } else {
        add(kRestarts, 1);
        if (lane_index() == query) {
          reset(launch_.max_distance2);
          if (attempt == 0 && shell_ > 0) {
            set_shell(shell_ * launch_.guess.widen);
          } else {
            shell_ = launch_.max_distance2;
          }
        }
      }
      __syncwarp();
    }
    return again;
  }

  // Through the boxes of the segment, nearest first.
  HITGRAPH_DEVICE void search() {
    const bool asks = (asking_ >> lane_index() & 1u) != 0;
    box_records(records_, stride(), dim(), asks, low_, high_);
    find_widest();
    walk_boxes(
        forest_, segment_, [&](int level, int parent) { open(level, parent); },
        [&](int level) { return nearest_child(level); }, [&](int bucket) { scan_bucket(bucket); });
  }

  // The bounds of the 32 children of a node, towards the box of those that ask.
  HITGRAPH_DEVICE void open(int level, int parent) {
    add(kNodes, 1);
    const auto nodes = forest_.nodes(segment_, level);
    const int child = parent * kWarpSize + lane_index();
    T bound = infinity<T>();
    int first = 0x7fffffff;
    if (child < nodes.count) {
      const int slot = forest_.level_slot[level] + nodes.first + child;
      bound = box_bound(forest_, dim(), slot, [&](int axis) {
        return Interval<T>{low_[axis], high_[axis]};
      });
      first = forest_.first_index[slot];
    }
    near_[level * kWarpSize + lane_index()] = bound;
    first_[level * kWarpSize + lane_index()] = first;
  }

  // The lane of the nearest child that is within the widest limit and was not given yet, or -1.
  HITGRAPH_DEVICE int nearest_child(int level) {
    using Bits = typename DistanceBits<T>::type;
    const int place = level * kWarpSize + lane_index();
    const T bound = near_[place];
    const bool within = not_after<T, int>(bound, first_[place], widest_.distance2, widest_.index);
    if (!__any_sync(kFullWarp, within)) return -1;
    const Bits bits = within ? DistanceBits<T>::bits(bound) : ~Bits(0);
    const Bits least = warp_min(bits);
    const int lane = __ffs(__ballot_sync(kFullWarp, bits == least)) - 1;
    if (lane_index() == lane) near_[place] = infinity<T>();
    return lane;
  }

  HITGRAPH_DEVICE void scan_bucket(int bucket) {
    add(kBucketTests, 1);
    const unsigned asking = queries_that_need(bucket);
    if (asking == 0) return;
    candidate_.load(forest_, dim(), bucket);
    bool changed = false;
    for (unsigned rest = asking; rest != 0; rest &= rest - 1) {
      changed |= scan_for(__ffs(rest) - 1);
    }
    add(kBuckets, __popc(asking));
    add(kCandidates, __popc(asking) * candidate_.count);
    if (changed) find_widest();
  }

  // Lane q: whether query q asks, and anything in the bucket that it has not scanned can be within
  // its shell and its limit.
  HITGRAPH_DEVICE unsigned queries_that_need(int bucket) const {
    bool needs = false;
    if (asking_ >> lane_index() & 1u) {
      const int record = lane_index() * stride();
      const T bound = box_bound(forest_, dim(), bucket, [&](int axis) {
        const T query = records_[record + axis];
        return Interval<T>{query, query};
      });
      const T limit = records_[record + dim()];
      const QueryState state = states_[lane_index()];
      needs = bound > inside_ && bound <= shell_ &&
              not_after<T, int>(bound, forest_.first_index[bucket], limit, state.limit_index);
    }
    return __ballot_sync(kFullWarp, needs);
  }

  // The candidate of this lane for query `query`: its distance2, and whether it is within the
  // limit's.
  HITGRAPH_DEVICE bool within_limit(int query, T& distance2) const {
    T limit;
    if constexpr (kDim > 0) {
      const Shared<const Record> records =
          shared_array<const Record>(launch_.layout.records, launch_.queries.size);
      const Record record = records[query];
      distance2 = candidate_.distance2(forest_, kDim, [&](int axis) { return record.value[axis]; });
      limit = record.value[kDim];
    } else {
      const int record = query * stride();
      distance2 = candidate_.distance2(forest_, dim(),
                                       [&](int axis) { return T(records_[record + axis]); });
      limit = records_[record + dim()];
    }
    return candidate_.index >= 0 && distance2 <= limit;
  }

  // Whether the query's limit changed.
  HITGRAPH_DEVICE bool scan_for(int query) {
    T distance2;
    const bool near = within_limit(query, distance2);
    if (!__any_sync(kFullWarp, near)) return false;
    QueryState state = states_[query];
    const T limit = records_[query * stride() + dim()];
    bool accept = near && candidate_.index != state.self &&
                  not_after<T, int>(distance2, candidate_.index, limit, state.limit_index);
    if (!first_pass_) {
      const T floor = floors_[query];
      const int floor_index = floor_index_[query];
      accept = accept && !not_after<T, int>(distance2, candidate_.index, floor, floor_index);
    }
    unsigned accepted = __ballot_sync(kFullWarp, accept);
    if (accepted == 0) return false;
    bool changed = false;
    if (state.count + __popc(accepted) > launch_.pool.capacity) {
      cut(query, state, kept());
      changed = true;
      __syncwarp();
      const T nearer = records_[query * stride() + dim()];
      accept = accept && not_after<T, int>(distance2, candidate_.index, nearer, state.limit_index);
      accepted = __ballot_sync(kFullWarp, accept);
    }
    pool(query).append(state.count, accepted, distance2, candidate_.index);
    state.count += __popc(accepted);
    add(kAccepted, __popc(accepted));
    __syncwarp();
    const bool unlimited = limit == launch_.max_distance2 && state.limit_index == 0x7fffffff;
    if (unlimited && !changed && state.count >= trigger()) {
      cut(query, state, kept());
      changed = true;
    }
    if (lane_index() == 0) states_[query] = state;
    __syncwarp();
    return changed;
  }

  HITGRAPH_DEVICE int kept() const { return pool_sizes(k_, 0).kept; }
  HITGRAPH_DEVICE int trigger() const { return pool_sizes(k_, 0).trigger; }

  // Cuts the query's pool back to at most `most`, k at least, and lowers its limit to what is left.
  HITGRAPH_DEVICE void cut(int query, QueryState& state, int most) {
    add(kSelections, 1);
    const CutPool<T> result = cut_pool<T>(place_of(query), state.count, k_, most);
    state.count = result.count;
    state.limit_index = result.limit.index;
    if (lane_index() == 0) records_[query * stride() + dim()] = result.limit.distance2;
  }

  // What no query that asks goes beyond.
  HITGRAPH_DEVICE void find_widest() {
    T distance2 = T(-1);
    int index = 0;
    if (asking_ >> lane_index() & 1u) {
      const T limit = records_[lane_index() * stride() + dim()];
      const QueryState state = states_[lane_index()];
      distance2 = smaller(limit, shell_);
      index = limit <= shell_ ? state.limit_index : 0x7fffffff;
    }
    widest_.distance2 = warp_max(distance2);
    widest_.index = warp_max(distance2 == widest_.distance2 ? index : 0);
  }

  HITGRAPH_DEVICE void finish_pass(int column) {
    for (int query = 0; query < queries_; ++query) {
      QueryState state = states_[query];
      __syncwarp();
      if (state.count > kept()) cut(query, state, kept());
      const int found = smaller(state.count, k_);
      const int64_t row = launch_.row_begin(state.row) + column;
      pool(query).rank(state.count, [&](int rank, T distance2, int index) {
        if (rank < k_) launch_.found.write(row + rank, distance2, index);
        if (rank == k_ - 1) {
          floors_[query] = distance2;
          floor_index_[query] = index;
        }
      });
      for (int slot = found + lane_index(); slot < k_; slot += kWarpSize) {
        launch_.found.write(row + slot, infinity<T>(), -1);
      }
      // With fewer than k there is nothing beyond: nothing is above this floor.
      if (found < k_ && lane_index() == 0) {
        floors_[query] = infinity<T>();
        floor_index_[query] = 0;
      }
    }
    __syncwarp();
  }

  HITGRAPH_DEVICE void add(Counter counter, int amount) { work_.add(counter, amount); }

  const KnnLaunch<T>& launch_;
  const Forest<T>& forest_;
  const Shared<T> records_, floors_, near_, low_, high_;
  const Shared<QueryState> states_;
  const Shared<int32_t> floor_index_, first_;

  int queries_ = 0, segment_ = 0, k_ = 0;
  bool first_pass_ = true;
  unsigned asking_ = 0;           // the queries that search
  Limit<T> widest_;               // none of which goes beyond
  T shell_ = 0, inside_ = 0;      // lane q: how far query q looks now, and has looked before
  Candidate<T, kDim> candidate_;  // of the bucket that is scanned
  CountedWork<kCounting> work_;
};

// A warp a group, a warp a block.
template <typename T, int kDim, bool kCounting>
__global__ void search_groups(KnnLaunch<T> launch) {
  GroupSearch<T, kDim, kCounting> search(launch);
  search.run(static_cast<int>(blockIdx.x));
}

// Rows that do not ask have no neighbours. A warp writes those of 32 rows.
template <typename T>
struct AbsentRows {
  Global<const int32_t> flags;
  int rows, k;
  Neighbours<T> found;
};

template <typename T>
__global__ void fill_absent(AbsentRows<T> absent) {
  const int warp = static_cast<int>((blockIdx.x * blockDim.x + threadIdx.x) / kWarpSize);
  const int first = warp * kWarpSize;
  const int own = first + lane_index();
  const bool is_absent = own < absent.rows && absent.flags[own] == 0;
  for (unsigned rest = __ballot_sync(kFullWarp, is_absent); rest != 0; rest &= rest - 1) {
    const int64_t begin = static_cast<int64_t>(first + __ffs(rest) - 1) * absent.k;
    for (int slot = lane_index(); slot < absent.k; slot += kWarpSize) {
      absent.found.write(begin + slot, infinity<T>(), -1);
    }
  }
}

}  // namespace hitgraph
