// Clustering by condensation points (see core/condensate.h), in two steps: a block an event finds
// the points, then every bucket of hits looks up which of them it goes to.
//
// Points. Candidates come by descending beta. The block takes as many as it can hold of those that
// no point has taken yet, finds by all pairs which of them would take which, lets a warp go through
// them in order, and marks what the new points take, so that nobody waits for the host. Marks are
// made by warps that look at 32 points and a node of 32 buckets at a time: bounds decide which
// points reach the node, then which of its buckets, then distances.
//
// Shared memory (PointLayout): the rows of a batch, a bit a pair of them, those that became points,
// and one number a warp. __syncthreads orders what the steps hand over.
#pragma once

#include "core/cuda/event_order.cuh"
#include "core/cuda/group_walk.cuh"
// After NVRTC's integer types.
#include "core/condensate_rules.h"

namespace hitgraph {

constexpr int kBatch = 256;  // candidates that are decided on at once
constexpr int kBatchWords = kBatch / kWarpSize;
constexpr int kMostPointThreads = 1024;

// What orders candidates of one event: the largest beta, which is above 0, first.
template <typename T>
using BetaKey = decltype(bits_of(T()));

template <typename T>
struct CondensateLaunch {
  Forest<T> forest;               // of the hits that take part; there is none without events
  EventOrder<BetaKey<T>> ranked;  // the candidates, event by event
  Global<const T> beta;           // (hits)
  Global<const T> radius;         // (hits); null: all 1
  T beta_threshold, distance_threshold;
  bool nearest;
  Global<int32_t> taken;         // (hits): a point has it within reach
  Global<int32_t> found;         // (hits): rows of points, those of an event from ranked.begin on
  Global<int64_t> counts;        // (events + 1): points of an event
  Global<int64_t> label, point;  // (hits)
  Global<int64_t> point_splits;  // (events + 1)
  Global<int64_t> points;        // (all points), once their number is known
  int64_t all_points;

  HITGRAPH_DEVICE T limit(int row) const {
    return condensate_limit(distance_threshold, radius == nullptr ? T(1) : T(radius[row]));
  }
  HITGRAPH_DEVICE T coordinate(int row, int axis) const {
    return forest.points[static_cast<int64_t>(row) * forest.dim + axis];
  }
  // Of the box in `slot` towards a point.
  HITGRAPH_DEVICE T bound(int slot, int row) const {
    return box_bound(forest, forest.dim, slot, [&](int axis) {
      const T own = coordinate(row, axis);
      return Interval<T>{own, own};
    });
  }
};

// One thread a hit: nobody's so far, and a candidate or not.
template <typename T>
__global__ void put_candidates(CondensateLaunch<T> problem) {
  const int64_t row = long_thread_number();
  if (row >= problem.ranked.hits) return;
  problem.label[row] = -1;
  problem.point[row] = -1;
  problem.taken[row] = 0;
  const T beta = problem.beta[row];
  const bool takes_part = problem.forest.flags != nullptr && problem.forest.flags[row] != 0;
  const bool candidate = takes_part && beta > problem.beta_threshold;
  problem.ranked.put(row, candidate, ~bits_of(beta));
}

HITGRAPH_HOST_DEVICE constexpr uint32_t point_bytes() {
  return 4 * (kBatch * kBatchWords + 2 * kBatch + kMostPointThreads / kWarpSize + 2);
}

template <typename T>
class PointSearch {
 public:
  HITGRAPH_DEVICE explicit PointSearch(const CondensateLaunch<T>& problem, int event)
      : problem_(problem),
        event_(event),
        warp_(static_cast<int>(threadIdx.x) / kWarpSize),
        warps_(static_cast<int>(blockDim.x) / kWarpSize),
        takes_(shared_array<unsigned>(0, kBatch * kBatchWords)),
        batch_(shared_array<int32_t>(4 * kBatch * kBatchWords, kBatch)),
        fresh_(shared_array<int32_t>(4 * kBatch * (kBatchWords + 1), kBatch)),
        votes_(
            shared_array<int32_t>(4 * kBatch * (kBatchWords + 2), kMostPointThreads / kWarpSize)),
        news_(shared_array<int32_t>(
            4 * (kBatch * (kBatchWords + 2) + kMostPointThreads / kWarpSize), 2)) {}

  HITGRAPH_DEVICE void run() {
    begin_ = next_ = int(problem_.ranked.begin[event_]);
    end_ = int(problem_.ranked.begin[event_ + 1]);
    while (next_ < end_) {
      fill_batch();
      compare_batch();
      __syncthreads();
      if (warp_ == 0) decide();
      __syncthreads();
      const int fresh = news_[0];
      points_ += fresh;
      if (next_ < end_) mark(fresh);
      __syncthreads();
    }
    if (threadIdx.x == 0) problem_.counts[event_] = points_;
  }

 private:
  // The next candidates that nobody has taken, as many as there is room for.
  HITGRAPH_DEVICE void fill_batch() {
    size_ = 0;
    while (size_ < kBatch && next_ < end_) {
      const int place = next_ + static_cast<int>(threadIdx.x);
      const int row = place < end_ ? int(problem_.ranked.order[place]) : -1;
      const bool open = row >= 0 && problem_.taken[row] == 0;
      const unsigned lanes = __ballot_sync(kFullWarp, open);
      if (lane_index() == 0) votes_[warp_] = __popc(lanes);
      if (threadIdx.x == 0) news_[1] = next_ + static_cast<int>(blockDim.x);
      __syncthreads();
      int rank = size_ + __popc(lanes & lanes_below()), total = size_;
      for (int warp = 0; warp < warps_; ++warp) {
        const int votes = votes_[warp];
        rank += warp < warp_ ? votes : 0;
        total += votes;
      }
      if (open && rank < kBatch) batch_[rank] = row;
      if (open && rank == kBatch) news_[1] = place;  // the first that has no room
      __syncthreads();
      next_ = news_[1];
      size_ = smaller(total, kBatch);
      __syncthreads();
    }
  }

  // A warp a candidate and 32 of those after it: which it would take.
  HITGRAPH_DEVICE void compare_batch() const {
    const int words = (size_ + kWarpSize - 1) / kWarpSize;
    for (int item = warp_; item < size_ * words; item += warps_) {
      const int taker = item / words, word = item % words;
      const int other = word * kWarpSize + lane_index();
      bool within = false;
      if (other > taker && other < size_) {
        const int row = batch_[taker], other_row = batch_[other];
        T distance2 = 0;
        for (int axis = 0; axis < problem_.forest.dim; ++axis) {
          distance2 = fused_square_add(
              problem_.coordinate(other_row, axis) - problem_.coordinate(row, axis), distance2);
        }
        within = distance2 <= problem_.limit(row);
      }
      const unsigned bits = __ballot_sync(kFullWarp, within);
      if (lane_index() == 0) takes_[taker * kBatchWords + word] = bits;
    }
  }

  // One warp, in order: who is not taken becomes a point. Lane w keeps the bits of word w.
  HITGRAPH_DEVICE void decide() const {
    const int words = (size_ + kWarpSize - 1) / kWarpSize;
    const int left = size_ - lane_index() * kWarpSize;
    unsigned open = left >= kWarpSize ? kFullWarp : left > 0 ? (1u << left) - 1 : 0u;
    int fresh = 0;
    for (;;) {
      const unsigned lanes = __ballot_sync(kFullWarp, open != 0);
      if (lanes == 0) break;
      const int word = __ffs(static_cast<int>(lanes)) - 1;
      const int bit = __ffs(static_cast<int>(__shfl_sync(kFullWarp, open, word))) - 1;
      const int taker = word * kWarpSize + bit;
      if (lane_index() < words) open &= ~unsigned(takes_[taker * kBatchWords + lane_index()]);
      if (lane_index() == word) open &= ~(1u << bit);
      if (lane_index() == 0) {
        const int row = batch_[taker];
        fresh_[fresh] = row;
        problem_.found[begin_ + points_ + fresh] = row;
      }
      ++fresh;
    }
    if (lane_index() == 0) news_[0] = fresh;
  }

  // Of all hits that the new points have within reach.
  HITGRAPH_DEVICE void mark(int fresh) const {
    const Forest<T>& forest = problem_.forest;
    const bool has_nodes = forest.levels > 1;
    const int nodes = has_nodes ? forest.nodes(event_, 1).count : 1;
    const int first_node = has_nodes ? forest.level_slot[1] + forest.nodes(event_, 1).first : 0;
    const int groups = (fresh + kWarpSize - 1) / kWarpSize;
    for (int item = warp_; item < nodes * groups; item += warps_) {
      const int node = item / groups, number = item % groups * kWarpSize + lane_index();
      const int row = number < fresh ? int(fresh_[number]) : -1;
      const T limit = row >= 0 ? problem_.limit(row) : T(0);
      const bool near = row >= 0 && (!has_nodes || problem_.bound(first_node + node, row) <= limit);
      for (unsigned points = __ballot_sync(kFullWarp, near); points != 0; points &= points - 1) {
        const int lane = __ffs(static_cast<int>(points)) - 1;
        mark_in_node(node, __shfl_sync(kFullWarp, row, lane), __shfl_sync(kFullWarp, limit, lane));
      }
    }
  }

  HITGRAPH_DEVICE void mark_in_node(int node, int row, T limit) const {
    const Forest<T>& forest = problem_.forest;
    const auto buckets = forest.nodes(event_, 0);
    const int child = node * kWarpSize + lane_index();
    const bool near = child < buckets.count && problem_.bound(buckets.first + child, row) <= limit;
    for (unsigned rest = __ballot_sync(kFullWarp, near); rest != 0; rest &= rest - 1) {
      const int bucket = buckets.first + node * kWarpSize + __ffs(static_cast<int>(rest)) - 1;
      Candidate<T, 0> candidate;
      candidate.load(forest, forest.dim, bucket);
      const T distance2 = candidate.distance2(
          forest, forest.dim, [&](int axis) { return problem_.coordinate(row, axis); });
      if (candidate.index >= 0 && distance2 <= limit) {
        atomicMax(problem_.taken + candidate.index, 1);
      }
    }
  }

  const CondensateLaunch<T>& problem_;
  const int event_, warp_, warps_;
  const Shared<unsigned> takes_;
  const Shared<int32_t> batch_, fresh_, votes_;
  const Shared<int32_t> news_;  // how many became points; where the next batch begins
  int begin_ = 0, next_ = 0, end_ = 0, size_ = 0, points_ = 0;
};

// A block an event.
template <typename T>
__global__ void __launch_bounds__(kMostPointThreads) find_points(CondensateLaunch<T> problem) {
  PointSearch<T> search(problem, static_cast<int>(blockIdx.x));
  search.run();
}

// A warp a bucket, a lane a hit: the points of its event are looked at 32 at a time, those that
// reach into the bucket one after the other.
template <typename T>
__global__ void assign_hits(CondensateLaunch<T> problem) {
  const Forest<T>& forest = problem.forest;
  const int64_t bucket = warp_number();
  if (bucket >= forest.buckets) return;
  Candidate<T, 0> hit;
  hit.load(forest, forest.dim, static_cast<int>(bucket));
  if (hit.count <= 0) return;
  const int event = forest.bucket_segment[bucket];
  const int begin = problem.ranked.begin[event], points = static_cast<int>(problem.counts[event]);
  int own = -1, own_row = -1;
  T own_distance2 = 0;
  for (int first = 0; first < points; first += kWarpSize) {
    const int number = first + lane_index();
    const int row = number < points ? int(problem.found[begin + number]) : -1;
    const T limit = row >= 0 ? problem.limit(row) : T(0);
    const bool near = row >= 0 && problem.bound(static_cast<int>(bucket), row) <= limit;
    for (unsigned rest = __ballot_sync(kFullWarp, near); rest != 0; rest &= rest - 1) {
      const int lane = __ffs(static_cast<int>(rest)) - 1;
      const int point = __shfl_sync(kFullWarp, row, lane);
      const T reach = __shfl_sync(kFullWarp, limit, lane);
      const T distance2 = hit.distance2(forest, forest.dim,
                                        [&](int axis) { return problem.coordinate(point, axis); });
      if (hit.index < 0 || !(distance2 <= reach)) continue;
      if (own >= 0 && !goes_over(problem.nearest, distance2, point, own_distance2, own_row)) {
        continue;
      }
      own = first + lane;
      own_row = point;
      own_distance2 = distance2;
    }
    if (!problem.nearest && __all_sync(kFullWarp, own >= 0 || hit.index < 0)) break;
  }
  if (own < 0) return;
  problem.label[hit.index] = own;
  problem.point[hit.index] = own_row;
}

// One thread a point.
template <typename T>
__global__ void list_points(CondensateLaunch<T> problem) {
  const int64_t number = long_thread_number();
  if (number >= problem.all_points) return;
  const int64_t event = last_not_beyond(
      problem.ranked.events, number, [&](int64_t e) { return int64_t(problem.point_splits[e]); });
  const int64_t place = number - int64_t(problem.point_splits[event]);
  problem.points[number] = int(problem.found[int(problem.ranked.begin[event]) + place]);
}

}  // namespace hitgraph
