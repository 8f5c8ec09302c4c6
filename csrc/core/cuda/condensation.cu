// Object condensation's sums and objects: the launches of condensation_launches.h on a CUDA stream.
#include "core/cuda/condensation_launches.h"
#include "core/cuda/device.cuh"
#include "core/cuda/run.h"

namespace hitgraph {
namespace {

template <typename T>
CondensationPairs<T> pairs_of(const CondensationProblem<T>& problem) {
  CondensationPairs<T> pairs{};
  pairs.coordinates = problem.coordinates;
  pairs.weights = problem.weights;
  pairs.centres = problem.centres;
  pairs.factors = problem.factors;
  pairs.object = problem.object;
  pairs.row_splits = problem.row_splits;
  pairs.object_splits = problem.object_splits;
  pairs.hits = problem.hits;
  pairs.objects = problem.objects;
  pairs.events = problem.events;
  pairs.dim = static_cast<int>(problem.dim);
  pairs.attraction = problem.attraction;
  pairs.repulsion = problem.repulsion;
  pairs.epsilon = problem.epsilon;
  return pairs;
}

}  // namespace

template <typename T>
void condensation_objects_cuda(const LabelledHits<T>& hits, int32_t* object, int32_t* order,
                               int64_t* object_splits, const AllocateObjects& allocate,
                               const CudaRun& run) {
  LabelledOrder<T> given{};
  given.labels = hits.labels;
  given.beta = hits.beta;
  given.noise_label = hits.noise_label;
  given.object_splits = object_splits;
  given.object = object;
  LabelledOrder<T> counted = run_launches(run, [&](auto& device) {
    LabelledOrder<T> labelled = given;
    launch_object_count(device, labelled, hits.row_splits, hits.hits, hits.events, order);
    return labelled;
  });
  int64_t objects = 0;
  read_back(run, &objects, object_splits + hits.events, 1, "number of objects");
  const CondensationObjects result = allocate(objects);
  counted.offsets = result.offsets;
  counted.points = result.points;
  run_launches(run, [&](auto& device) { launch_objects(device, counted, objects); });
}

template <typename T>
void condensation_potential_cuda(const CondensationProblem<T>& problem, const CudaRun& run,
                                 T* attraction, T* repulsion) {
  const CondensationPairs<T> pairs = pairs_of(problem);
  run_launches(run, [&](auto& device) {
    launch_condensation_potential(device, pairs, attraction, repulsion);
  });
}

template <typename T>
void condensation_backward_cuda(const CondensationProblem<T>& problem,
                                const CondensationGradient<T>& gradient, const CudaRun& run) {
  CondensationPairs<T> pairs = pairs_of(problem);
  pairs.grad_attraction = gradient.attraction;
  pairs.grad_repulsion = gradient.repulsion;
  HitGradients<T> hits{};
  hits.coordinates = gradient.coordinates;
  hits.weights = gradient.weights;
  run_launches(run, [&](auto& device) {
    launch_condensation_backward(device, pairs, hits, gradient.centres, gradient.factors);
  });
}

#define HITGRAPH_INSTANTIATE(T)                                                                 \
  template void condensation_objects_cuda(const LabelledHits<T>&, int32_t*, int32_t*, int64_t*, \
                                          const AllocateObjects&, const CudaRun&);              \
  template void condensation_potential_cuda(const CondensationProblem<T>&, const CudaRun&, T*,  \
                                            T*);                                                \
  template void condensation_backward_cuda(const CondensationProblem<T>&,                       \
                                           const CondensationGradient<T>&, const CudaRun&);
HITGRAPH_INSTANTIATE(float)
HITGRAPH_INSTANTIATE(double)
#undef HITGRAPH_INSTANTIATE

}  // namespace hitgraph
