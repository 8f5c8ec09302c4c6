// How a part is cut: first the value that bounds the left side is found by counting, then the rows
// are split by it in one pass. Nothing is exchanged on the way, so both sides keep their order: the
// result does not depend on the lanes, and rows are read in the order of memory.
//
// The bound is the root of a monotone function, the number of values up to it. Counting costs an
// instruction or two for a vector of values, so that a handful of counts, each at the place where a
// straight line through the ends of the bracket meets the wanted number, is cheaper than exchanging
// keys once. Where values lie unevenly and counts do not come closer, those still in question are
// put aside and a sample of them says where to count next; now and then it is the middle, so that
// there is an end whatever the values.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <type_traits>

#include "core/cpu/kd_cut.h"
#include "core/cpu/simd_portable.h"
#include "core/kd_key.h"

namespace hitgraph {

// Rows whose value is below `value` go left, and the first `equal` ones of those that have it.
struct KdBound {
  static constexpr int64_t kAll = std::numeric_limits<int64_t>::max();
  int32_t value;
  int64_t equal;
};

template <typename Simd>
class KdBoundSearch {
 public:
  KdBoundSearch(const KdPart& part, int64_t left)
      : values_(part.values), size_(part.size), spare_(part.spare), left_(left) {
    close_in(0);
  }

  KdBound find() {
    while (high_ - low_ > 1) {
      const int32_t pivot = stale_ < kPatience ? interpolated() : looked_for();
      const int64_t counted = before_ + count_up_to(pivot);
      if (counted == left_) return {pivot, KdBound::kAll};
      note(pivot, counted);
    }
    return {static_cast<int32_t>(high_), left_ - below_};
  }

 private:
  using Pack = typename Simd::IndexPack;
  // So many counts may come no closer. Values out of question are dropped from so many on, when
  // only so small a share is left.
  static constexpr int kPatience = 2;
  static constexpr int64_t kManyValues = 1024, kFewLeft = 8;

  int64_t count_up_to(int32_t pivot) const {
    int32_t count = 0;
    for (int64_t i = 0; i < size_; ++i) count += values_[i] <= pivot;
    return count;
  }

  int32_t inside(int32_t pivot) const {
    return static_cast<int32_t>(std::clamp<int64_t>(pivot, low_ + 1, high_ - 1));
  }

  int32_t interpolated() const {
    const auto number = [](int64_t value) {
      return float_of_bits(static_cast<unsigned>(kd_ordered(static_cast<int>(value))));
    };
    const float low = number(low_), high = number(high_);
    const float share = static_cast<float>(left_ - below_) / static_cast<float>(up_to_ - below_);
    return inside(kd_ordered(kd_bits(low + (high - low) * share, 0.0f)));
  }

  // A sample may mislead again and again; halves end after 32 times.
  int32_t looked_for() {
    return ++lookups_ % 4 == 0 ? static_cast<int32_t>((low_ + high_) >> 1) : sampled();
  }

  // The one of kSample values that has about the wanted rank; ranks are counted, nothing predicted.
  int32_t sampled() const {
    constexpr int kSample = 16;
    int32_t sample[kSample];
    int rank[kSample] = {};
    for (int i = 0; i < kSample; ++i) sample[i] = values_[(2 * i + 1) * size_ / (2 * kSample)];
    for (int i = 0; i < kSample; ++i) {
      for (int j = 0; j < kSample; ++j) {
        rank[j] += sample[i] < sample[j] || (sample[i] == sample[j] && i < j);
      }
    }
    const int wanted = static_cast<int>((left_ - before_) * kSample / size_);
    return inside(sample[std::find(rank, rank + kSample, wanted) - rank]);
  }

  void note(int32_t pivot, int64_t counted) {
    const bool sampled = stale_ == kPatience;
    if (counted < left_) {
      low_ = pivot;
      below_ = counted;
    } else {
      high_ = pivot;
      up_to_ = counted;
    }
    const int64_t off = std::abs(counted - left_);
    stale_ = sampled || 2 * off <= nearest_ ? 0 : stale_ + 1;
    nearest_ = sampled ? size_ : std::min(nearest_, off);
    if (stale_ == kPatience || (size_ > kManyValues && up_to_ - below_ < size_ / kFewLeft)) {
      put_aside();
    }
  }

  // Values in (low, high] are all that is still looked at.
  void put_aside() {
    const auto low = static_cast<int32_t>(low_), high = static_cast<int32_t>(high_);
    int64_t kept = 0, i = 0;
    if constexpr (!std::is_same_v<Simd, PortableSimd>) {
      const Pack above = Pack::broadcast(low), most = Pack::broadcast(high);
      for (; i + kLanes <= size_; i += kLanes) {
        const Pack sixteen = Pack::load(values_ + i);
        const LaneMask mask = less_equal(sixteen, most) & ~less_equal(sixteen, above);
        sixteen.compress_store(spare_ + kept, mask);
        kept += __builtin_popcount(mask);
      }
    }
    for (; i < size_; ++i) {
      const int32_t value = values_[i];
      spare_[kept] = value;
      kept += value > low && value <= high;
    }
    values_ = spare_;
    size_ = kept;
    close_in(below_);
  }

  // The bracket of all values that are looked at, of which `before` smaller ones are not.
  void close_in(int64_t before) {
    const int32_t* const values = values_;
    int32_t least = values[0], most = values[0];
    for (int64_t i = 0; i < size_; ++i) {
      least = values[i] < least ? values[i] : least;
      most = values[i] > most ? values[i] : most;
    }
    low_ = int64_t{least} - 1;
    high_ = most;
    below_ = before_ = before;
    up_to_ = before + size_;
    nearest_ = size_;
  }

  const int32_t* values_;
  int64_t size_;
  int32_t* const spare_;
  const int64_t left_;
  int64_t before_ = 0;  // values smaller than those that are looked at
  // below_ values, fewer than left_, are at most low_; up_to_, more than left_, are at most high_.
  int64_t low_ = 0, high_ = 0, below_ = 0, up_to_ = 0;
  int64_t nearest_ = 0;  // how far off the best count was
  int stale_ = 0;        // counts since then that came no closer
  int lookups_ = 0;
};

template <typename Simd>
class KdSplit {
 public:
  explicit KdSplit(const KdPart& part) : part_(part) {}

  void run(KdBound bound) {
    const int64_t until = end_of_equal(bound);
    split(until, bound.value);
    split(part_.size, bound.value - 1);
    std::copy_n(part_.spare, right_, part_.rows + left_);
  }

 private:
  // The position up to which rows with the bound's value go left.
  int64_t end_of_equal(KdBound bound) const {
    if (bound.equal == KdBound::kAll) return part_.size;
    int64_t at = 0;
    for (int64_t found = 0; found < bound.equal; ++at) found += part_.values[at] == bound.value;
    return at;
  }

  // Rows up to position `end` go left if their value is at most `most`; others wait in `spare`. A
  // store may write a whole pack, which ends before what is not read yet.
  void split(int64_t end, int32_t most) {
    if constexpr (!std::is_same_v<Simd, PortableSimd>) {
      using Pack = typename Simd::IndexPack;
      const Pack bound = Pack::broadcast(most);
      for (; at_ + kLanes <= end; at_ += kLanes) {
        const LaneMask mask = less_equal(Pack::load(part_.values + at_), bound);
        const Pack rows = Pack::load(part_.rows + at_);
        rows.compress_store(part_.rows + left_, mask);
        rows.compress_store(part_.spare + right_, ~mask & 0xffff);
        left_ += __builtin_popcount(mask);
        right_ = at_ + kLanes - left_;
      }
    }
    for (; at_ < end; ++at_) {
      const int32_t row = part_.rows[at_];
      part_.rows[left_] = part_.spare[right_] = row;
      const bool left = part_.values[at_] <= most;
      left_ += left;
      right_ += !left;
    }
  }

  const KdPart part_;
  int64_t at_ = 0, left_ = 0, right_ = 0;
};

template <typename Simd>
void cut_part(const KdPart& part, int64_t left) {
  for (int64_t i = 0; i < part.size; ++i) part.values[i] = kd_ordered(part.values[i]);
  const KdBound bound = KdBoundSearch<Simd>(part, left).find();
  KdSplit<Simd>(part).run(bound);
}

}  // namespace hitgraph
