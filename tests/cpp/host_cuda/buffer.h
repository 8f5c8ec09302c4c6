// Device memory for tests: what the host owns and kernels see through views.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "host_cuda/global.h"

namespace hitgraph::host_cuda {

// Bytes between two guard zones, filled with a pattern; aligned as cudaMalloc aligns.
class Allocation {
 public:
  static constexpr int64_t kAlignment = 256;

  Allocation(std::string name, int64_t bytes);
  ~Allocation();
  Allocation(const Allocation&) = delete;
  Allocation& operator=(const Allocation&) = delete;

  unsigned char* data() const { return data_; }
  int64_t bytes() const { return bytes_; }
  const std::string& name() const { return name_; }
  void check_guards() const;

 private:
  std::string name_;
  int64_t bytes_;
  unsigned char *memory_, *data_;
};

// Of every allocation alive; after each launch.
void check_guards();

// An array and the cells it owns.
struct OwnedArray : Array {
  OwnedArray(std::string name, unsigned char* data, int64_t count);
  ~OwnedArray();
  OwnedArray(const OwnedArray&) = delete;
  OwnedArray& operator=(const OwnedArray&) = delete;
};
void mark_written(Array& array, int64_t first, int64_t count);
void mark_unwritten(Array& array);

// What the host may do with any view: its address, for reading and writing from outside kernels.
template <typename T>
T* data(const Global<T>& view) {
  return reinterpret_cast<T*>(view.array()->data) + view.offset();
}
template <typename T>
void mark_written(const Global<T>& view, int64_t count) {
  mark_written(*view.array(), view.offset(), count);
}

// An array of its own allocation. Its elements count as never written until a kernel writes them or
// the host says so.
template <typename T>
class Buffer {
 public:
  Buffer(const std::string& name, int64_t count)
      : allocation_(std::make_unique<Allocation>(name, count * static_cast<int64_t>(sizeof(T)))),
        array_(std::make_unique<OwnedArray>(name, allocation_->data(), count)) {}
  Buffer(const std::string& name, const std::vector<T>& values)
      : Buffer(name, static_cast<int64_t>(values.size())) {
    for (std::size_t i = 0; i < values.size(); ++i) data()[i] = values[i];
    mark_written();
  }
  Buffer(Buffer&&) = default;
  Buffer& operator=(Buffer&&) = default;
  // A damaged guard zone throws here too, unless something else is on its way.
  ~Buffer() noexcept(false) {
    if (allocation_ && std::uncaught_exceptions() == 0) allocation_->check_guards();
  }

  Global<T> view() const { return Global<T>(array_.get()); }
  int64_t size() const { return static_cast<int64_t>(array_->count); }

  // The host's own view: nothing is checked. mark_written() after writing through it.
  T* data() const { return reinterpret_cast<T*>(allocation_->data()); }
  void mark_written() { host_cuda::mark_written(*array_, 0, size()); }
  void mark_unwritten() { host_cuda::mark_unwritten(*array_); }
  bool written(int64_t i) const { return array_->cells[i].write != 0; }

  void fill(T value) {
    for (int64_t i = 0; i < size(); ++i) data()[i] = value;
    mark_written();
  }
  void zero() { fill(T()); }

  // Every element; reports the first that was never written.
  std::vector<T> values() const {
    for (int64_t i = 0; i < size(); ++i) {
      if (!written(i)) global_unwritten(*array_, i, Index(i));
    }
    return std::vector<T>(data(), data() + size());
  }

 private:
  std::unique_ptr<Allocation> allocation_;
  std::unique_ptr<OwnedArray> array_;
};

// Untyped memory that is carved into arrays, each with its own name, bounds and history.
class Slab {
 public:
  Slab(const std::string& name, int64_t bytes)
      : allocation_(std::make_unique<Allocation>(name, bytes)) {}
  Slab(Slab&&) = default;
  Slab& operator=(Slab&&) = default;
  ~Slab() noexcept(false) {
    if (allocation_ && std::uncaught_exceptions() == 0) allocation_->check_guards();
  }

  // The next bytes, aligned.
  template <typename T>
  Global<T> take(const char* name, int64_t count) {
    const int64_t begin =
        (taken_ + Allocation::kAlignment - 1) / Allocation::kAlignment * Allocation::kAlignment;
    return at<T>(name, begin, count);
  }

  // The bytes at an offset. Arrays that had any of them end here: views of those see no element.
  template <typename T>
  Global<T> at(const char* name, int64_t byte_offset, int64_t count) {
    return Global<T>(&carve(name, byte_offset, count, sizeof(T)));
  }

  int64_t taken() const { return taken_; }
  int64_t bytes() const { return allocation_->bytes(); }
  // The arrays end, the memory stays: for the next call that carves it.
  void clear();

 private:
  struct Part {
    int64_t begin, end;
    std::unique_ptr<OwnedArray> array;
  };
  std::unique_ptr<Allocation> allocation_;
  std::vector<Part> parts_;
  int64_t taken_ = 0;

  Array& carve(const char* name, int64_t begin, int64_t count, int64_t element);
};

inline Slab allocate(const std::string& name, int64_t bytes) { return Slab(name, bytes); }

}  // namespace hitgraph::host_cuda
