// knn_cuda: the launches of knn_launches.h on a CUDA stream.
#include "core/cuda/device.cuh"
#include "core/cuda/knn_launches.h"
#include "core/cuda/run.h"
#include "core/cuda/tile_instances.h"

namespace hitgraph {
namespace {

static_assert(kCudaCounters == kCounters, "run.h tells callers how many");

}  // namespace

template void launch_search(CudaMeasure&, const KnnLaunch<float>&);
template void launch_search(CudaMeasure&, const KnnLaunch<double>&);
template void launch_search(CudaDevice&, const KnnLaunch<float>&);
template void launch_search(CudaDevice&, const KnnLaunch<double>&);
template Forest<float> build_forest(CudaMeasure&, const ForestInput<float>&, bool);
template Forest<double> build_forest(CudaMeasure&, const ForestInput<double>&, bool);
template Forest<float> build_forest(CudaDevice&, const ForestInput<float>&, bool);
template Forest<double> build_forest(CudaDevice&, const ForestInput<double>&, bool);

template <typename T, typename Index>
void knn_cuda(const KnnProblem<T>& problem, const KnnResult<T, Index>& result, const CudaRun& run,
              unsigned long long* counters) {
  KnnInput<T> input{};
  set_search(input, problem);
  input.k = problem.k;
  input.found = neighbours<T>(result.index, result.distance2);
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
