// EdgeConv's loops compiled for one instruction set; the flags stand in cmake/core.cmake.
#include "core/cpu/edge_conv_loops.h"

namespace hitgraph {

template <typename T, typename Slot>
EdgeConvKernels<T, Slot> edge_conv_kernels_portable() {
  return EdgeConvLoops<PortableVectors, T, Slot>::table();
}

template EdgeConvKernels<float, uint8_t> edge_conv_kernels_portable();
template EdgeConvKernels<float, int32_t> edge_conv_kernels_portable();
template EdgeConvKernels<double, uint8_t> edge_conv_kernels_portable();
template EdgeConvKernels<double, int32_t> edge_conv_kernels_portable();

}  // namespace hitgraph
