// The k-nearest search in many dimensions, where most boxes reach into every query's sphere:
// queries of one bucket go through the buckets together, so that a bucket is read once for all of
// them, and distances are made in tiles that stay in registers.
//
// Exactness is that of knn_search.h: the gap between the box of the queries and the box of a bucket
// runs the same chain as a distance, so it exceeds no distance of the two, bit for bit; and so does
// the sum over a distance's first axes, since every further step adds a square: rounding is
// monotone. A bucket, or a tile, whose bound is beyond the limits of all its queries is left.
#pragma once

#include <cstdint>
#include <limits>

#include "core/cpu/knn_rows.h"
#include "core/cpu/knn_task.h"
#include "core/cpu/neighbour_pool.h"

namespace hitgraph {

template <typename Simd, typename T, bool kCounting>
class TileSearch {
 public:
  TileSearch(const KnnTask<T>& task, KnnScratch<T>& scratch)
      : task_(task),
        tree_(*task.tree),
        scratch_(scratch),
        dim_(task.dim),
        coordinates_(scratch.query.data()) {}

  void run(int64_t begin, int64_t end) {
    bool boxes_help = true;
    for (; begin < end; begin += kTileQueries) {
      const int64_t rest = end - begin;
      const Queries all = load(begin, static_cast<int>(rest < kTileQueries ? rest : kTileQueries));
      if (boxes_help) {
        pairs_ = 0;
        visit(tree_.levels - 1, 0, all);
        boxes_help = pairs_ * 16 < tree_.buckets * all.size * 15;
      } else {
        scan_all(task_.queries == nullptr ? begin / kBucketSize : 0, all);
      }
      for (int q = 0; q < all.size; ++q) {
        Pool pool = pool_of(q);
        write_neighbours(task_, rows_[q], pool.keys(), pool.sort(limit_[q]));
      }
    }
  }

 private:
  using Pack = typename Simd::template Pack<T>;
  using IndexPack = typename Simd::IndexPack;
  using Pool = NeighbourPool<Simd, T>;

  // Queries of the largest tile, and the packs of points beside them: what registers hold.
  static constexpr int kRows = Simd::template kTileRows<T>;
  static constexpr int kPacks = kBucketSize / kLanes;
  // After so many axes those are left who find nobody within their limit.
  static constexpr int64_t kCheckedAxes = 32;

  // Some of the queries.
  struct Queries {
    int size = 0;
    int number[kTileQueries];
  };

  Pool pool_of(int q) { return Pool(scratch_, task_.k, q, count_[q]); }

  Queries load(int64_t begin, int queries) {
    Queries all;
    for (int q = 0; q < queries; ++q) {
      all.number[all.size++] = q;
      rows_[q] = row_at(begin + q);
      excluded_[q] = task_.exclude_self ? rows_[q] : -1;
      count_[q] = 0;
      limit_[q] = task_.max_distance2;
      limit_index_[q] = std::numeric_limits<int32_t>::max();
      for (int64_t axis = 0; axis < dim_; ++axis) {
        coordinates_[axis * kTileQueries + q] = coordinate_at(begin + q, axis);
      }
    }
    if constexpr (kCounting) scratch_.counters.queries += queries;
    return all;
  }
  int32_t row_at(int64_t position) const {
    return task_.queries == nullptr ? tree_.index[position] : task_.order[position];
  }
  T coordinate_at(int64_t position, int64_t axis) const {
    if (task_.queries != nullptr) return task_.queries[task_.order[position] * dim_ + axis];
    return tree_.bucket_coordinates(position /
                                    kBucketSize)[axis * kBucketSize + position % kBucketSize];
  }

  // Every bucket, from `own` on, those near it in the tree first. Asking boxes costs about a tenth
  // of the distances; once they spare a group less than a sixteenth of its pairs, the rest of the
  // block does not ask: three groups at most, so that no cloud has more than four times the pairs.
  void scan_all(int64_t own, const Queries& queries) {
    int64_t places = 1;
    while (places < tree_.buckets) places *= 2;
    for (int64_t i = 0; i < places; ++i) {
      const int64_t bucket = own ^ i;
      if (bucket < tree_.buckets) scan_bucket(bucket, queries);
    }
  }

  // Bounds of a node's children, a row a query.
  struct Bounds {
    T of[kTileQueries][kNodeWidth];
    T furthest[kNodeWidth];  // of any query
  };

  // The children of a node, first those that are near to all; each for who is still within reach.
  void visit(int level, int64_t node, const Queries& queries) {
    Bounds bounds;
    LaneMask near = children_within(level, node, queries, bounds);
    for (; near != 0;) {
      const int lane = nearest_lane(bounds.furthest, near);
      near &= ~(LaneMask{1} << lane);
      Queries wanting;
      for (int i = 0; i < queries.size; ++i) {
        const int q = queries.number[i];
        wanting.number[wanting.size] = q;
        wanting.size += bounds.of[q][lane] <= limit_[q];
      }
      if (wanting.size == 0) continue;
      const int64_t child = node * kNodeWidth + lane;
      if (level == 0) {
        scan_bucket(child, wanting);
      } else {
        visit(level - 1, child, wanting);
      }
    }
  }

  // Those that somebody wants.
  LaneMask children_within(int depth, int64_t node, const Queries& queries, Bounds& bounds) {
    if constexpr (kCounting) ++scratch_.counters.nodes;
    const T* box = tree_.level[depth].node_bounds(node, dim_);
    const Pack zero = Pack::broadcast(0);
    Pack furthest = zero;
    LaneMask within = 0;
    for (int i = 0; i < queries.size; ++i) {
      const int q = queries.number[i];
      Pack bound = zero;
      for (int64_t axis = 0; axis < dim_; ++axis) {
        const Pack query = Pack::broadcast(coordinates_[axis * kTileQueries + q]);
        const Pack low = Pack::load(box + axis * 2 * kNodeWidth);
        const Pack high = Pack::load(box + axis * 2 * kNodeWidth + kNodeWidth);
        bound = fused_square_add(max(max(low - query, query - high), zero), bound);
      }
      bound.store(bounds.of[q]);
      furthest = max(furthest, bound);
      within |= less_equal(bound, Pack::broadcast(limit_[q]));
    }
    furthest.store(bounds.furthest);
    return within;
  }

  // Some axes of all queries before the next ones: what is read again lies in the nearest cache.
  void scan_bucket(int64_t bucket, Queries queries) {
    pairs_ += queries.size;
    if constexpr (kCounting) {
      ++scratch_.counters.buckets;
      scratch_.counters.candidates += tree_.bucket_count(bucket) * queries.size;
    }
    const T* points = tree_.bucket_coordinates(bucket);
    for (int64_t axis = 0; axis < dim_ && queries.size > 0; axis += kCheckedAxes) {
      const int64_t past = axis + kCheckedAxes < dim_ ? axis + kCheckedAxes : dim_;
      Queries within;
      for (int first = 0; first < queries.size; first += kRows) {
        const int rest = queries.size - first;
        add_rows<kRows>(points, axis, past, queries.number + first, rest < kRows ? rest : kRows,
                        within);
      }
      queries = within;
    }
    const int32_t* index = tree_.index.data() + bucket * kBucketSize;
    for (int i = 0; i < queries.size; ++i) append(queries.number[i], index);
  }

  // By the smallest tile that holds `size` queries, of kAtMost or fewer.
  template <int kAtMost>
  void add_rows(const T* points, int64_t axis, int64_t past, const int* queries, int size,
                Queries& within) {
    if constexpr (kAtMost > 1) {
      if (size <= kAtMost / 2) {
        return add_rows<kAtMost / 2>(points, axis, past, queries, size, within);
      }
    }
    add_tile<kAtMost>(points, axis, past, queries, size, within);
  }

  // Adds the axes [axis, past) to the sums of kQueries queries, of which the first `size` count;
  // lists those that may still find somebody.
  template <int kQueries>
  void add_tile(const T* points, int64_t axis, int64_t past, const int* queries, int size,
                Queries& within) {
    Pack sums[kQueries][kPacks];
    int place[kQueries];
    for (int i = 0; i < kQueries; ++i) {
      place[i] = queries[i < size ? i : 0];
      for (int p = 0; p < kPacks; ++p) {
        sums[i][p] = axis == 0 ? Pack::broadcast(0) : Pack::load(sums_[place[i]] + p * kLanes);
      }
    }
    for (; axis < past; ++axis) {
      Pack column[kPacks];
      for (int p = 0; p < kPacks; ++p) {
        column[p] = Pack::load(points + axis * kBucketSize + p * kLanes);
      }
      for (int i = 0; i < kQueries; ++i) {
        const Pack query = Pack::broadcast(coordinates_[axis * kTileQueries + place[i]]);
        for (int p = 0; p < kPacks; ++p) {
          sums[i][p] = fused_square_add(query - column[p], sums[i][p]);
        }
      }
    }
    for (int i = 0; i < size; ++i) {
      const Pack limit = Pack::broadcast(limit_[place[i]]);
      LaneMask near = 0;
      for (int p = 0; p < kPacks; ++p) {
        sums[i][p].store(sums_[place[i]] + p * kLanes);
        near |= less_equal(sums[i][p], limit);
      }
      within.number[within.size] = place[i];
      within.size += near != 0;
    }
  }

  void append(int q, const int32_t* index) {
    const Pack limit = Pack::broadcast(limit_[q]);
    Pool pool = pool_of(q);
    for (int p = 0; p < kPacks; ++p) {
      const Pack distance2 = Pack::load(sums_[q] + p * kLanes);
      const IndexPack rows = IndexPack::load(index + p * kLanes);
      const LaneMask nearer = less(distance2, limit);
      LaneMask found =
          less_equal(distance2, limit) & not_equal(rows, IndexPack::broadcast(excluded_[q]));
      found &= nearer | less_equal(rows, IndexPack::broadcast(limit_index_[q]));
      pool.append(distance2, rows, found);
      if constexpr (kCounting) scratch_.counters.accepted += __builtin_popcount(found);
    }
    if (pool.is_full() || (!is_limited(q) && pool.count() >= task_.k)) cut(q, pool);
    count_[q] = pool.count();
  }

  bool is_limited(int q) const { return limit_index_[q] != std::numeric_limits<int32_t>::max(); }
  void cut(int q, Pool& pool) {
    if constexpr (kCounting) ++scratch_.counters.selections;
    const auto last = pool.keep_best();
    limit_[q] = key_distance2(last);
    limit_index_[q] = key_index(last);
  }

  const KnnTask<T>& task_;
  const BucketTree<T>& tree_;
  KnnScratch<T>& scratch_;
  const int64_t dim_;
  T* const coordinates_;  // [axis][kTileQueries]

  alignas(kCacheLine) T sums_[kTileQueries][kBucketSize];  // to the points of a bucket
  T limit_[kTileQueries];
  int32_t limit_index_[kTileQueries];
  int32_t rows_[kTileQueries], excluded_[kTileQueries];
  int64_t count_[kTileQueries];  // of the pools
  int64_t pairs_ = 0;            // of a query and a bucket that it went to
};

template <typename Simd, typename T, bool kCounting>
void tile_block(const KnnTask<T>& task, int64_t begin, int64_t end, KnnScratch<T>& scratch) {
  TileSearch<Simd, T, kCounting>(task, scratch).run(begin, end);
}

}  // namespace hitgraph
