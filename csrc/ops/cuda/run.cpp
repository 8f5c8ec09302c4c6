#include "ops/cuda/run.h"

#include <ATen/ops/empty.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>

namespace hitgraph {

CudaRun cuda_run(const at::Device& device, std::vector<at::Tensor>& memory) {
  // Reached with the others' tensors only by a call past the dispatcher.
  TORCH_CHECK(device.is_cuda(), "hitgraph: expected CUDA tensors, got ", device);
  CudaRun run;
  run.stream = c10::cuda::getCurrentCUDAStream(device.index()).stream();
  int shared = 0;
  C10_CUDA_CHECK(
      cudaDeviceGetAttribute(&shared, cudaDevAttrMaxSharedMemoryPerMultiprocessor, device.index()));
  run.shared_bytes_per_multiprocessor = shared;
  run.scratch = [device, &memory](int64_t bytes) {
    memory.push_back(at::empty({bytes}, at::TensorOptions().dtype(at::kByte).device(device)));
    return memory.back().data_ptr();
  };
  return run;
}

}  // namespace hitgraph
