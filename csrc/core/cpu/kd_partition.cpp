#include "core/cpu/kd_partition.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>
#include <vector>

#include "core/cpu/aligned_buffer.h"
#include "core/cpu/bucket_tree.h"
#include "core/cpu/kd_cut.h"
#include "core/kd_key.h"

namespace hitgraph {
namespace {

// How many of `size` points go left: the multiple nearest to half of the largest alignment that
// still leaves something on both sides.
int64_t cut_position(int64_t size) {
  const int64_t half = size / 2;
  int64_t align = kBucketSize;
  while (align * kNodeWidth <= half) align *= kNodeWidth;
  const int64_t left = (half + align / 2) / align * align;
  return left < size ? left : left - align;
}

template <typename T>
struct Partition {
  const T* points;
  int64_t dim;
  int64_t part;  // of this size or smaller nothing is cut
  int32_t* order;
  int32_t* bits;  // of the positions' coordinates on the axis that is cut
  int32_t* spare;
  KdCut cut_part;

  T coordinate(int64_t position, int64_t axis) const {
    return points[static_cast<int64_t>(order[position]) * dim + axis];
  }

  struct Spread {
    T extent = -1;
    int64_t axis = 0;
    T origin = 0;  // the lowest coordinate
  };

  // The widest of the kAxes axes from `first` on, if it is wider than `widest`: of positions
  // [begin, end), every stride-th. All axes at once, since each is a chain of minima that waits for
  // itself.
  template <int kAxes>
  void widen(int64_t begin, int64_t end, int64_t stride, int64_t first, Spread& widest) const {
    T low[kAxes], high[kAxes];
    for (int a = 0; a < kAxes; ++a) low[a] = high[a] = coordinate(begin, first + a);
    for (int64_t i = begin + stride; i < end; i += stride) {
      const T* row = points + static_cast<int64_t>(order[i]) * dim + first;
      for (int a = 0; a < kAxes; ++a) {
        low[a] = std::min(low[a], row[a]);
        high[a] = std::max(high[a], row[a]);
      }
    }
    for (int a = 0; a < kAxes; ++a) {
      if (high[a] - low[a] > widest.extent) widest = {high[a] - low[a], first + a, low[a]};
    }
  }

  // The axis on which a sample of the rows spreads most. A sample is enough: a poor axis costs
  // speed, never a neighbour, and few rows seldom hold the one far away, whose axis would be poor.
  // The more axes there are, the fewer rows, or looking at them would cost more than the cut.
  Spread widest_axis(int64_t begin, int64_t end) const {
    const int64_t most = std::clamp<int64_t>(4096 / dim, 32, 64);
    const int64_t sample = std::clamp<int64_t>((end - begin) / 8, 16, most);
    const int64_t stride = std::max<int64_t>(1, (end - begin) / sample);
    Spread widest;
    int64_t axis = 0;
    for (; axis + 4 <= dim; axis += 4) widen<4>(begin, end, stride, axis, widest);
    switch (dim - axis) {
      case 3: widen<3>(begin, end, stride, axis, widest); break;
      case 2: widen<2>(begin, end, stride, axis, widest); break;
      case 1: widen<1>(begin, end, stride, axis, widest); break;
    }
    return widest;
  }

  // Cuts [begin, end) once and returns where.
  int64_t cut(int64_t begin, int64_t end) const {
    const Spread widest = widest_axis(begin, end);
    for (int64_t i = begin; i < end; ++i) {
      bits[i] = kd_bits(coordinate(i, widest.axis), widest.origin);
    }
    const int64_t left = cut_position(end - begin);
    cut_part({order + begin, bits + begin, spare + begin, end - begin}, left);
    return begin + left;
  }

  // Whether all points lie in one place. Others differ early.
  bool is_one_place(int64_t begin, int64_t end) const {
    for (int64_t i = begin + 1; i < end; ++i) {
      for (int64_t axis = 0; axis < dim; ++axis) {
        if (coordinate(i, axis) != coordinate(begin, axis)) return false;
      }
    }
    return true;
  }

  // Whether all points have the same bits and no gaps between their rows: each row is compared with
  // the one before it, which says less than is_one_place, sooner.
  bool are_copies(int64_t size, const Executor& executor) const {
    if (order[size - 1] - order[0] != size - 1) return false;
    constexpr int64_t kShare = 16384;
    const T* first = points + order[0] * dim;
    std::atomic<bool> copies{true};
    for_each_task(executor, (size - 1 + kShare - 1) / kShare, 1, [&](int64_t share, int) {
      if (!copies) return;
      const int64_t begin = share * kShare, end = std::min(begin + kShare, size - 1);
      const T* from = first + begin * dim;
      if (std::memcmp(from, from + dim, (end - begin) * dim * sizeof(T)) != 0) copies = false;
    });
    return copies;
  }

  void run(int64_t begin, int64_t end) const {
    while (end - begin > part) {
      if (is_one_place(begin, end)) return;
      const int64_t middle = cut(begin, end);
      run(begin, middle);
      begin = middle;
    }
  }
};

}  // namespace

template <typename T>
void kd_partition(const T* points, int64_t dim, int32_t* order, int64_t size, int64_t part,
                  const Executor& executor, SimdLevel level) {
  if (size <= part) return;
  Partition<T> partition{points, dim, part, order, nullptr, nullptr, kd_cut_at(level)};
  if (partition.are_copies(size, executor)) return;
  AlignedBuffer<int32_t> bits, spare;
  bits.resize(size);
  spare.resize(size);
  partition.bits = bits.data();
  partition.spare = spare.data();
  // Cut level by level until there is a part for everybody, then finish the parts one by one.
  // Fewer points are not worth a thread.
  constexpr int64_t kWorthThread = 384;
  const int64_t wanted =
      executor.threads > 1 ? std::min<int64_t>(4 * executor.threads, size / kWorthThread) : 1;
  std::vector<std::pair<int64_t, int64_t>> parts{{0, size}};
  while (static_cast<int64_t>(parts.size()) < wanted) {
    constexpr int64_t kUncut = -1, kSettled = -2;
    std::vector<int64_t> cuts(parts.size(), kUncut);
    for_each_task(executor, static_cast<int64_t>(parts.size()), 1, [&](int64_t i, int) {
      const auto [begin, end] = parts[i];
      if (end - begin <= std::max(kWorthThread, part)) return;
      cuts[i] = partition.is_one_place(begin, end) ? kSettled : partition.cut(begin, end);
    });
    std::vector<std::pair<int64_t, int64_t>> halves;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const auto [begin, end] = parts[i];
      if (cuts[i] == kSettled) continue;
      if (cuts[i] == kUncut) {
        halves.emplace_back(begin, end);
      } else {
        halves.emplace_back(begin, cuts[i]);
        halves.emplace_back(cuts[i], end);
      }
    }
    if (std::all_of(cuts.begin(), cuts.end(), [](int64_t cut) { return cut == kUncut; })) break;
    parts.swap(halves);
  }
  for_each_task(executor, static_cast<int64_t>(parts.size()), 1,
                [&](int64_t i, int) { partition.run(parts[i].first, parts[i].second); });
}

template void kd_partition(const float*, int64_t, int32_t*, int64_t, int64_t, const Executor&,
                           SimdLevel);
template void kd_partition(const double*, int64_t, int32_t*, int64_t, int64_t, const Executor&,
                           SimdLevel);

}  // namespace hitgraph
