// What kernel bodies are written in: CUDA's own vocabulary, and two typed views of memory.
//
// The same bodies are compiled by nvcc, by NVRTC (hence no host header here) and, for the tests, by
// g++, where tests/cpp/host_cuda/host_cuda.h gives the vocabulary a meaning and the views check
// every access. On a device a view is a bare pointer.
#pragma once

#if defined(HITGRAPH_HOST_CUDA)
#include "host_cuda/host_cuda.h"
#else

#if defined(__CUDACC_RTC__)
using int32_t = int;
using uint32_t = unsigned int;
using int64_t = long long;
using uint64_t = unsigned long long;
#else
#include <cstdint>
#endif

#define HITGRAPH_DEVICE __device__ __forceinline__
// For what is long and called from several places.
#define HITGRAPH_DEVICE_CALL __device__ __noinline__
// Before a loop whose copies would only fill the instruction cache.
#define HITGRAPH_ROLLED _Pragma("unroll 1")

namespace hitgraph {

// An array in device memory.
template <typename T>
using Global = T*;

// An array in the shared memory of the block.
template <typename T>
using Shared = T*;

// `count` elements at byte `offset` of the block's dynamic shared memory.
template <typename T>
HITGRAPH_DEVICE Shared<T> shared_array(uint32_t offset, uint32_t count) {
  extern __shared__ __align__(16) unsigned char hitgraph_shared_memory[];
  (void)count;
  return reinterpret_cast<T*>(hitgraph_shared_memory + offset);
}

}  // namespace hitgraph

#endif
