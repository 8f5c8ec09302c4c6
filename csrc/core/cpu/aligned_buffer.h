// Memory aligned to a cache line and to the widest vector, uninitialised: every user writes what it
// reads. Growing drops the contents; shrinking keeps the memory, so scratch is allocated once.
#pragma once

#include <cstdint>
#include <memory>
#include <new>

#include "core/cpu/huge_pages.h"

namespace hitgraph {

constexpr std::size_t kCacheLine = 64;

template <typename T>
class AlignedBuffer {
 public:
  void resize(int64_t size) {
    if (size > capacity_) {
      data_.reset();  // before the new one: the peak is one buffer, not two
      data_.reset(static_cast<T*>(::operator new (static_cast<std::size_t>(size) * sizeof(T),
                                                  std::align_val_t{kCacheLine})));
      capacity_ = size;
    }
    size_ = size;
  }

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  int64_t size() const { return size_; }
  T& operator[](int64_t i) { return data_.get()[i]; }
  const T& operator[](int64_t i) const { return data_.get()[i]; }

 private:
  struct Free {
    void operator()(T* data) const { ::operator delete (data, std::align_val_t{kCacheLine}); }
  };
  std::unique_ptr<T, Free> data_;
  int64_t size_ = 0;
  int64_t capacity_ = 0;
};

}  // namespace hitgraph
