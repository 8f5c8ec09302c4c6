// radius_cuda: the launches of radius_launches.h on a CUDA stream.
#include "core/cuda/device.cuh"
#include "core/cuda/radius_launches.h"
#include "core/cuda/run.h"
#include "core/cuda/search_instances.h"

namespace hitgraph {

template <typename T, typename Index>
void radius_cuda(const RadiusProblem<T>& problem, int64_t* row_splits,
                 const AllocateEdges<T, Index>& allocate, const CudaRun& run) {
  RadiusInput<T> input{};
  set_search(input, problem);
  input.max_neighbors = problem.max_neighbors;
  input.row_splits = row_splits;
  const CountedRadius<T> counted =
      run_launches(run, [&](auto& device) { return launch_radius_count(device, input); });
  // The one time that the host waits.
  unsigned long long totals[kRadiusTotals];
  read_back(run, totals, counted.launch.totals, kRadiusTotals, "number of edges");
  const RadiusResult<T, Index> result = allocate(static_cast<int64_t>(totals[kEdges]));
  const Neighbours<T> found = neighbours<T>(result.index, result.distance2);
  run_launches(run, [&](auto& device) { launch_radius_write(device, counted, totals, found); });
}

#define HITGRAPH_INSTANTIATE(T, Index)                                                         \
  template void radius_cuda(const RadiusProblem<T>&, int64_t*, const AllocateEdges<T, Index>&, \
                            const CudaRun&);
HITGRAPH_INSTANTIATE(float, int32_t)
HITGRAPH_INSTANTIATE(float, int64_t)
HITGRAPH_INSTANTIATE(double, int32_t)
HITGRAPH_INSTANTIATE(double, int64_t)
#undef HITGRAPH_INSTANTIATE

}  // namespace hitgraph
