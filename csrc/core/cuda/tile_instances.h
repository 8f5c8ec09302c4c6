// What tile_search.cu compiles for knn.cu.
#pragma once

#include "core/cuda/device.cuh"
#include "core/cuda/tile_launches.h"

namespace hitgraph {

extern template void launch_tile_search(CudaMeasure&, const TileLaunch<float>&);
extern template void launch_tile_search(CudaMeasure&, const TileLaunch<double>&);
extern template void launch_tile_search(CudaDevice&, const TileLaunch<float>&);
extern template void launch_tile_search(CudaDevice&, const TileLaunch<double>&);

}  // namespace hitgraph
