#include "core/condensate.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "core/condensate_rules.h"
#include "core/cpu/condensate_task.h"

namespace hitgraph {
namespace {

template <typename T>
CondensateBall<T> condensate_ball_at(SimdLevel level, int64_t dim) {
  return HITGRAPH_AT_SIMD_LEVEL(level, condensate_ball, <T>(dim));
}

// The events of one worker, one after another.
template <typename T>
class EventCondensate {
 public:
  EventCondensate(const CondensateProblem<T>& problem, SimdLevel level)
      : problem_(problem), ball_(condensate_ball_at<T>(level, problem.dim)), query_(problem.dim) {}

  // Writes the hits' labels and points; returns the rows of the points within the event.
  const std::vector<int32_t>& run(int64_t event, const Executor& executor, int64_t* label,
                                  int64_t* point) {
    first_ = problem_.row_splits[event];
    const int64_t size = problem_.row_splits[event + 1] - first_;
    points_.clear();
    std::fill_n(label + first_, size, int64_t{-1});
    std::fill_n(point + first_, size, int64_t{-1});
    list_candidates(size);
    if (candidates_.empty()) return points_;
    build_bucket_tree(problem_.coordinates + first_ * problem_.dim, nullptr, size, problem_.dim,
                      kBucketSize, executor, tree_);
    owner_.assign(tree_.buckets * kBucketSize, -1);
    if (problem_.nearest) distance2_.resize(tree_.buckets * kBucketSize);
    place_.resize(size);
    for (int64_t place = 0; place < tree_.size; ++place) {
      place_[tree_.index[place]] = static_cast<int32_t>(place);
    }
    condense();
    for (int64_t place = 0; place < tree_.size; ++place) {
      if (owner_[place] < 0) continue;
      label[first_ + tree_.index[place]] = owner_[place];
      point[first_ + tree_.index[place]] = first_ + points_[owner_[place]];
    }
    return points_;
  }

 private:
  struct Candidate {
    T beta;
    int32_t row;
    bool operator<(const Candidate& other) const {
      return beta > other.beta || (beta == other.beta && row < other.row);
    }
  };

  void list_candidates(int64_t size) {
    candidates_.clear();
    const T* coordinates = problem_.coordinates + first_ * problem_.dim;
    const bool* everybody = nullptr;
    for (int64_t row = 0; row < size; ++row) {
      const T beta = problem_.beta[first_ + row];
      if (!(beta > problem_.beta_threshold)) continue;
      if (!takes_part(coordinates, everybody, row, problem_.dim)) continue;
      candidates_.push_back({beta, static_cast<int32_t>(row)});
    }
  }

  // The best candidates are sorted, a share at a time: the points made of them take most of the
  // others, which then need no place in an order.
  void condense() {
    auto begin = candidates_.begin();
    for (int64_t share = 512; begin != candidates_.end(); share *= 2) {
      const auto end = begin + std::min<int64_t>(share, candidates_.end() - begin);
      if (end != candidates_.end()) std::nth_element(begin, end, candidates_.end());
      std::sort(begin, end);
      for (; begin != end; ++begin) {
        if (owner_[place_[begin->row]] < 0) take_ball(begin->row);
      }
      candidates_.erase(std::remove_if(begin, candidates_.end(),
                                       [&](const Candidate& candidate) {
                                         return owner_[place_[candidate.row]] >= 0;
                                       }),
                        candidates_.end());
    }
  }

  void take_ball(int32_t row) {
    CondensateTask<T> task;
    task.number = static_cast<int32_t>(points_.size());
    points_.push_back(row);
    task.tree = &tree_;
    task.dim = problem_.dim;
    const T factor = problem_.radius == nullptr ? T(1) : problem_.radius[first_ + row];
    task.max_distance2 = condensate_limit(problem_.distance_threshold, factor);
    task.queries = problem_.coordinates + first_ * problem_.dim;
    task.order = &row;
    task.points = points_.data();
    task.nearest = problem_.nearest;
    task.owner = owner_.data();
    task.distance2 = distance2_.data();
    task.query = query_.data();
    ball_(task);
  }

  const CondensateProblem<T>& problem_;
  const CondensateBall<T> ball_;
  BucketTree<T> tree_;
  std::vector<T> query_, distance2_;
  std::vector<int32_t> points_, owner_, place_;
  std::vector<Candidate> candidates_;
  int64_t first_ = 0;
};

}  // namespace

template <typename T>
void condensate_cpu(const CondensateProblem<T>& problem, SimdLevel level, const Executor& executor,
                    int64_t* label, int64_t* point, int64_t* point_splits,
                    const AllocatePoints& allocate) {
  // A larger event is the work of all threads: they build its tree.
  constexpr int64_t kSmallEvent = 4096;
  std::vector<EventCondensate<T>> workers;
  for (int i = 0; i < std::max(1, executor.threads); ++i) workers.emplace_back(problem, level);
  std::vector<std::vector<int32_t>> rows(problem.events);
  std::vector<int64_t> small;
  for (int64_t event = 0; event < problem.events; ++event) {
    if (problem.row_splits[event + 1] - problem.row_splits[event] <= kSmallEvent) {
      small.push_back(event);
    } else {
      rows[event] = workers[0].run(event, executor, label, point);
    }
  }
  for_each_task(executor, static_cast<int64_t>(small.size()), 1, [&](int64_t i, int worker) {
    rows[small[i]] = workers[worker].run(small[i], Executor(), label, point);
  });
  point_splits[0] = 0;
  for (int64_t event = 0; event < problem.events; ++event) {
    point_splits[event + 1] = point_splits[event] + static_cast<int64_t>(rows[event].size());
  }
  int64_t* points = allocate(point_splits[problem.events]);
  for (int64_t event = 0; event < problem.events; ++event) {
    for (const int32_t row : rows[event]) *points++ = problem.row_splits[event] + row;
  }
}

#define HITGRAPH_INSTANTIATE(T)                                                                   \
  template void condensate_cpu(const CondensateProblem<T>&, SimdLevel, const Executor&, int64_t*, \
                               int64_t*, int64_t*, const AllocatePoints&);
HITGRAPH_INSTANTIATE(float)
HITGRAPH_INSTANTIATE(double)
#undef HITGRAPH_INSTANTIATE

}  // namespace hitgraph
