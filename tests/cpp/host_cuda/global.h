// Global<T>: a view of an array in device memory that knows its bounds and who touched what.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

#include "host_cuda/reference.h"
#include "host_cuda/violation.h"

namespace hitgraph::host_cuda {

// One array: a buffer, or a part of a slab. The cells are its own, one per element.
struct Array {
  unsigned char* data = nullptr;
  uint64_t count = 0;
  Cell* cells = nullptr;
  std::string name;
};
// What a null view views, so that the bounds check needs no second branch.
inline Array null_array{nullptr, 0, nullptr, "a null view"};

[[noreturn]] void global_out_of_bounds(const Array& array, int64_t index, const Index& at);
[[noreturn]] void global_unwritten(const Array& array, int64_t index, const Index& at);
[[noreturn]] void global_race(const Array& array, int64_t index, const Index& at, Access access,
                              Record earlier);
[[noreturn]] void global_misaligned(const Array& array, int64_t index, const Index& at, int count);

template <typename T>
class Global {
 public:
  using value_type = std::remove_const_t<T>;
  static_assert(std::is_trivially_copyable_v<value_type>);

  Global() = default;
  Global(std::nullptr_t) {}
  explicit Global(Array* array, int64_t offset = 0) : array_(array), offset_(offset) {}
  template <typename U,
            typename = std::enable_if_t<std::is_const_v<T> && std::is_same_v<const U, T> &&
                                        !std::is_const_v<U>>>
  Global(const Global<U>& view) : array_(view.array()), offset_(view.offset()) {}

  // A view of const is read at once; there is nothing else to do with it.
  auto operator[](Index index) const {
    if constexpr (std::is_const_v<T>) {
      return load(index);
    } else {
      return Reference<Global>(*this, index);
    }
  }

  template <typename I, typename = std::enable_if_t<std::is_integral_v<I>>>
  Global operator+(I step) const {
    return Global(array_, offset_ + static_cast<int64_t>(step));
  }
  template <typename I, typename = std::enable_if_t<std::is_integral_v<I>>>
  Global operator-(I step) const {
    return Global(array_, offset_ - static_cast<int64_t>(step));
  }
  template <typename I, typename = std::enable_if_t<std::is_integral_v<I>>>
  Global& operator+=(I step) {
    return *this = *this + step;
  }

  explicit operator bool() const { return array_ != &null_array; }
  bool operator==(std::nullptr_t) const { return array_ == &null_array; }
  bool operator!=(std::nullptr_t) const { return array_ != &null_array; }

  value_type load(const Index& at) const {
    const uint64_t i = element(at);
    Cell& cell = array_->cells[i];
    if (cell.write == 0) global_unwritten(*array_, offset_ + at.value, at);
    const Record earlier = note_read(cell, now.launch, at.record());
    if (earlier != 0) global_race(*array_, offset_ + at.value, at, Access::kRead, earlier);
    return get(i);
  }

  void store(const Index& at, value_type value) const {
    const uint64_t i = element(at);
    const Record earlier = note_write(array_->cells[i], now.launch, at.record());
    if (earlier != 0) global_race(*array_, offset_ + at.value, at, Access::kWrite, earlier);
    put(i, value);
  }

  // Returns the old value.
  template <typename Change>
  value_type atomic(const Index& at, const Change& change) const {
    const uint64_t i = element(at);
    Cell& cell = array_->cells[i];
    if (cell.write == 0) global_unwritten(*array_, offset_ + at.value, at);
    const Record earlier = note_atomic(cell, now.launch, at.record());
    if (earlier != 0) global_race(*array_, offset_ + at.value, at, Access::kAtomic, earlier);
    const value_type old = get(i);
    put(i, change(old));
    return old;
  }

  // For an access to `count` elements at once; arrays themselves are aligned to any of those.
  void check_aligned(const Index& at, int count) const {
    if ((offset_ + at.value) % count != 0) {
      global_misaligned(*array_, offset_ + at.value, at, count);
    }
  }

  Array* array() const { return array_; }
  int64_t offset() const { return offset_; }

 private:
  Array* array_ = &null_array;
  int64_t offset_ = 0;

  uint64_t element(const Index& at) const {
    const uint64_t i = static_cast<uint64_t>(offset_ + at.value);
    if (i >= array_->count) global_out_of_bounds(*array_, offset_ + at.value, at);
    return i;
  }
  // Through memcpy: a slab's bytes hold values of different types in turn.
  value_type get(uint64_t i) const {
    value_type value;
    std::memcpy(static_cast<void*>(&value), array_->data + i * sizeof(T), sizeof(T));
    return value;
  }
  void put(uint64_t i, const value_type& value) const {
    std::memcpy(array_->data + i * sizeof(T), &value, sizeof(T));
  }
};

template <typename T>
bool operator==(std::nullptr_t, const Global<T>& view) {
  return view == nullptr;
}
template <typename T>
bool operator!=(std::nullptr_t, const Global<T>& view) {
  return view != nullptr;
}

}  // namespace hitgraph::host_cuda
