// The search compiled for one instruction set; the flags stand in cmake/sources.cmake.
#include "core/cpu/knn_search.h"
#include "core/cpu/simd_portable.h"

namespace hitgraph {

template <typename T>
KnnBlock<T> knn_block_portable(int64_t dim, bool counting) {
  return choose_knn_block<PortableSimd, T>(dim, counting);
}

template KnnBlock<float> knn_block_portable(int64_t, bool);
template KnnBlock<double> knn_block_portable(int64_t, bool);

}  // namespace hitgraph
