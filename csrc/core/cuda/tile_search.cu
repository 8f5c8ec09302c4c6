// The kernels of the search in many dimensions.
#include "core/cuda/device.cuh"
#include "core/cuda/tile_launches.h"

namespace hitgraph {

template void launch_tile_search(CudaMeasure&, const TileLaunch<float>&);
template void launch_tile_search(CudaMeasure&, const TileLaunch<double>&);
template void launch_tile_search(CudaDevice&, const TileLaunch<float>&);
template void launch_tile_search(CudaDevice&, const TileLaunch<double>&);

}  // namespace hitgraph
