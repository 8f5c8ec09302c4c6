// What knn.cu compiles for the other searches too: the kernels of a forest and of the search for k
// take long to compile and are large.
#pragma once

#include "core/cuda/device.cuh"
#include "core/cuda/knn_launches.h"

namespace hitgraph {

extern template void launch_search(CudaMeasure&, const KnnLaunch<float>&);
extern template void launch_search(CudaMeasure&, const KnnLaunch<double>&);
extern template void launch_search(CudaDevice&, const KnnLaunch<float>&);
extern template void launch_search(CudaDevice&, const KnnLaunch<double>&);
extern template Forest<float> build_forest(CudaMeasure&, const ForestInput<float>&, bool);
extern template Forest<double> build_forest(CudaMeasure&, const ForestInput<double>&, bool);
extern template Forest<float> build_forest(CudaDevice&, const ForestInput<float>&, bool);
extern template Forest<double> build_forest(CudaDevice&, const ForestInput<double>&, bool);

}  // namespace hitgraph
