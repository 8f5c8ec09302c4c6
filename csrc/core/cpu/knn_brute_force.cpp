// The oracle that every k-nearest search is compared with, bit for bit.
#include <algorithm>
#include <utility>
#include <vector>

#include "core/cpu/every_pair.h"
#include "core/knn.h"

namespace hitgraph {

template <typename T, typename Index>
void knn_brute_force(const KnnProblem<T>& problem, const KnnResult<T, Index>& result,
                     const Executor& executor) {
  const int64_t k = problem.k;
  std::fill_n(result.index, problem.queries.size * k, Index{-1});
  std::fill_n(result.distance2, problem.queries.size * k, std::numeric_limits<T>::infinity());
  for_every_row(problem, executor,
                [&](int64_t query, const std::vector<std::pair<T, int64_t>>& found) {
                  const int64_t count = std::min(k, static_cast<int64_t>(found.size()));
                  for (int64_t slot = 0; slot < count; ++slot) {
                    result.index[query * k + slot] = static_cast<Index>(found[slot].second);
                    result.distance2[query * k + slot] = found[slot].first;
                  }
                });
}

template void knn_brute_force(const KnnProblem<float>&, const KnnResult<float, int32_t>&,
                              const Executor&);
template void knn_brute_force(const KnnProblem<float>&, const KnnResult<float, int64_t>&,
                              const Executor&);
template void knn_brute_force(const KnnProblem<double>&, const KnnResult<double, int32_t>&,
                              const Executor&);
template void knn_brute_force(const KnnProblem<double>&, const KnnResult<double, int64_t>&,
                              const Executor&);

}  // namespace hitgraph
