// How the core runs on a GPU without knowing whose memory and streams they are. No CUDA header:
// what calls the core is compiled by a host compiler.
#pragma once

#include <cstdint>
#include <functional>

#include "core/condensate.h"
#include "core/condensation.h"
#include "core/edge_conv.h"
#include "core/graph.h"
#include "core/gravnet.h"
#include "core/knn.h"
#include "core/radius.h"

namespace hitgraph {

constexpr int kCudaCounters = 8;

struct CudaRun {
  void* stream = nullptr;  // a cudaStream_t of the current device
  int64_t shared_bytes_per_multiprocessor = 0;
  // Called once a sequence of launches, with the bytes that are needed until the work on the stream
  // is done.
  std::function<void*(int64_t bytes)> scratch;
};

// As knn_cpu, on device pointers, with the same bits. Nothing waits for the device and nothing is
// allocated but the scratch memory, so it can be captured in a CUDA graph. row_splits may be null:
// one segment. Malformed row_splits leave every neighbour missing. `counters`, on the device,
// zeroed by the caller, in the order of KnnCounters, selects the counting build.
template <typename T, typename Index>
void knn_cuda(const KnnProblem<T>& problem, const KnnResult<T, Index>& result, const CudaRun& run,
              unsigned long long* counters = nullptr);

// As radius_cpu, on device pointers, with the same bits; row_splits of problem and memory as for
// knn_cuda. Malformed row_splits of the problem: nobody has neighbours. The host waits once, for
// the number of edges; `allocate` is called then.
template <typename T, typename Index>
void radius_cuda(const RadiusProblem<T>& problem, int64_t* row_splits,
                 const AllocateEdges<T, Index>& allocate, const CudaRun& run);

// As transpose_graph, on device pointers; an index out of range is a missing edge.
template <typename Index, typename Edge>
void transpose_graph_cuda(const Index* index, int64_t rows, int64_t k, int64_t points,
                          const CudaRun& run, int64_t* offsets, Edge* edges);

// As distance2_backward_cpu, on device pointers; an index out of range is a missing edge.
template <typename T, typename Index, typename Edge>
void distance2_backward_cuda(const Distance2Backward<T, Index, Edge>& problem, const CudaRun& run,
                             T* grad_queries, T* grad_points);

// As gravnet_aggregate_cpu, on device pointers, with the same bits (but those of a NaN); an index
// out of range is a missing edge. Fewer than 2^31 rows, points and channels.
template <typename T, typename Index, typename Slot>
void gravnet_aggregate_cuda(const GravnetGraph<T, Index>& graph, bool missing_is_zero,
                            const CudaRun& run, const GravnetResult<T, Slot>& result);

// As gravnet_backward_cpu, on device pointers, summed in another order; a slot out of range is that
// of no edge. Edge = int32_t where rows * k fits it, or int64_t.
template <typename T, typename Index, typename Slot, typename Edge>
void gravnet_backward_cuda(const GravnetGraph<T, Index>& graph,
                           const GravnetGradient<T, Slot, Edge>& gradient, const CudaRun& run);

// As edge_conv_select_cpu and edge_conv_activate_cpu, on device pointers; of `selection` value,
// slot and stride, which is that of the channels. Given the same center and neighbour, slots have
// the CPU's bits, and values too if the layer is not trained; sums over rows are made in another
// order. An index out of range is a missing edge.
template <typename T, typename Index, typename Slot>
void edge_conv_cuda(const EdgeConvGraph<T, Index>& graph, const EdgeConvLayer<T>& layer,
                    const CudaRun& run, const EdgeConvSelection<T, Slot>& selection);

// As edge_conv_backward_cpu, on device pointers. Scaling and normalisation are those of `layer`;
// of the gradient's own, mean, inverse, factor, shift, slope and trained are not read. `sums` is
// (points, channels), the gradient of the neighbours.
template <typename T, typename Index, typename Slot, typename Edge>
void edge_conv_backward_cuda(const EdgeConvGraph<T, Index>& graph, const EdgeConvLayer<T>& layer,
                             const EdgeConvGradient<T, Slot, Edge>& gradient, const CudaRun& run);

// As condensation_objects_cpu, on device pointers, with the same result. The host waits once, for
// the number of objects; `allocate` is called then. Hits outside of every event are noise.
template <typename T>
void condensation_objects_cuda(const LabelledHits<T>& hits, int32_t* object, int32_t* order,
                               int64_t* object_splits, const AllocateObjects& allocate,
                               const CudaRun& run);

// As condensation_potential_cpu and condensation_backward_cpu, on device pointers, summed in
// another order, the same on every run. Hits are told apart by `object`; order and offsets are not
// read. An event whose splits are malformed has no hits and no objects.
template <typename T>
void condensation_potential_cuda(const CondensationProblem<T>& problem, const CudaRun& run,
                                 T* attraction, T* repulsion);
template <typename T>
void condensation_backward_cuda(const CondensationProblem<T>& problem,
                                const CondensationGradient<T>& gradient, const CudaRun& run);

// As condensate_cpu, on device pointers, with the same result; malformed row_splits: nobody has a
// label. The host waits once, for the number of points; `allocate` is called then.
template <typename T>
void condensate_cuda(const CondensateProblem<T>& problem, const CudaRun& run, int64_t* label,
                     int64_t* point, int64_t* point_splits, const AllocatePoints& allocate);

}  // namespace hitgraph
