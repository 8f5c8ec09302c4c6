// The radius search compiled for one instruction set; the flags stand in cmake/core.cmake.
#include "core/cpu/radius_search.h"
#include "core/cpu/simd_avx2.h"

namespace hitgraph {

template <typename T>
RadiusBlock<T> radius_block_avx2(int64_t dim) {
  return choose_radius_block<Avx2Simd, T>(dim);
}

template RadiusBlock<float> radius_block_avx2(int64_t);
template RadiusBlock<double> radius_block_avx2(int64_t);

}  // namespace hitgraph
