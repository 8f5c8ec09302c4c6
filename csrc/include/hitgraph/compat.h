#pragma once

namespace hitgraph {

// Whether pyg::knn, pyg::radius and pyg::nearest, which PyTorch Geometric calls from release 2.8
// on, are answered by hitgraph. Kernels that pyg-lib has registered are set aside meanwhile; where
// it is not loaded, the operators are declared as it declares them.
void set_pyg_operators(bool enabled);

}  // namespace hitgraph
