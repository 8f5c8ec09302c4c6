// One block cuts up to 2048 points at medians, level by level, in shared memory.
//
// Shared memory: keys[2048], a key a place, and rows[2048], the points by their slot. Places are
// grouped into 64 bins of equal size; a *node* is a run of bins, and its places stay its own. A
// level finds the axis on which each node is widest, sorts the keys of every node by their
// coordinate on it (one bitonic sort, the node in the key's highest bits) and cuts the node's bins
// in half. Between the steps: __syncthreads.
#pragma once

#include "core/cuda/forest.cuh"

namespace hitgraph {

constexpr int kBins = 64;
constexpr int kSlotBits = 11;  // 2048 slots
static_assert(kPartCapacity == 1 << kSlotBits, "a slot a point");

// Where a node was cut: `key` is the smallest kd_key right of the cut.
template <typename T>
struct Cut {
  int axis;
  T origin;
  unsigned long long key;
};

template <typename T>
class BlockPartition {
 public:
  HITGRAPH_HOST_DEVICE static constexpr uint32_t shared_bytes() {
    return kPartCapacity * (8 + 4) + kBins * (4 * static_cast<uint32_t>(sizeof(int)) + 3 * 8);
  }

  HITGRAPH_DEVICE BlockPartition(Global<const T> points, int dim)
      : points_(points),
        dim_(dim),
        keys_(shared_array<unsigned long long>(0, kPartCapacity)),
        low_(shared_array<T>(kLowAt, kBins)),
        high_(shared_array<T>(kLowAt + 8 * kBins, kBins)),
        origin_(shared_array<T>(kLowAt + 16 * kBins, kBins)),
        rows_(shared_array<int32_t>(kRowsAt, kPartCapacity)),
        first_(shared_array<int32_t>(kRowsAt + 4 * kPartCapacity, kBins)),
        width_(shared_array<int32_t>(kRowsAt + 4 * (kPartCapacity + kBins), kBins)),
        axis_(shared_array<int32_t>(kRowsAt + 4 * (kPartCapacity + 2 * kBins), kBins)) {}

  // `count` points in `bins` bins of `bin_size` places; row(slot) gives the rows, ascending.
  template <typename Row>
  HITGRAPH_DEVICE void load(int count, int bins, int bin_size, Row row) {
    count_ = count;
    bins_ = bins;
    bin_size_ = bin_size;
    places_ = 2 * kWarpSize;
    while (places_ < count) places_ *= 2;
    for (int slot = thread(); slot < places_; slot += threads()) {
      keys_[slot] = slot < count ? static_cast<unsigned long long>(slot) : kNobody;
      if (slot < count) rows_[slot] = row(slot);
    }
    if (thread() < bins) {
      first_[thread()] = 0;
      width_[thread()] = bins;
    }
    __syncthreads();
  }

  HITGRAPH_DEVICE void cut_once() {
    choose_axes();
    sort();
    halve();
  }

  HITGRAPH_DEVICE int row_at(int place) const {
    const unsigned long long key = keys_[place];
    return rows_[slot_of(key)];
  }

  // After cut_once(): how the node that `bin` starts, as a right half, was cut from the left one.
  HITGRAPH_DEVICE Cut<T> cut_before(int bin) const {
    const unsigned long long key = keys_[bin * bin_size_];
    const unsigned coordinate = static_cast<unsigned>(key >> kSlotBits);
    const int row = rows_[slot_of(key)];
    Cut<T> cut;
    cut.axis = axis_[bin];
    cut.origin = origin_[bin];
    cut.key = kd_key(coordinate, row);
    return cut;
  }

 private:
  static constexpr uint32_t kLowAt = 8 * kPartCapacity;
  static constexpr uint32_t kRowsAt = kLowAt + 24 * kBins;
  static constexpr unsigned long long kNobody = ~0ull;

  HITGRAPH_DEVICE static int thread() { return static_cast<int>(threadIdx.x); }
  HITGRAPH_DEVICE static int threads() { return static_cast<int>(blockDim.x); }
  HITGRAPH_DEVICE static int slot_of(unsigned long long key) {
    return static_cast<int>(key & (kPartCapacity - 1));
  }

  HITGRAPH_DEVICE T coordinate(int place, int axis) const {
    const int row = row_at(place);
    return points_[static_cast<int64_t>(row) * dim_ + axis];
  }

  // The extent of every bin on one axis: a warp a bin.
  HITGRAPH_DEVICE void measure_bins(int axis) {
    for (int bin = thread() / kWarpSize; bin < bins_; bin += threads() / kWarpSize) {
      const int place = bin * bin_size_ + lane_index();
      // The last bin may be partly filled; its first place is not.
      const bool present = lane_index() < bin_size_ && place < count_;
      const T value = coordinate(present ? place : bin * bin_size_, axis);
      const T low = warp_min(value), high = warp_max(value);
      if (lane_index() == 0) {
        low_[bin] = low;
        high_[bin] = high;
      }
    }
  }

  // Thread b keeps the widest axis so far of the node that bin b belongs to.
  HITGRAPH_DEVICE void choose_axes() {
    T widest = T(-1), origin = T(0);
    int chosen = 0;
    for (int axis = 0; axis < dim_; ++axis) {
      measure_bins(axis);
      __syncthreads();
      if (thread() < bins_) {
        const int first = first_[thread()], end = first + width_[thread()];
        T low = low_[first], high = high_[first];
        for (int bin = first + 1; bin < end; ++bin) {
          low = smaller<T>(low, low_[bin]);
          high = larger<T>(high, high_[bin]);
        }
        if (high - low > widest) {
          widest = high - low;
          origin = low;
          chosen = axis;
        }
      }
      __syncthreads();
    }
    if (thread() < bins_) {
      axis_[thread()] = chosen;
      origin_[thread()] = origin;
    }
    __syncthreads();
  }

  // Keys are (node, coordinate, slot): equal coordinates keep their order by row.
  HITGRAPH_DEVICE void sort() {
    for (int place = thread(); place < count_; place += threads()) {
      const int bin = place / bin_size_;
      const int node = first_[bin], axis = axis_[bin];
      const T origin = origin_[bin];
      const unsigned long long key = keys_[place];
      const unsigned long long value = kd_coordinate<T>(coordinate(place, axis), origin);
      keys_[place] = (static_cast<unsigned long long>(node) << 32 | value) << kSlotBits |
                     static_cast<unsigned long long>(slot_of(key));
    }
    __syncthreads();
    for (int size = 2; size <= places_; size *= 2) {
      for (int stride = size / 2; stride > 0; stride /= 2) {
        for (int pair = thread(); pair < places_ / 2; pair += threads()) {
          const int lower = 2 * pair - (pair & (stride - 1));
          const unsigned long long a = keys_[lower], b = keys_[lower + stride];
          const bool ascending = (lower & size) == 0;
          if (ascending ? b < a : a < b) {
            keys_[lower] = b;
            keys_[lower + stride] = a;
          }
        }
        __syncthreads();
      }
    }
  }

  HITGRAPH_DEVICE void halve() {
    if (thread() < bins_) {
      const int first = first_[thread()], width = width_[thread()];
      const int left = (width + 1) / 2;
      if (width > 1 && thread() - first >= left) {
        first_[thread()] = first + left;
        width_[thread()] = width - left;
      } else {
        width_[thread()] = left;
      }
    }
    __syncthreads();
  }

  const Global<const T> points_;
  const int dim_;
  const Shared<unsigned long long> keys_;
  const Shared<T> low_, high_, origin_;  // of a bin; of a bin; of its node
  const Shared<int32_t> rows_;
  const Shared<int32_t> first_, width_;  // the node of a bin: its first bin, how many
  const Shared<int32_t> axis_;           // of a bin's node
  int count_ = 0, bins_ = 0, bin_size_ = 1, places_ = 0;
};

}  // namespace hitgraph
