// The k-nearest search on the CPU. Who searches what is in segment_search.h, the search itself in
// knn_search.h.
#include "core/knn.h"

#include <algorithm>
#include <vector>

#include "core/cpu/bitonic_sort.h"
#include "core/cpu/knn_task.h"
#include "core/cpu/segment_search.h"
#include "core/guess.h"

namespace hitgraph {

// A shell holds about k + sqrt(k) points, the margin around it half as many again: a pool that
// overflows belongs to a bad guess.
template <typename T>
void KnnScratch<T>::resize(int64_t dim, int64_t k, int64_t points) {
  const int64_t kept = std::min(k, points);
  pool_capacity = (kept < 32 ? 64 : 3 * kept) + kBucketSize;
  const int64_t queries = is_tiled(dim) ? kTileQueries : 1;
  query.resize(queries * dim);
  history.resize((dim + 1) * 2 * kLanes);
  pool_distance2.resize(queries * pool_stride());
  pool_index.resize(queries * pool_stride());
  keys.resize(bitonic_capacity(pool_capacity) + kLanes);
}

// The volumes were chosen by counting candidates (docs/decisions.md).
template <typename T>
GuessMargin<T> guess_margin(int64_t dim, int64_t k) {
  const auto radius2 = [&](double volume) { return radius2_factor<T>(volume, dim); };
  GuessMargin<T> margin;
  margin.reserve = guess_reserve(k);
  // Keeping a point costs about as much everywhere, missing one costs a search: in more dimensions,
  // where that is dearer and guesses are worse, the margin is wider.
  const bool low = dim <= 4;
  margin.least = radius2(low ? 1.4 : 2.0);
  margin.most = radius2(low ? 6.0 : 20.0);
  margin.grow = radius2(low ? 2.0 : 3.0);
  margin.shrink = radius2(low ? 1 / 1.2 : 1 / 1.1);
  return margin;
}

namespace {

template <typename T>
KnnBlock<T> knn_block_at(SimdLevel level, int64_t dim, bool counting) {
  return HITGRAPH_AT_SIMD_LEVEL(level, knn_block, <T>(dim, counting));
}

// What SegmentSearch asks for: rows of k, or rows of nothing.
template <typename T, typename Index>
class KnnRows {
 public:
  KnnRows(const KnnProblem<T>& problem, const KnnResult<T, Index>& result, int threads,
          SimdLevel level, bool counting)
      : problem_(problem),
        result_(result),
        margin_(guess_margin<T>(problem.dim, problem.k)),
        block_(knn_block_at<T>(level, problem.dim, counting)),
        scratch_(std::max(1, threads)) {
    int64_t most_points = 0;
    for (int64_t s = 0; s < problem.segments; ++s) {
      const int64_t* splits = problem.points.row_splits + s;
      most_points = std::max(most_points, splits[1] - splits[0]);
    }
    for (KnnScratch<T>& scratch : scratch_) scratch.resize(problem.dim, problem.k, most_points);
  }

  void search(const SearchTask<T>& queries, const Segment& segment, int64_t begin, int64_t end,
              int worker) {
    KnnTask<T> task;
    static_cast<SearchTask<T>&>(task) = queries;
    task.k = problem_.k;
    task.margin = margin_;
    if (result_.distance2 != nullptr) {
      task.rows.distance2 = result_.distance2 + segment.first_query * problem_.k;
    }
    task.rows.point_offset = segment.first_point;
    set_index(task.rows, result_.index + segment.first_query * problem_.k);
    block_(task, begin, end, scratch_[worker]);
  }

  void note_buckets(const Segment& segment, const BucketTree<T>& tree) {
    if (result_.order == nullptr) return;
    int32_t* order = result_.order + segment.first_point;
    std::vector<char> in_tree(segment.points, 0);
    for (int64_t place = 0; place < tree.size; ++place) {
      order[place] = static_cast<int32_t>(segment.first_point + tree.index[place]);
      in_tree[tree.index[place]] = 1;
    }
    int64_t place = tree.size;
    for (int64_t i = 0; i < segment.points; ++i) {
      if (!in_tree[i]) order[place++] = static_cast<int32_t>(segment.first_point + i);
    }
  }

  void leave_empty(int64_t row) {
    std::fill_n(result_.index + row * problem_.k, problem_.k, Index{-1});
    if (result_.distance2 == nullptr) return;
    std::fill_n(result_.distance2 + row * problem_.k, problem_.k,
                std::numeric_limits<T>::infinity());
  }

  void add_counters(KnnCounters& total) const {
    for (const KnnScratch<T>& scratch : scratch_) {
      total.queries += scratch.counters.queries;
      total.candidates += scratch.counters.candidates;
      total.buckets += scratch.counters.buckets;
      total.nodes += scratch.counters.nodes;
      total.accepted += scratch.counters.accepted;
      total.selections += scratch.counters.selections;
      total.restarts += scratch.counters.restarts;
    }
  }

 private:
  static void set_index(ResultRows<T>& rows, int64_t* index) { rows.index64 = index; }
  static void set_index(ResultRows<T>& rows, int32_t* index) { rows.index32 = index; }

  const KnnProblem<T>& problem_;
  const KnnResult<T, Index>& result_;
  const GuessMargin<T> margin_;
  const KnnBlock<T> block_;
  std::vector<KnnScratch<T>> scratch_;
};

}  // namespace

template <typename T, typename Index>
void knn_cpu(const KnnProblem<T>& problem, const KnnResult<T, Index>& result,
             const Executor& executor, SimdLevel level, KnnCounters* counters) {
  KnnRows<T, Index> rows(problem, result, executor.threads, level, counters != nullptr);
  SegmentSearch(problem, executor, rows).run();
  if (counters != nullptr) rows.add_counters(*counters);
}

#define HITGRAPH_INSTANTIATE(T, Index)                                                     \
  template void knn_cpu(const KnnProblem<T>&, const KnnResult<T, Index>&, const Executor&, \
                        SimdLevel, KnnCounters*);
HITGRAPH_INSTANTIATE(float, int32_t)
HITGRAPH_INSTANTIATE(float, int64_t)
HITGRAPH_INSTANTIATE(double, int32_t)
HITGRAPH_INSTANTIATE(double, int64_t)
#undef HITGRAPH_INSTANTIATE

}  // namespace hitgraph
