#include <algorithm>
#include <numeric>
#include <vector>

#include "core/condensation.h"

namespace hitgraph {
namespace {

// Numbers the labels of one event, ascending from 0.
class LabelNumbers {
 public:
  // Labels above `noise` alone. A table serves labels that lie close together, as they mostly do.
  void load(const int64_t* labels, int64_t count, int64_t noise) {
    sorted_.clear();
    int64_t low = std::numeric_limits<int64_t>::max(), high = std::numeric_limits<int64_t>::min();
    for (int64_t i = 0; i < count; ++i) {
      if (labels[i] <= noise) continue;
      low = std::min(low, labels[i]);
      high = std::max(high, labels[i]);
    }
    low_ = low;
    size_ = 0;
    const uint64_t range = low > high ? 0 : static_cast<uint64_t>(high) - low + 1;
    in_table_ = low > high || (range != 0 && range <= 4 * static_cast<uint64_t>(count) + 1024);
    if (!in_table_) return sort(labels, count, noise);
    table_.assign(range, 0);
    for (int64_t i = 0; i < count; ++i) {
      if (labels[i] > noise) table_[labels[i] - low] = 1;
    }
    for (int32_t& entry : table_) {
      const int32_t there = entry;
      entry = static_cast<int32_t>(size_);
      size_ += there;
    }
  }

  int64_t size() const { return size_; }
  int32_t operator()(int64_t label) const {
    if (in_table_) return table_[label - low_];
    const auto found = std::lower_bound(sorted_.begin(), sorted_.end(), label);
    return static_cast<int32_t>(found - sorted_.begin());
  }

 private:
  void sort(const int64_t* labels, int64_t count, int64_t noise) {
    for (int64_t i = 0; i < count; ++i) {
      if (labels[i] > noise) sorted_.push_back(labels[i]);
    }
    std::sort(sorted_.begin(), sorted_.end());
    sorted_.erase(std::unique(sorted_.begin(), sorted_.end()), sorted_.end());
    size_ = static_cast<int64_t>(sorted_.size());
  }

  std::vector<int32_t> table_;
  std::vector<int64_t> sorted_;
  int64_t low_ = 0, size_ = 0;
  bool in_table_ = true;
};

}  // namespace

template <typename T>
void condensation_objects_cpu(const LabelledHits<T>& hits, const Executor& executor,
                              int32_t* object, int32_t* order, int64_t* object_splits,
                              const AllocateObjects& allocate) {
  std::vector<LabelNumbers> scratch(std::max(1, executor.threads));
  object_splits[0] = 0;
  for_each_task(executor, hits.events, 1, [&](int64_t event, int worker) {
    const int64_t begin = hits.row_splits[event], end = hits.row_splits[event + 1];
    LabelNumbers& number = scratch[worker];
    number.load(hits.labels + begin, end - begin, hits.noise_label);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t label = hits.labels[i];
      object[i] = label <= hits.noise_label ? -1 : number(label);
    }
    object_splits[event + 1] = number.size();
  });
  std::partial_sum(object_splits, object_splits + hits.events + 1, object_splits);
  const int64_t objects = object_splits[hits.events];
  const CondensationObjects result = allocate(objects);

  std::fill_n(result.offsets, objects + 1, int64_t{0});
  for_each_task(executor, hits.events, 1, [&](int64_t event, int) {
    const int64_t first = object_splits[event];
    std::fill(result.points + first, result.points + object_splits[event + 1], int64_t{-1});
    for (int64_t i = hits.row_splits[event]; i < hits.row_splits[event + 1]; ++i) {
      if (object[i] < 0) continue;
      object[i] += static_cast<int32_t>(first);
      ++result.offsets[object[i] + 1];
      int64_t& point = result.points[object[i]];
      if (point < 0 || hits.beta[i] > hits.beta[point]) point = i;
    }
  });
  std::partial_sum(result.offsets, result.offsets + objects + 1, result.offsets);
  std::vector<int64_t> next(result.offsets, result.offsets + objects);
  for_each_task(executor, hits.events, 1, [&](int64_t event, int) {
    const int64_t begin = hits.row_splits[event];
    int64_t noise = result.offsets[objects] + begin - result.offsets[object_splits[event]];
    for (int64_t i = begin; i < hits.row_splits[event + 1]; ++i) {
      order[object[i] < 0 ? noise++ : next[object[i]]++] = static_cast<int32_t>(i);
    }
  });
}

template void condensation_objects_cpu(const LabelledHits<float>&, const Executor&, int32_t*,
                                       int32_t*, int64_t*, const AllocateObjects&);
template void condensation_objects_cpu(const LabelledHits<double>&, const Executor&, int32_t*,
                                       int32_t*, int64_t*, const AllocateObjects&);

}  // namespace hitgraph
