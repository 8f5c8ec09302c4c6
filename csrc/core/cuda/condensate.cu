// condensate_cuda: the launches of condensate_launches.h on a CUDA stream.
#include "core/cuda/condensate_launches.h"
#include "core/cuda/device.cuh"
#include "core/cuda/run.h"
#include "core/cuda/search_instances.h"

namespace hitgraph {

template <typename T>
void condensate_cuda(const CondensateProblem<T>& problem, const CudaRun& run, int64_t* label,
                     int64_t* point, int64_t* point_splits, const AllocatePoints& allocate) {
  CondensateInput<T> input{};
  input.hits.points = problem.coordinates;
  input.hits.row_splits = problem.row_splits;
  input.hits.rows = problem.hits;
  input.hits.dim = problem.dim;
  input.hits.segments = problem.events;
  input.beta = problem.beta;
  input.radius = problem.radius;
  input.beta_threshold = problem.beta_threshold;
  input.distance_threshold = problem.distance_threshold;
  input.nearest = problem.nearest;
  input.label = label;
  input.point = point;
  input.point_splits = point_splits;
  const CondensateLaunch<T> found =
      run_launches(run, [&](auto& device) { return launch_condensate(device, input); });
  int64_t points = 0;
  read_back(run, &points, point_splits + problem.events, 1, "number of points");
  int64_t* rows = allocate(points);
  run_launches(run, [&](auto& device) { launch_point_list(device, found, points, rows); });
}

#define HITGRAPH_INSTANTIATE(T)                                                                  \
  template void condensate_cuda(const CondensateProblem<T>&, const CudaRun&, int64_t*, int64_t*, \
                                int64_t*, const AllocatePoints&);
HITGRAPH_INSTANTIATE(float)
HITGRAPH_INSTANTIATE(double)
#undef HITGRAPH_INSTANTIATE

}  // namespace hitgraph
