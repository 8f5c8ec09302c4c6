// The two products that EdgeConv's linear map is split into, for a block of channels at a time, and
// the way back from their gradients to those of the layer. For every device.
#pragma once

#include <ATen/core/Tensor.h>

#include "core/edge_conv.h"
#include "ops/edge_conv_problem.h"

namespace hitgraph::edge_conv {

// A matrix of so many columns or fewer that every block writes anew: memory that is taken and given
// back by every block would not all come back.
class BlockMatrix {
 public:
  BlockMatrix(int64_t rows, int64_t columns, const at::TensorOptions& options);
  at::Tensor of(int64_t columns) const;

 private:
  int64_t rows_;
  at::Tensor memory_;
};

// Of the channels [begin, begin + size): center and neighbour products, beside each other where
// centers are points.
struct Products {
  int64_t begin, size;
  at::Tensor center, neighbour, center_weight, neighbour_weight;

  // Room for the products of `block` channels.
  static BlockMatrix memory(const Usable& u, int64_t block);

  Products(const Usable& u, int64_t first, int64_t channels, const BlockMatrix& memory);

  template <typename T, typename Index>
  EdgeConvGraph<T, Index> graph(const at::Tensor& index) const {
    EdgeConvGraph<T, Index> graph;
    graph.center = center.const_data_ptr<T>();
    graph.neighbour = neighbour.const_data_ptr<T>();
    graph.index = index.const_data_ptr<Index>();
    graph.rows = index.size(0);
    graph.k = index.size(1);
    graph.points = neighbour.size(0);
    graph.channels = size;
    graph.center_stride = center.stride(0);
    graph.neighbour_stride = neighbour.stride(0);
    return graph;
  }
};

// What the blocks add to.
struct Gradients {
  at::Tensor features, centers, weight, bias, scale, shift;

  Gradients(const Usable& u, const at::Tensor& given_weight);

  // `center` and `neighbour` are the gradients of a block's products.
  void add(const Usable& u, const Products& products, const at::Tensor& center,
           const at::Tensor& neighbour);
};

}  // namespace hitgraph::edge_conv
