// Starting a kernel on the host: launch({"knn", grid, block, bytes}, [&] { knn(...); }).
#pragma once

#include <cstdint>
#include <type_traits>

namespace hitgraph::host_cuda {

struct Index3 {
  unsigned x = 0, y = 0, z = 0;
};

struct Options {
  uint64_t seed = 0;  // of the orders of blocks, warps and lanes
};
// Starts the sequence of orders anew: what follows is the same for the same seed.
void set_options(const Options& options);

struct Launch {
  const char* kernel;
  unsigned grid;
  unsigned block;
  unsigned shared_bytes;
};

void launch_lanes(const Launch& launch, void (*body)(void*), void* argument);

// Runs `body` in every lane. Throws the first Violation; what the kernel wrote until then stays.
// Lanes that are suspended then never go on, so `body` must hold nothing that needs destruction.
template <typename Function>
void launch(const Launch& launch, Function&& body) {
  using Body = std::remove_reference_t<Function>;
  launch_lanes(
      launch, [](void* argument) { (*static_cast<Body*>(argument))(); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

}  // namespace hitgraph::host_cuda

inline constexpr int warpSize = 32;
inline hitgraph::host_cuda::Index3 threadIdx, blockIdx;
inline hitgraph::host_cuda::Index3 blockDim{1, 1, 1}, gridDim{1, 1, 1};
