// The condensation points' balls compiled for one instruction set; the flags stand in
// cmake/core.cmake.
#include "core/cpu/condensate_search.h"
#include "core/cpu/simd_portable.h"

namespace hitgraph {

template <typename T>
CondensateBall<T> condensate_ball_portable(int64_t dim) {
  return choose_condensate_ball<PortableSimd, T>(dim);
}

template CondensateBall<float> condensate_ball_portable(int64_t);
template CondensateBall<double> condensate_ball_portable(int64_t);

}  // namespace hitgraph
