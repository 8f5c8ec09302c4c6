// The search of one query after another through a bucket tree, written once and compiled for every
// instruction set (knn_portable.cpp, knn_avx2.cpp, knn_avx512.cpp).
//
// Exactness. A query keeps a limit, the key (distance2, index) that no neighbour exceeds. The bound
// of a box is the distance chain run on clamped differences, so it never exceeds the distance of a
// point inside, bit for bit: a box whose bound is beyond the limit (or equal to it, with no smaller
// index inside) holds no neighbour. The search is over when every other box has been scanned.
//
// Onion layers. The first layer, the shell, is a guess: the radius that held a few more than k
// points around the nearest earlier query. Buckets that reach into the shell are scanned in the
// order of the tree, and points somewhat beyond it are kept too. If k points lie within the shell,
// that was all. If k were found but some beyond the shell, the k-th is a limit, and a second layer
// scans the buckets between shell and limit. If fewer than k were found the search starts again,
// wider. Without a guess it goes outward from the query, nearest box first, with no limit but the
// best k so far; so does the rest of a search whose guess let the pool overflow.
#pragma once

#include <math.h>

#include <cstdint>

#include "core/cpu/knn_rows.h"
#include "core/cpu/knn_task.h"
#include "core/cpu/neighbour_pool.h"
#include "core/cpu/search_history.h"
#include "core/cpu/simd_dimension.h"
#include "core/cpu/tile_search.h"
#include "core/cpu/tree_query.h"

namespace hitgraph {

template <typename Simd, typename T, int kDim, bool kCounting>
class QuerySearch {
 public:
  QuerySearch(const KnnTask<T>& task, KnnScratch<T>& scratch)
      : task_(task),
        tree_(*task.tree),
        query_(task, scratch.query.data()),
        counters_(scratch.counters),
        pool_(scratch, task.k),
        history_(scratch, task.dim),
        margin_(task.margin.least) {}

  void run(int64_t begin, int64_t end) {
    for (int64_t position = begin; position < end; ++position) {
      const int32_t row = query_.load(position);
      if constexpr (kCounting) ++counters_.queries;
      const int64_t found = search();
      write_neighbours(task_, row, pool_.keys(), found);
    }
  }

 private:
  using Pack = typename Simd::template Pack<T>;
  using IndexPack = typename Simd::IndexPack;
  using Key = typename KeyOf<T>::type;
  // Returns how many sorted neighbours the pool holds; those beyond the k-th are near misses.
  int64_t search() {
    if (tree_.buckets == 1) return search_bucket();
    T shell = history_.guess(query_.coordinates());
    nearest_first_ = !(shell < task_.max_distance2);
    for (int attempt = 1;; ++attempt) {
      start(shell);
      visit(tree_.levels - 1, 0);
      if (pool_.count() >= task_.k) return finish();
      if (shell_ >= task_.max_distance2) return pool_.sort(task_.max_distance2);
      if constexpr (kCounting) ++counters_.restarts;
      shell = widen(attempt);
    }
  }

  // All points there are: their keys are sorted as they come.
  int64_t search_bucket() {
    start(std::numeric_limits<T>::infinity());
    Lanes lanes;
    if (!look_at(0, lanes)) return 0;
    const int halves = tree_.size > kLanes ? 2 : 1;
    return pool_.sort_lanes(lanes.distance2, lanes.rows, lanes.found, halves);
  }

  void start(T shell) {
    const T widest = task_.max_distance2;
    pool_.clear();
    inside_ = -1;
    shell_ = shell < widest ? shell : widest;
    limit_.distance2 = shell * margin_ < widest ? shell * margin_ : widest;
    limit_.index = std::numeric_limits<int32_t>::max();
  }

  // At least k points are in the pool, and all that are within the shell.
  int64_t finish() {
    int64_t sorted = pool_.sort(shell_);
    if (key_distance2(pool_.keys()[task_.k - 1]) > shell_) {
      set_limit(pool_.keep_best());
      inside_ = shell_;
      shell_ = limit_.distance2;
      nearest_first_ = true;
      visit(tree_.levels - 1, 0);
      sorted = pool_.sort(shell_);
    }
    margin_ = max_of(task_.margin.least, margin_ * task_.margin.shrink);
    remember(sorted);
    return sorted;
  }

  // The next shell after one that held fewer than k points: scaled as if they were spread evenly.
  T widen(int attempt) {
    margin_ = min_of(task_.margin.most, margin_ * task_.margin.grow);
    constexpr int kPatience = 2;
    if (attempt > kPatience || pool_.count() == 0) {
      nearest_first_ = true;
      return std::numeric_limits<T>::infinity();
    }
    const double share = static_cast<double>(task_.k) / static_cast<double>(pool_.count());
    return limit_.distance2 * static_cast<T>(::pow(share, 2.0 / static_cast<double>(query_.dim())));
  }

  void remember(int64_t sorted) {
    const int64_t wanted = task_.k + task_.margin.reserve;
    const int64_t rank = sorted < wanted ? sorted : wanted;
    const T reach = key_distance2(pool_.keys()[rank - 1]);
    const T missing = static_cast<T>(2 * (wanted - rank)) / static_cast<T>(rank * query_.dim());
    history_.remember(query_.coordinates(), reach + reach * missing);
  }

  void set_limit(const Key& last) { limit_ = {key_distance2(last), key_index(last)}; }

  // Scans what of a node is between inside_ and shell_ and within the limit.
  void visit(int level, int64_t node) {
    T bounds[kLanes];
    LaneMask near = children_within(level, node, bounds);
    while (near != 0) {
      const int lane = nearest_first_ ? nearest_lane(bounds, near) : __builtin_ctz(near);
      if (nearest_first_ && bounds[lane] > limit_.distance2) return;
      near &= ~(LaneMask{1} << lane);
      const int64_t child = node * kNodeWidth + lane;
      if (level == 0) {
        scan_bucket(child);
      } else {
        visit(level - 1, child);
      }
    }
  }

  LaneMask children_within(int depth, int64_t node, T* bounds) {
    if constexpr (kCounting) ++counters_.nodes;
    const BoxLevel<T>& level = tree_.level[depth];
    const Pack bound = query_.bounds(level, node);
    bound.store(bounds);
    LaneMask within = less_equal(bound, Pack::broadcast(min_of(shell_, limit_.distance2)));
    if (depth == 0) within &= less(Pack::broadcast(inside_), bound);
    if (within == 0) return 0;
    const IndexPack first = IndexPack::load(level.first_index.data() + node * kNodeWidth);
    return within & (less(bound, Pack::broadcast(limit_.distance2)) |
                     less_equal(first, IndexPack::broadcast(limit_.index)));
  }

  void scan_bucket(int64_t bucket) {
    if (pool_.is_full()) {
      if constexpr (kCounting) ++counters_.selections;
      set_limit(pool_.keep_best());
      nearest_first_ = true;
    }
    Lanes lanes;
    if (!look_at(bucket, lanes)) return;
    for (int half = 0; half < 2; ++half) {
      pool_.append(lanes.distance2[half], lanes.rows[half], lanes.found[half]);
    }
  }

  // A bucket's points, and which of them are candidates; false if none is.
  struct Lanes {
    Pack distance2[2];
    IndexPack rows[2];
    LaneMask found[2];
  };
  HITGRAPH_INLINE bool look_at(int64_t bucket, Lanes& lanes) {
    if constexpr (kCounting) {
      ++counters_.buckets;
      counters_.candidates += tree_.bucket_count(bucket);
    }
    const T* coordinates = tree_.bucket_coordinates(bucket);
    const int32_t* index = tree_.index.data() + bucket * kBucketSize;
    const Pack limit = Pack::broadcast(limit_.distance2);
    LaneMask any = 0;
    for (int half = 0; half < 2; ++half) {
      lanes.distance2[half] = query_.distances(coordinates + half * kLanes);
      lanes.found[half] = less_equal(lanes.distance2[half], limit);
      any |= lanes.found[half];
    }
    // One branch for the bucket: whether a half of it holds a candidate is hard to predict.
    if (any == 0) return false;
    for (int half = 0; half < 2; ++half) {
      lanes.rows[half] = IndexPack::load(index + half * kLanes);
    }
    if (limit_.has_index() || query_.may_be_in(bucket)) {
      for (int half = 0; half < 2; ++half) {
        lanes.found[half] &= eligible(bucket, half, lanes.distance2[half], lanes.rows[half]);
      }
    }
    if constexpr (kCounting) {
      counters_.accepted += __builtin_popcount(lanes.found[0]) + __builtin_popcount(lanes.found[1]);
    }
    return true;
  }

  // Of the lanes within the limit's distance: those that are not the query itself, and not beyond
  // the limit by their index.
  LaneMask eligible(int64_t bucket, int half, const Pack& distance2, const IndexPack& rows) const {
    const LaneMask nearer = less(distance2, Pack::broadcast(limit_.distance2)) |
                            less_equal(rows, IndexPack::broadcast(limit_.index));
    return nearer & query_.others(bucket, half, rows);
  }

  // Not std::min and std::max: see sort_keys.h on what these files must not emit.
  static T min_of(T a, T b) { return a < b ? a : b; }
  static T max_of(T a, T b) { return a > b ? a : b; }

  struct Limit {
    T distance2;
    int32_t index;
    // A limit that is a guess has none.
    bool has_index() const { return index != std::numeric_limits<int32_t>::max(); }
  };

  const KnnTask<T>& task_;
  const BucketTree<T>& tree_;
  TreeQuery<Simd, T, kDim> query_;
  KnnCounters& counters_;
  NeighbourPool<Simd, T> pool_;
  SearchHistory<Simd, T> history_;

  T margin_;                    // points up to shell * margin_ are kept
  T inside_ = -1;               // buckets nearer than this have been scanned
  T shell_ = 0;                 // buckets up to here are scanned
  Limit limit_{};               // no neighbour is beyond
  bool nearest_first_ = false;  // else in the order of the tree
};

template <typename Simd, typename T, int kDim, bool kCounting>
void knn_block(const KnnTask<T>& task, int64_t begin, int64_t end, KnnScratch<T>& scratch) {
  QuerySearch<Simd, T, kDim, kCounting>(task, scratch).run(begin, end);
}

// The counting build is not specialised: the counts do not depend on how the loops are unrolled.
template <typename Simd, typename T>
KnnBlock<T> choose_knn_block(int64_t dim, bool counting) {
  if (is_tiled(dim)) return counting ? tile_block<Simd, T, true> : tile_block<Simd, T, false>;
  if (counting) return knn_block<Simd, T, 0, true>;
  return for_dimension(
      dim, [](auto constant) -> KnnBlock<T> { return knn_block<Simd, T, constant.value, false>; });
}

}  // namespace hitgraph
