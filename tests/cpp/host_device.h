// The Device of core/cuda/forest_build.h on the host: launches run in fibers, memory is checked,
// and the steps that CUB does on a GPU are plain loops.
#pragma once

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "host_cuda/host_cuda.h"

namespace hitgraph::testing {

class HostDevice {
 public:
  // Of the GPUs that matter, the one with the least shared memory and the one with the most; 164 KB
  // is an A100's.
  static constexpr int64_t kPascal = 96 * 1024, kAmpere = 164 * 1024, kHopper = 228 * 1024;

  explicit HostDevice(int64_t shared_bytes = kAmpere) : shared_bytes_(shared_bytes) {}

  template <typename T>
  Global<T> array(const char* name, int64_t count) {
    return keep(std::make_shared<host_cuda::Buffer<T>>(name, count));
  }

  // An array that the host filled.
  template <typename T>
  Global<T> array(const char* name, const std::vector<T>& values) {
    return keep(std::make_shared<host_cuda::Buffer<T>>(name, values));
  }

  template <typename T>
  void zero(Global<T> view, int64_t count) {
    std::fill_n(host_cuda::data(view), count, T(0));
    host_cuda::mark_written(view, count);
  }

  template <typename T>
  void exclusive_scan(Global<T> from, Global<T> to, int64_t count) {
    check_written(from, count);
    std::exclusive_scan(host_cuda::data(from), host_cuda::data(from) + count, host_cuda::data(to),
                        T(0));
    host_cuda::mark_written(to, count);
  }

  template <typename Key, typename Value>
  void sort_pairs(Global<Key> keys, Global<Key> sorted, Global<Value> values, Global<Value> moved,
                  int64_t count, int bits) {
    check_written(keys, count);
    check_written(values, count);
    std::vector<int64_t> order(static_cast<std::size_t>(count));
    std::iota(order.begin(), order.end(), 0);
    const Key* key = host_cuda::data(keys);
    // Only these bits, as a radix sort does.
    const auto digits = [&](int64_t i) {
      return static_cast<uint64_t>(key[i]) & (~uint64_t{0} >> (64 - bits));
    };
    std::stable_sort(order.begin(), order.end(),
                     [&](int64_t a, int64_t b) { return digits(a) < digits(b); });
    for (int64_t i = 0; i < count; ++i) {
      host_cuda::data(sorted)[i] = key[order[i]];
      host_cuda::data(moved)[i] = host_cuda::data(values)[order[i]];
    }
    host_cuda::mark_written(sorted, count);
    host_cuda::mark_written(moved, count);
  }

  template <typename Argument>
  void launch(const char* name, void (*kernel)(Argument), int64_t blocks, int threads,
              uint32_t shared, const Argument& argument) {
    ++launches_;
    if (blocks == 0) return;
    host_cuda::launch({name, static_cast<unsigned>(blocks), static_cast<unsigned>(threads), shared},
                      [&] { kernel(argument); });
  }

  int64_t shared_bytes_per_multiprocessor() const { return shared_bytes_; }
  int launches() const { return launches_; }

 private:
  template <typename T>
  Global<T> keep(std::shared_ptr<host_cuda::Buffer<T>> buffer) {
    arrays_.push_back(buffer);
    return buffer->view();
  }
  template <typename T>
  static void check_written(Global<T> view, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      if (view.array()->cells[view.offset() + i].write == 0) {
        host_cuda::global_unwritten(*view.array(), i, host_cuda::Index(i));
      }
    }
  }

  const int64_t shared_bytes_;
  int launches_ = 0;
  std::vector<std::shared_ptr<void>> arrays_;
};

}  // namespace hitgraph::testing
