// GravNet's loops compiled for one instruction set; the flags stand in cmake/sources.cmake.
#include "core/cpu/gravnet_loops.h"

namespace hitgraph {

template <typename T, typename Slot>
GravnetKernels<T, Slot> gravnet_kernels_portable() {
  return GravnetLoops<PortableVectors, T, Slot>::table();
}

template GravnetKernels<float, uint8_t> gravnet_kernels_portable();
template GravnetKernels<float, int32_t> gravnet_kernels_portable();
template GravnetKernels<double, uint8_t> gravnet_kernels_portable();
template GravnetKernels<double, int32_t> gravnet_kernels_portable();

}  // namespace hitgraph
