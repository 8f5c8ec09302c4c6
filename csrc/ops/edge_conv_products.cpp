#include "ops/edge_conv_products.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>

namespace hitgraph::edge_conv {

BlockMatrix::BlockMatrix(int64_t rows, int64_t columns, const at::TensorOptions& options)
    : rows_(rows), memory_(at::empty({rows * columns}, options)) {}

at::Tensor BlockMatrix::of(int64_t columns) const {
  return memory_.narrow(0, 0, rows_ * columns).view({rows_, columns});
}

BlockMatrix Products::memory(const Usable& u, int64_t block) {
  const int64_t rows = u.centers.defined() ? u.centers.size(0) : u.features.size(0);
  return BlockMatrix(rows + u.features.size(0), block, u.features.options());
}

Products::Products(const Usable& u, int64_t first, int64_t channels, const BlockMatrix& memory)
    : begin(first), size(channels) {
  center_weight = u.by_center.narrow(0, begin, size);
  neighbour_weight = u.by_neighbour.narrow(0, begin, size);
  const at::Tensor bias = u.bias.narrow(0, begin, size);
  const at::Tensor all = memory.of(size);
  const int64_t points = u.features.size(0);
  if (u.centers.defined()) {
    center = all.narrow(0, points, u.centers.size(0));
    neighbour = all.narrow(0, 0, points);
    at::addmm_out(center, bias, u.centers, center_weight.t());
    at::mm_out(neighbour, u.features, neighbour_weight.t());
    return;
  }
  at::Tensor both = all.view({points, 2 * size});
  at::addmm_out(both, at::cat({bias, at::zeros_like(bias)}), u.features,
                at::cat({center_weight, neighbour_weight}).t());
  center = both.narrow(1, 0, size);
  neighbour = both.narrow(1, size, size);
}

Gradients::Gradients(const Usable& u, const at::Tensor& given_weight)
    : features(at::zeros_like(u.features)),
      centers(u.centers.defined() ? at::zeros_like(u.centers) : at::zeros({0}, u.bias.options())),
      weight(at::empty_like(given_weight, at::MemoryFormat::Contiguous)),
      bias(at::empty_like(u.bias)),
      scale(at::empty_like(u.bias)),
      shift(at::empty_like(u.bias)) {}

void Gradients::add(const Usable& u, const Products& products, const at::Tensor& center,
                    const at::Tensor& neighbour) {
  const int64_t width = features.size(1);
  at::Tensor by_center;
  if (u.centers.defined()) {
    centers.addmm_(center, products.center_weight);
    features.addmm_(neighbour, products.neighbour_weight);
    by_center = at::mm(center.t(), u.centers);
  } else {
    features.addmm_(center, products.center_weight);
    features.addmm_(neighbour, products.neighbour_weight);
    by_center = at::mm(center.t(), u.features);
  }
  const at::Tensor rows = weight.narrow(0, products.begin, products.size);
  rows.narrow(1, 0, width).copy_(by_center);
  rows.narrow(1, width, width).copy_(at::mm(neighbour.t(), u.features) - by_center);
  bias.narrow(0, products.begin, products.size).copy_(center.sum(0));
}

}  // namespace hitgraph::edge_conv
