// Shared<T>: a view of the block's shared memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "host_cuda/reference.h"
#include "host_cuda/violation.h"

namespace hitgraph::host_cuda {

// Kept per word of 4 bytes. A word that the block also touches by the byte is kept per byte from
// then on, for lanes may share it.
struct SharedWord {
  Cell cell;
  Record by_byte_since;
};

struct SharedMemory {
  unsigned char* data = nullptr;
  SharedWord* words = nullptr;
  Cell* bytes = nullptr;
  uint32_t size = 0;  // of the launch
};
inline SharedMemory shared_memory;

// Before a launch; what an earlier one wrote counts as never written.
void prepare_shared(uint32_t size);
// The slow path: bytes, and words kept by the byte. Returns a racing access, or 0.
Record note_shared_bytes(uint32_t byte, uint32_t size, Access access, Record record,
                         bool* unwritten);
void check_shared_array(uint32_t offset, uint32_t count, uint32_t element, const char* file,
                        int line);
[[noreturn]] void shared_out_of_bounds(int64_t index, uint32_t count, const Index& at);
[[noreturn]] void shared_unwritten(uint32_t byte, uint32_t size, const Index& at);
[[noreturn]] void shared_race(uint32_t byte, uint32_t size, const Index& at, Access access,
                              Record earlier);

template <typename T>
class Shared {
 public:
  using value_type = std::remove_const_t<T>;
  static_assert(std::is_trivially_copyable_v<value_type>);
  static_assert(sizeof(T) % 4 == 0 || sizeof(T) <= 2);

  Shared() = default;
  Shared(std::nullptr_t) {}
  Shared(uint32_t byte, uint32_t count, int32_t start = 0)
      : byte_(byte), count_(count), start_(start) {}
  template <typename U,
            typename = std::enable_if_t<std::is_const_v<T> && std::is_same_v<const U, T> &&
                                        !std::is_const_v<U>>>
  Shared(const Shared<U>& view) : Shared(view.byte(), view.count(), view.start()) {}

  auto operator[](Index index) const {
    if constexpr (std::is_const_v<T>) {
      return load(index);
    } else {
      return Reference<Shared>(*this, index);
    }
  }

  template <typename I, typename = std::enable_if_t<std::is_integral_v<I>>>
  Shared operator+(I step) const {
    return Shared(byte_, count_, start_ + static_cast<int32_t>(step));
  }
  template <typename I, typename = std::enable_if_t<std::is_integral_v<I>>>
  Shared operator-(I step) const {
    return Shared(byte_, count_, start_ - static_cast<int32_t>(step));
  }
  template <typename I, typename = std::enable_if_t<std::is_integral_v<I>>>
  Shared& operator+=(I step) {
    return *this = *this + step;
  }

  explicit operator bool() const { return byte_ != kNull; }
  bool operator==(std::nullptr_t) const { return byte_ == kNull; }
  bool operator!=(std::nullptr_t) const { return byte_ != kNull; }

  value_type load(const Index& at) const {
    const uint32_t byte = locate(at);
    note<Access::kRead>(byte, at);
    return get(byte);
  }
  void store(const Index& at, value_type value) const {
    const uint32_t byte = locate(at);
    note<Access::kWrite>(byte, at);
    std::memcpy(shared_memory.data + byte, &value, sizeof(T));
  }
  // Returns the old value.
  template <typename Change>
  value_type atomic(const Index& at, const Change& change) const {
    const uint32_t byte = locate(at);
    note<Access::kAtomic>(byte, at);
    const value_type old = get(byte);
    const value_type changed = change(old);
    std::memcpy(shared_memory.data + byte, &changed, sizeof(T));
    return old;
  }

  uint32_t byte() const { return byte_; }
  uint32_t count() const { return count_; }
  int32_t start() const { return start_; }

 private:
  static constexpr uint32_t kNull = ~0u;
  uint32_t byte_ = kNull, count_ = 0;
  int32_t start_ = 0;

  uint32_t locate(const Index& at) const {
    const int64_t i = start_ + at.value;
    if (static_cast<uint64_t>(i) >= count_) shared_out_of_bounds(i, count_, at);
    return byte_ + static_cast<uint32_t>(i) * static_cast<uint32_t>(sizeof(T));
  }

  value_type get(uint32_t byte) const {
    value_type value;
    std::memcpy(static_cast<void*>(&value), shared_memory.data + byte, sizeof(T));
    return value;
  }

  template <Access access>
  static void note(uint32_t byte, const Index& at) {
    const Record record = at.record();
    if constexpr (sizeof(T) % 4 == 0) {
      for (uint32_t b = byte; b < byte + sizeof(T); b += 4) {
        SharedWord& word = shared_memory.words[b / 4];
        if (word.by_byte_since >= now.block) {
          note_bytes(b, 4, access, record, at);
          continue;
        }
        Cell& cell = word.cell;
        // The cells outlive the block; what an earlier block wrote is not there for this one.
        if (access != Access::kWrite && cell.write < now.block) shared_unwritten(b, 4, at);
        const Record earlier = access == Access::kRead    ? note_read(cell, now.block, record)
                               : access == Access::kWrite ? note_write(cell, now.block, record)
                                                          : note_atomic(cell, now.block, record);
        if (earlier != 0) shared_race(b, 4, at, access, earlier);
      }
    } else {
      note_bytes(byte, sizeof(T), access, record, at);
    }
  }

  static void note_bytes(uint32_t byte, uint32_t size, Access access, Record record,
                         const Index& at) {
    bool unwritten = false;
    const Record earlier = note_shared_bytes(byte, size, access, record, &unwritten);
    if (unwritten) shared_unwritten(byte, size, at);
    if (earlier != 0) shared_race(byte, size, at, access, earlier);
  }
};

template <typename T>
bool operator==(std::nullptr_t, const Shared<T>& view) {
  return view == nullptr;
}
template <typename T>
bool operator!=(std::nullptr_t, const Shared<T>& view) {
  return view != nullptr;
}

// `count` elements at byte `offset` of the block's dynamic shared memory.
template <typename T>
Shared<T> shared_array(uint32_t offset, uint32_t count, const char* file = __builtin_FILE(),
                       int line = __builtin_LINE()) {
  check_shared_array(offset, count, sizeof(T), file, line);
  return Shared<T>(offset, count);
}

}  // namespace hitgraph::host_cuda
