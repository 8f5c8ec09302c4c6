// Atomic operations, for the types that CUDA has them for. They return the old value.
//
// An atomic on an element that was never written reads it, and is reported as such.
#pragma once

#include "host_cuda/global.h"
#include "host_cuda/shared.h"

namespace hitgraph::host_cuda {

template <typename T>
struct ValueOf {
  using type = T;
};
// Not deduced: the view alone decides, as with CUDA's overloads.
template <typename T>
using Value = typename ValueOf<T>::type;

template <typename T>
inline constexpr bool kAtomicInteger =
    std::is_same_v<T, int> || std::is_same_v<T, unsigned> || std::is_same_v<T, unsigned long long>;
template <typename T>
inline constexpr bool kAtomicAddable =
    kAtomicInteger<T> || std::is_same_v<T, float> || std::is_same_v<T, double>;

}  // namespace hitgraph::host_cuda

template <template <typename> class View, typename T>
T atomicAdd(View<T> view, hitgraph::host_cuda::Value<T> value, int line = __builtin_LINE(),
            const char* file = __builtin_FILE()) {
  static_assert(hitgraph::host_cuda::kAtomicAddable<T>, "CUDA has no atomicAdd of this type");
  return view.atomic({0, line, file}, [&](T old) { return static_cast<T>(old + value); });
}

template <template <typename> class View, typename T>
T atomicMax(View<T> view, hitgraph::host_cuda::Value<T> value, int line = __builtin_LINE(),
            const char* file = __builtin_FILE()) {
  static_assert(hitgraph::host_cuda::kAtomicInteger<T>, "CUDA has no atomicMax of this type");
  return view.atomic({0, line, file}, [&](T old) { return old < value ? value : old; });
}

template <template <typename> class View, typename T>
T atomicMin(View<T> view, hitgraph::host_cuda::Value<T> value, int line = __builtin_LINE(),
            const char* file = __builtin_FILE()) {
  static_assert(hitgraph::host_cuda::kAtomicInteger<T>, "CUDA has no atomicMin of this type");
  return view.atomic({0, line, file}, [&](T old) { return value < old ? value : old; });
}

template <template <typename> class View, typename T>
T atomicOr(View<T> view, hitgraph::host_cuda::Value<T> value, int line = __builtin_LINE(),
           const char* file = __builtin_FILE()) {
  static_assert(hitgraph::host_cuda::kAtomicInteger<T>, "CUDA has no atomicOr of this type");
  return view.atomic({0, line, file}, [&](T old) { return old | value; });
}

template <template <typename> class View, typename T>
T atomicExch(View<T> view, hitgraph::host_cuda::Value<T> value, int line = __builtin_LINE(),
             const char* file = __builtin_FILE()) {
  static_assert(hitgraph::host_cuda::kAtomicInteger<T> || std::is_same_v<T, float>,
                "CUDA has no atomicExch of this type");
  return view.atomic({0, line, file}, [&](T) { return value; });
}

template <template <typename> class View, typename T>
T atomicCAS(View<T> view, hitgraph::host_cuda::Value<T> expected,
            hitgraph::host_cuda::Value<T> value, int line = __builtin_LINE(),
            const char* file = __builtin_FILE()) {
  static_assert(hitgraph::host_cuda::kAtomicInteger<T>, "CUDA has no atomicCAS of this type");
  return view.atomic({0, line, file}, [&](T old) { return old == expected ? value : old; });
}

template <typename T>
std::remove_const_t<T> __ldg(hitgraph::host_cuda::Global<T> view, int line = __builtin_LINE(),
                             const char* file = __builtin_FILE()) {
  return view.load({0, line, file});
}
