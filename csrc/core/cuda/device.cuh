// CUDA behind the interface of forest_build.h: one stream, one slab of scratch memory.
#pragma once

#include <cuda_runtime.h>

#include <cub/device/device_radix_sort.cuh>
#include <cub/device/device_scan.cuh>
#include <stdexcept>
#include <string>

#include "core/cuda/platform.cuh"
#include "core/cuda/run.h"

namespace hitgraph {

inline void check_cuda(cudaError_t error, const char* step) {
  if (error == cudaSuccess) return;
  throw std::runtime_error(std::string("hitgraph: ") + step + ": " + cudaGetErrorString(error));
}

// Adds up the scratch memory of a sequence of launches, and launches nothing. Sizes do not depend
// on what is in memory, so the same code says how much it needs and then runs in it.
class CudaMeasure {
 public:
  explicit CudaMeasure(int64_t shared_bytes) : shared_bytes_(shared_bytes) {}

  template <typename T>
  T* array(const char*, int64_t count) {
    bytes_ += rounded(count * static_cast<int64_t>(sizeof(T)));
    return nullptr;
  }
  template <typename T>
  void zero(T*, int64_t) {}
  template <typename T>
  void exclusive_scan(const T* from, T* to, int64_t count) {
    std::size_t scratch = 0;
    check_cuda(cub::DeviceScan::ExclusiveSum(nullptr, scratch, from, to, count), "scan");
    bytes_ += rounded(static_cast<int64_t>(scratch));
  }
  template <typename Key, typename Value>
  void sort_pairs(const Key* keys, Key* sorted, const Value* values, Value* moved, int64_t count,
                  int bits) {
    std::size_t scratch = 0;
    check_cuda(cub::DeviceRadixSort::SortPairs(nullptr, scratch, keys, sorted, values, moved, count,
                                               0, bits),
               "sort");
    bytes_ += rounded(static_cast<int64_t>(scratch));
  }
  template <typename Argument>
  void launch(const char*, void (*)(Argument), int64_t, int, uint32_t, const Argument&) {}

  int64_t shared_bytes_per_multiprocessor() const { return shared_bytes_; }
  int64_t bytes() const { return bytes_; }
  static int64_t rounded(int64_t bytes) { return (bytes + 255) / 256 * 256; }

 private:
  int64_t bytes_ = 0;
  const int64_t shared_bytes_;
};

// Launches on a stream, in scratch memory of CudaMeasure::bytes() bytes.
class CudaDevice {
 public:
  CudaDevice(cudaStream_t stream, void* scratch, int64_t shared_bytes)
      : stream_(stream), scratch_(static_cast<char*>(scratch)), shared_bytes_(shared_bytes) {}

  template <typename T>
  T* array(const char*, int64_t count) {
    return reinterpret_cast<T*>(take(count * static_cast<int64_t>(sizeof(T))));
  }
  template <typename T>
  void zero(T* array, int64_t count) {
    if (count == 0) return;
    check_cuda(cudaMemsetAsync(array, 0, count * sizeof(T), stream_), "zero");
  }
  template <typename T>
  void exclusive_scan(const T* from, T* to, int64_t count) {
    std::size_t scratch = 0;
    check_cuda(cub::DeviceScan::ExclusiveSum(nullptr, scratch, from, to, count), "scan");
    void* memory = take(static_cast<int64_t>(scratch));
    check_cuda(cub::DeviceScan::ExclusiveSum(memory, scratch, from, to, count, stream_), "scan");
  }
  template <typename Key, typename Value>
  void sort_pairs(const Key* keys, Key* sorted, const Value* values, Value* moved, int64_t count,
                  int bits) {
    std::size_t scratch = 0;
    check_cuda(cub::DeviceRadixSort::SortPairs(nullptr, scratch, keys, sorted, values, moved, count,
                                               0, bits),
               "sort");
    void* memory = take(static_cast<int64_t>(scratch));
    check_cuda(cub::DeviceRadixSort::SortPairs(memory, scratch, keys, sorted, values, moved, count,
                                               0, bits, stream_),
               "sort");
  }
  template <typename Argument>
  void launch(const char* name, void (*kernel)(Argument), int64_t blocks, int threads,
              uint32_t shared, const Argument& argument) {
    if (blocks == 0) return;
    if (shared > 48 * 1024) {  // many hundred dimensions: more must be asked for
      check_cuda(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                      static_cast<int>(shared)),
                 name);
    }
    kernel<<<static_cast<unsigned>(blocks), threads, shared, stream_>>>(argument);
    check_cuda(cudaGetLastError(), name);
  }
  int64_t shared_bytes_per_multiprocessor() const { return shared_bytes_; }

 private:
  char* take(int64_t bytes) {
    char* place = scratch_ + taken_;
    taken_ += CudaMeasure::rounded(bytes);
    return place;
  }

  cudaStream_t stream_;
  char* scratch_;
  int64_t taken_ = 0;
  const int64_t shared_bytes_;
};

// Copies what the launches so far have computed to the host, which waits for it.
template <typename T>
void read_back(const CudaRun& run, T* to, const T* from, int64_t count, const char* what) {
  const cudaStream_t stream = static_cast<cudaStream_t>(run.stream);
  check_cuda(cudaMemcpyAsync(to, from, count * sizeof(T), cudaMemcpyDeviceToHost, stream), what);
  check_cuda(cudaStreamSynchronize(stream), what);
}

// Measures, takes memory, launches; returns what the launches do.
template <typename Launches>
auto run_launches(const CudaRun& run, const Launches& launches) {
  CudaMeasure measure(run.shared_bytes_per_multiprocessor);
  launches(measure);
  CudaDevice device(static_cast<cudaStream_t>(run.stream), run.scratch(measure.bytes()),
                    run.shared_bytes_per_multiprocessor);
  return launches(device);
}

}  // namespace hitgraph
