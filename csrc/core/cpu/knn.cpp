// Plans the search: which segments are worth a parallel build of their own, which rows ask, and who
// searches what. The work itself is in bucket_tree.cpp and knn_search.h.
#include "core/knn.h"

#include <algorithm>
#include <vector>

#include "core/cpu/bitonic_sort.h"
#include "core/cpu/kd_partition.h"
#include "core/cpu/search_task.h"
#include "core/distance.h"
#include "core/guess.h"

namespace hitgraph {

// A shell holds about k + sqrt(k) points, the margin around it half as many again: a pool that
// overflows belongs to a bad guess.
template <typename T>
void SearchScratch<T>::resize(int64_t dim, int64_t k, int64_t points) {
  const int64_t kept = std::min(k, points);
  pool_capacity = (kept < 32 ? 64 : 3 * kept) + kBucketSize;
  query.resize(dim);
  history.resize((dim + 1) * 2 * kLanes);
  pool_distance2.resize(pool_capacity + 2 * kLanes);
  pool_index.resize(pool_capacity + 2 * kLanes);
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

// Queries of one task share the guess that is handed from one to the next. Fixed, so that the work
// done does not depend on the number of threads.
constexpr int64_t kBlock = 128;
// A segment up to this size is searched by one thread.
constexpr int64_t kSmallSegment = 4096;
// Masked or bipartite queries are ordered this many at a time, which bounds the memory for it.
constexpr int64_t kQueryChunk = int64_t{1} << 18;

template <typename T>
SearchBlock<T> search_block_at(SimdLevel level, int64_t dim, bool counting) {
#if defined(HITGRAPH_HAVE_AVX512)
  if (level == SimdLevel::kAvx512) return search_block_avx512<T>(dim, counting);
#endif
#if defined(HITGRAPH_HAVE_AVX2)
  if (level == SimdLevel::kAvx2) return search_block_avx2<T>(dim, counting);
#endif
  (void)level;
  return search_block_portable<T>(dim, counting);
}

template <typename T, typename Index>
class KnnRun {
 public:
  KnnRun(const KnnProblem<T>& problem, const KnnResult<T, Index>& result, const Executor& executor,
         SimdLevel level, bool counting)
      : problem_(problem),
        result_(result),
        executor_(executor),
        search_(search_block_at<T>(level, problem.dim, counting)),
        scratch_(std::max(1, executor.threads)),
        trees_(std::max(1, executor.threads)) {
    int64_t most_points = 0;
    for (int64_t s = 0; s < problem.segments; ++s) {
      most_points = std::max(most_points, point_count(s));
    }
    for (SearchScratch<T>& scratch : scratch_) scratch.resize(problem.dim, problem.k, most_points);
  }

  void run() {
    std::vector<int64_t> small;
    for (int64_t segment = 0; segment < problem_.segments; ++segment) {
      if (query_count(segment) == 0) continue;
      if (std::max(query_count(segment), point_count(segment)) <= small_segment()) {
        small.push_back(segment);
      } else {
        search_segment(segment, executor_, trees_[0], 0);
      }
    }
    const Executor alone;
    const int64_t grain = 1 + static_cast<int64_t>(small.size()) / (16 * executor_.threads);
    for_each_task(
        executor_, static_cast<int64_t>(small.size()), std::min<int64_t>(grain, 64),
        [&](int64_t i, int worker) { search_segment(small[i], alone, trees_[worker], worker); });
  }

  void add_counters(KnnCounters& total) const {
    for (const SearchScratch<T>& scratch : scratch_) {
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
  int64_t query_count(int64_t s) const {
    return problem_.queries.row_splits[s + 1] - problem_.queries.row_splits[s];
  }
  int64_t point_count(int64_t s) const {
    return problem_.points.row_splits[s + 1] - problem_.points.row_splits[s];
  }
  // With few segments, threads share each; with many, each thread has its own.
  int64_t small_segment() const {
    return problem_.segments < 4 * executor_.threads ? 2 * kBlock : kSmallSegment;
  }

  void search_segment(int64_t segment, const Executor& executor, BucketTree<T>& tree, int worker) {
    const int64_t dim = problem_.dim;
    const PointSet<T>& points = problem_.points;
    const PointSet<T>& queries = problem_.queries;
    const int64_t first_point = points.row_splits[segment];
    const int64_t first_query = queries.row_splits[segment];
    const bool* mask = points.mask == nullptr ? nullptr : points.mask + first_point;
    build_bucket_tree(points.coordinates + first_point * dim, mask, point_count(segment), dim,
                      executor, tree);

    SearchTask<T> task;
    task.tree = &tree;
    task.dim = dim;
    task.k = problem_.k;
    task.max_distance2 = problem_.max_distance2;
    task.margin = guess_margin<T>(dim, problem_.k);
    task.exclude_self = problem_.self_queries && !problem_.include_self;
    task.rows.distance2 = result_.distance2 + first_query * problem_.k;
    task.rows.point_offset = first_point;
    set_index(task.rows, result_.index + first_query * problem_.k);

    const bool own_points =
        problem_.self_queries && points.mask == nullptr && queries.mask == nullptr;
    if (own_points) {
      if (tree.size < query_count(segment)) fill_absent(segment, executor);
      search_blocks(task, tree.size, executor, worker);
    } else {
      fill_absent(segment, executor);
      search_listed(task, segment, executor, worker);
    }
  }

  static void set_index(ResultRows<T>& rows, int64_t* index) { rows.index64 = index; }
  static void set_index(ResultRows<T>& rows, int32_t* index) { rows.index32 = index; }

  void search_blocks(const SearchTask<T>& task, int64_t size, const Executor& executor,
                     int worker) {
    if (task.tree->size == 0) return;
    for_each_task(executor, (size + kBlock - 1) / kBlock, 1, [&](int64_t block, int inner) {
      const int64_t begin = block * kBlock;
      search_(task, begin, std::min(begin + kBlock, size), scratch_[worker + inner]);
    });
  }

  // Queries that are not simply the points of the tree: listed, ordered and searched in chunks.
  void search_listed(SearchTask<T>& task, int64_t segment, const Executor& executor, int worker) {
    const PointSet<T>& queries = problem_.queries;
    const int64_t first = queries.row_splits[segment], count = query_count(segment);
    const T* coordinates = queries.coordinates + first * problem_.dim;
    const bool* mask = queries.mask == nullptr ? nullptr : queries.mask + first;
    if (task.tree->size == 0) return fill_rows(segment, executor, [](int64_t) { return true; });
    std::vector<int32_t> order;
    for (int64_t begin = 0; begin < count; begin += kQueryChunk) {
      const int64_t end = std::min(begin + kQueryChunk, count);
      order.clear();
      for (int64_t row = begin; row < end; ++row) {
        if (takes_part(coordinates, mask, row, problem_.dim)) {
          order.push_back(static_cast<int32_t>(row));
        }
      }
      const auto listed = static_cast<int64_t>(order.size());
      kd_partition(coordinates, problem_.dim, order.data(), listed, executor);
      task.queries = coordinates;
      task.order = order.data();
      search_blocks(task, listed, executor, worker);
    }
  }

  // Rows that do not ask have no neighbours.
  void fill_absent(int64_t segment, const Executor& executor) {
    const PointSet<T>& queries = problem_.queries;
    fill_rows(segment, executor, [&](int64_t row) {
      return !takes_part(queries.coordinates, queries.mask, row, problem_.dim);
    });
  }

  template <typename Predicate>
  void fill_rows(int64_t segment, const Executor& executor, const Predicate& absent) {
    const int64_t first = problem_.queries.row_splits[segment], k = problem_.k;
    for_each_task(executor, query_count(segment), 1024, [&](int64_t i, int) {
      if (!absent(first + i)) return;
      std::fill_n(result_.index + (first + i) * k, k, Index{-1});
      std::fill_n(result_.distance2 + (first + i) * k, k, std::numeric_limits<T>::infinity());
    });
  }

  const KnnProblem<T>& problem_;
  const KnnResult<T, Index>& result_;
  const Executor& executor_;
  const SearchBlock<T> search_;
  std::vector<SearchScratch<T>> scratch_;
  std::vector<BucketTree<T>> trees_;
};

}  // namespace

template <typename T, typename Index>
void knn_cpu(const KnnProblem<T>& problem, const KnnResult<T, Index>& result,
             const Executor& executor, SimdLevel level, KnnCounters* counters) {
  KnnRun<T, Index> run(problem, result, executor, level, counters != nullptr);
  run.run();
  if (counters != nullptr) run.add_counters(*counters);
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
