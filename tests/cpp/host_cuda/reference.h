// What view[i] is: a load when a value is wanted, a store when one is assigned.
//
// So a kernel names the type of what it loads: `float x = view[i]`. Under `auto` x would be the
// reference, and a template would deduce it.
#pragma once

#include "host_cuda/trace.h"

namespace hitgraph::host_cuda {

template <typename View>
class Reference {
 public:
  using T = typename View::value_type;

  Reference(View view, Index index) : view_(view), index_(index) {}
  Reference(const Reference&) = default;

  operator T() const { return view_.load(index_); }

  T operator=(T value) const {
    view_.store(index_, value);
    return value;
  }
  T operator=(const Reference& other) const { return *this = static_cast<T>(other); }

  // In the operand's own type and then back to T, as C++ computes them.
  template <typename U>
  T operator+=(const U& value) const {
    return *this = static_cast<T>(view_.load(index_) + value);
  }
  template <typename U>
  T operator-=(const U& value) const {
    return *this = static_cast<T>(view_.load(index_) - value);
  }
  template <typename U>
  T operator*=(const U& value) const {
    return *this = static_cast<T>(view_.load(index_) * value);
  }
  template <typename U>
  T operator/=(const U& value) const {
    return *this = static_cast<T>(view_.load(index_) / value);
  }
  template <typename U>
  T operator|=(const U& value) const {
    return *this = static_cast<T>(view_.load(index_) | value);
  }
  template <typename U>
  T operator&=(const U& value) const {
    return *this = static_cast<T>(view_.load(index_) & value);
  }
  template <typename U>
  T operator^=(const U& value) const {
    return *this = static_cast<T>(view_.load(index_) ^ value);
  }
  template <typename U>
  T operator<<=(const U& value) const {
    return *this = static_cast<T>(view_.load(index_) << value);
  }
  template <typename U>
  T operator>>=(const U& value) const {
    return *this = static_cast<T>(view_.load(index_) >> value);
  }

  T operator++() const { return *this = static_cast<T>(view_.load(index_) + 1); }
  T operator--() const { return *this = static_cast<T>(view_.load(index_) - 1); }
  T operator++(int) const {
    const T old = view_.load(index_);
    view_.store(index_, static_cast<T>(old + 1));
    return old;
  }
  T operator--(int) const {
    const T old = view_.load(index_);
    view_.store(index_, static_cast<T>(old - 1));
    return old;
  }

 private:
  View view_;
  Index index_;
};

}  // namespace hitgraph::host_cuda
