// knn_cuda: the launches of knn_launches.h on a CUDA stream.
#include "core/cuda/device.cuh"
#include "core/cuda/knn_launches.h"
#include "core/cuda/run.h"

namespace hitgraph {
namespace {

static_assert(kCudaCounters == kCounters, "run.h tells callers how many");

void set_index(KnnInput<float>& input, int32_t* index) { input.index32 = index; }
void set_index(KnnInput<float>& input, int64_t* index) { input.index64 = index; }
void set_index(KnnInput<double>& input, int32_t* index) { input.index32 = index; }
void set_index(KnnInput<double>& input, int64_t* index) { input.index64 = index; }

template <typename T>
ForestInput<T> forest_input(const PointSet<T>& set, const KnnProblem<T>& problem) {
  return {set.coordinates, set.mask, set.row_splits, set.size, problem.dim, problem.segments};
}

}  // namespace

template <typename T, typename Index>
void knn_cuda(const KnnProblem<T>& problem, const KnnResult<T, Index>& result, const CudaRun& run,
              unsigned long long* counters) {
  KnnInput<T> input;
  input.points = forest_input(problem.points, problem);
  input.queries = forest_input(problem.queries, problem);
  input.own_queries =
      problem.self_queries && problem.points.mask == nullptr && problem.queries.mask == nullptr;
  input.exclude_self = problem.self_queries && !problem.include_self;
  input.k = problem.k;
  input.max_distance2 = problem.max_distance2;
  input.query_rows = problem.queries.size;
  set_index(input, result.index);
  input.distance2 = result.distance2;
  input.counters = counters;
  run_launches(run, [&](auto& device) { launch_knn(device, input); });
}

#define HITGRAPH_INSTANTIATE(T, Index)                                                     \
  template void knn_cuda(const KnnProblem<T>&, const KnnResult<T, Index>&, const CudaRun&, \
                         unsigned long long*);
HITGRAPH_INSTANTIATE(float, int32_t)
HITGRAPH_INSTANTIATE(float, int64_t)
HITGRAPH_INSTANTIATE(double, int32_t)
HITGRAPH_INSTANTIATE(double, int64_t)
#undef HITGRAPH_INSTANTIATE

}  // namespace hitgraph
