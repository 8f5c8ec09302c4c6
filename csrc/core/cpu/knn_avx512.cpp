// The search compiled for one instruction set; the flags stand in cmake/sources.cmake.
#include "core/cpu/knn_search.h"
#include "core/cpu/simd_avx512.h"

namespace hitgraph {

template <typename T>
KnnBlock<T> knn_block_avx512(int64_t dim, bool counting) {
  return choose_knn_block<Avx512Simd, T>(dim, counting);
}

template KnnBlock<float> knn_block_avx512(int64_t, bool);
template KnnBlock<double> knn_block_avx512(int64_t, bool);

}  // namespace hitgraph
