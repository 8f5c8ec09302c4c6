// The radius search on the CPU: one search, whose findings wait in the threads' memory until their
// number is known, and a copy. Searching twice, to count and to write, would cost twice the search.
#include "core/radius.h"

#include <algorithm>
#include <vector>

#include "core/cpu/radius_task.h"
#include "core/cpu/segment_search.h"

namespace hitgraph {

template <typename T>
const typename FoundKeys<T>::Key* FoundKeys<T>::keep(const Key* keys, int64_t count) {
  constexpr int64_t kLargest = 1 << 18;
  const auto new_chunk = [this](int64_t size) {
    chunks_.emplace_back();
    chunks_.back().resize(size);
    return chunks_.back().data();
  };
  // A long row has a chunk of its own: the rest of the last one would be lost.
  if (count > kLargest / 16) return std::copy_n(keys, count, new_chunk(count)) - count;
  if (count > room_) {
    room_ = std::max(count, std::min(chunk_size_, kLargest));
    tail_ = new_chunk(room_);
    chunk_size_ = 2 * room_;
  }
  Key* const kept = tail_;
  tail_ = std::copy_n(keys, count, kept);
  room_ -= count;
  return kept;
}

template <typename T>
void RadiusScratch<T>::make_room(int64_t used, int64_t wanted) {
  AlignedBuffer<typename KeyOf<T>::type> more;
  more.resize(std::max({wanted, 2 * row.size(), int64_t{1} << 10}));
  std::copy_n(row.data(), used, more.data());
  row = std::move(more);
}

template class FoundKeys<float>;
template class FoundKeys<double>;
template struct RadiusScratch<float>;
template struct RadiusScratch<double>;

namespace {

template <typename T>
RadiusBlock<T> radius_block_at(SimdLevel level, int64_t dim) {
  return HITGRAPH_AT_SIMD_LEVEL(level, radius_block, <T>(dim));
}

// What SegmentSearch asks for: rows of any length, and rows of nothing.
template <typename T>
class RadiusRows {
 public:
  RadiusRows(const RadiusProblem<T>& problem, int64_t* row_splits, int threads, SimdLevel level)
      : problem_(problem),
        counts_(row_splits + 1),
        block_(radius_block_at<T>(level, problem.dim)),
        workers_(std::max(1, threads)) {
    for (Worker& worker : workers_) worker.scratch.query.resize(problem.dim);
  }

  void search(const SearchTask<T>& queries, const Segment& segment, int64_t begin, int64_t end,
              int number) {
    RadiusTask<T> task;
    static_cast<SearchTask<T>&>(task) = queries;
    task.max_neighbors = problem_.max_neighbors;
    Worker& worker = workers_[number];
    FoundRow<T> rows[kQueryBlock];
    block_(task, begin, end, worker.scratch, rows);
    for (int64_t i = 0; i < end - begin; ++i) {
      counts_[segment.first_query + rows[i].row] = rows[i].count;
      worker.rows.push_back({segment.first_query + rows[i].row, segment.first_point, rows[i].keys});
    }
  }

  void note_buckets(const Segment&, const BucketTree<T>&) const {}
  void leave_empty(int64_t row) { counts_[row] = 0; }

  template <typename Index>
  void write(const int64_t* row_splits, const RadiusResult<T, Index>& result,
             const Executor& executor) const {
    for (const Worker& worker : workers_) {
      for_each_task(executor, static_cast<int64_t>(worker.rows.size()), 256, [&](int64_t i, int) {
        const Row& found = worker.rows[i];
        const int64_t begin = row_splits[found.row], count = row_splits[found.row + 1] - begin;
        for (int64_t n = 0; n < count; ++n) {
          result.index[begin + n] =
              static_cast<Index>(key_index(found.keys[n]) + found.first_point);
          result.distance2[begin + n] = key_distance2(found.keys[n]);
        }
      });
    }
  }

 private:
  struct Row {
    int64_t row;
    int64_t first_point;
    const typename KeyOf<T>::type* keys;
  };
  struct Worker {
    RadiusScratch<T> scratch;
    std::vector<Row> rows;
  };

  const RadiusProblem<T>& problem_;
  int64_t* const counts_;
  const RadiusBlock<T> block_;
  std::vector<Worker> workers_;
};

}  // namespace

template <typename T, typename Index>
void radius_cpu(const RadiusProblem<T>& problem, int64_t* row_splits,
                const AllocateEdges<T, Index>& allocate, const Executor& executor,
                SimdLevel level) {
  RadiusRows<T> rows(problem, row_splits, executor.threads, level);
  SegmentSearch(problem, executor, rows).run();
  row_splits[0] = 0;
  for (int64_t row = 0; row < problem.queries.size; ++row) row_splits[row + 1] += row_splits[row];
  rows.write(row_splits, allocate(row_splits[problem.queries.size]), executor);
}

#define HITGRAPH_INSTANTIATE(T, Index)                                                        \
  template void radius_cpu(const RadiusProblem<T>&, int64_t*, const AllocateEdges<T, Index>&, \
                           const Executor&, SimdLevel);
HITGRAPH_INSTANTIATE(float, int32_t)
HITGRAPH_INSTANTIATE(float, int64_t)
HITGRAPH_INSTANTIATE(double, int32_t)
HITGRAPH_INSTANTIATE(double, int64_t)
#undef HITGRAPH_INSTANTIATE

}  // namespace hitgraph
