// Plans a search: which segments are worth a parallel build of their own, which rows ask, and who
// searches what. What is searched for is the business of `Search`:
//   search(task, segment, begin, end, worker)  the queries [begin, end) of the task's order, which
//                                              are rows of the segment; `worker` names scratch
//   note_buckets(segment, tree)                the tree over a segment's points was built
//   leave_empty(row)                           a query that does not ask, or that nobody may answer
// Every row of the queries gets one of the two, on some thread.
#pragma once

#include <algorithm>
#include <vector>

#include "core/cpu/aligned_buffer.h"
#include "core/cpu/kd_partition.h"
#include "core/cpu/list_rows.h"
#include "core/cpu/search_task.h"
#include "core/distance.h"
#include "core/executor.h"
#include "core/search_problem.h"

namespace hitgraph {

// Queries of one task share what one hands to the next. Fixed, so that the work done does not
// depend on the number of threads.
constexpr int64_t kQueryBlock = 128;

struct Segment {
  int64_t first_point, points;
  int64_t first_query, queries;
};

template <typename T, typename Search>
class SegmentSearch {
 public:
  SegmentSearch(const SearchProblem<T>& problem, const Executor& executor, Search& search)
      : problem_(problem),
        executor_(executor),
        search_(search),
        trees_(std::max(1, executor.threads)) {}

  void run() {
    std::vector<int64_t> small;
    for (int64_t s = 0; s < problem_.segments; ++s) {
      const Segment segment = segment_at(s);
      if (segment.queries == 0) continue;
      if (std::max(segment.queries, segment.points) <= small_segment()) {
        small.push_back(s);
      } else {
        search_segment(segment, executor_, trees_[0], 0);
      }
    }
    const Executor alone;
    const int64_t grain = 1 + static_cast<int64_t>(small.size()) / (16 * executor_.threads);
    for_each_task(executor_, static_cast<int64_t>(small.size()), std::min<int64_t>(grain, 64),
                  [&](int64_t i, int worker) {
                    search_segment(segment_at(small[i]), alone, trees_[worker], worker);
                  });
  }

 private:
  // A segment up to this size is searched by one thread.
  static constexpr int64_t kSmallSegment = 4096;
  // Masked or bipartite queries are ordered this many at a time, which bounds the memory for it.
  static constexpr int64_t kQueryChunk = int64_t{1} << 18;

  Segment segment_at(int64_t s) const {
    const int64_t* points = problem_.points.row_splits + s;
    const int64_t* queries = problem_.queries.row_splits + s;
    return {points[0], points[1] - points[0], queries[0], queries[1] - queries[0]};
  }
  // With few segments, threads share each; with many, each thread has its own.
  int64_t small_segment() const {
    return problem_.segments < 4 * executor_.threads ? 2 * kQueryBlock : kSmallSegment;
  }

  void search_segment(const Segment& segment, const Executor& executor, BucketTree<T>& tree,
                      int worker) {
    const int64_t dim = problem_.dim;
    const PointSet<T>& points = problem_.points;
    const bool* mask = points.mask == nullptr ? nullptr : points.mask + segment.first_point;
    build_bucket_tree(points.coordinates + segment.first_point * dim, mask, segment.points, dim,
                      uncut_part(segment.points, segment.queries), executor, tree);
    search_.note_buckets(segment, tree);

    SearchTask<T> task;
    task.tree = &tree;
    task.dim = dim;
    task.max_distance2 = problem_.max_distance2;
    task.exclude_self = problem_.self_queries && !problem_.include_self;
    const bool own_points =
        problem_.self_queries && points.mask == nullptr && problem_.queries.mask == nullptr;
    if (own_points) {
      if (tree.size < segment.queries) leave_absent_empty(segment, executor);
      search_blocks(task, segment, tree.size, executor, worker);
    } else if (tree.size == 0) {
      leave_empty(segment, executor, [](int64_t) { return true; });
    } else {
      leave_absent_empty(segment, executor);
      search_listed(task, segment, executor, worker);
    }
  }

  void search_blocks(const SearchTask<T>& task, const Segment& segment, int64_t size,
                     const Executor& executor, int worker) {
    const int64_t blocks = (size + kQueryBlock - 1) / kQueryBlock;
    for_each_task(executor, blocks, 1, [&](int64_t block, int inner) {
      const int64_t begin = block * kQueryBlock;
      search_.search(task, segment, begin, std::min(begin + kQueryBlock, size), worker + inner);
    });
  }

  // Queries that are not simply the points of the tree: listed, ordered and searched in chunks.
  void search_listed(SearchTask<T>& task, const Segment& segment, const Executor& executor,
                     int worker) {
    const PointSet<T>& queries = problem_.queries;
    const T* coordinates = queries.coordinates + segment.first_query * problem_.dim;
    const bool* mask = queries.mask == nullptr ? nullptr : queries.mask + segment.first_query;
    AlignedBuffer<int32_t> order;
    for (int64_t begin = 0; begin < segment.queries; begin += kQueryChunk) {
      const int64_t end = std::min(begin + kQueryChunk, segment.queries);
      order.resize(end - begin);
      const int64_t listed =
          list_rows(coordinates, mask, begin, end, problem_.dim, executor, order.data());
      kd_partition(coordinates, problem_.dim, order.data(), listed, kBucketSize, executor);
      task.queries = coordinates;
      task.order = order.data();
      search_blocks(task, segment, listed, executor, worker);
    }
  }

  void leave_absent_empty(const Segment& segment, const Executor& executor) {
    const PointSet<T>& queries = problem_.queries;
    leave_empty(segment, executor, [&](int64_t row) {
      return !takes_part(queries.coordinates, queries.mask, row, problem_.dim);
    });
  }

  template <typename Predicate>
  void leave_empty(const Segment& segment, const Executor& executor, const Predicate& absent) {
    for_each_task(executor, segment.queries, 1024, [&](int64_t i, int) {
      if (absent(segment.first_query + i)) search_.leave_empty(segment.first_query + i);
    });
  }

  const SearchProblem<T>& problem_;
  const Executor& executor_;
  Search& search_;
  std::vector<BucketTree<T>> trees_;
};

}  // namespace hitgraph
