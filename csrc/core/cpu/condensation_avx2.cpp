// Condensation's loops compiled for one instruction set; the flags stand in cmake/sources.cmake.
#include "core/cpu/condensation_loops.h"

namespace hitgraph {

template <typename T>
CondensationKernels<T> condensation_kernels_avx2(Repulsion repulsion) {
  return choose_condensation_kernels<Avx2Vectors, T>(repulsion);
}

template CondensationKernels<float> condensation_kernels_avx2(Repulsion);
template CondensationKernels<double> condensation_kernels_avx2(Repulsion);

}  // namespace hitgraph
