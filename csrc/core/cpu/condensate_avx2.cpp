// The condensation points' balls compiled for one instruction set; the flags stand in
// cmake/core.cmake.
#include "core/cpu/condensate_search.h"
#include "core/cpu/simd_avx2.h"

namespace hitgraph {

template <typename T>
CondensateBall<T> condensate_ball_avx2(int64_t dim) {
  return choose_condensate_ball<Avx2Simd, T>(dim);
}

template CondensateBall<float> condensate_ball_avx2(int64_t);
template CondensateBall<double> condensate_ball_avx2(int64_t);

}  // namespace hitgraph
