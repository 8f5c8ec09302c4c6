// hitgraph::edge_conv_max and its gradient on CPU tensors: a block of channels at a time, so that
// the products of a block stay near, and are made again in the backward pass instead of kept.
#include "core/edge_conv.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/library.h>

#include <cmath>
#include <vector>

#include "ops/cpu/executor.h"
#include "ops/edge_conv_problem.h"
#include "ops/gravnet_problem.h"
#include "ops/results.h"
#include "ops/transpose_problem.h"

namespace hitgraph::edge_conv {
namespace {

constexpr int64_t kBlock = 64;  // channels

// The products are made in the type of the features, under autocast too.
using WithoutAutocast = c10::impl::ExcludeDispatchKeyGuard;

// A matrix of kBlock columns or fewer that every block writes anew: memory that is taken and given
// back by every block would not all come back.
class BlockMatrix {
 public:
  BlockMatrix(int64_t rows, int64_t columns, const at::TensorOptions& options)
      : rows_(rows), memory_(at::empty({rows * columns}, options)) {}
  at::Tensor of(int64_t columns) const {
    return memory_.narrow(0, 0, rows_ * columns).view({rows_, columns});
  }

 private:
  int64_t rows_;
  at::Tensor memory_;
};

// Of the channels [begin, begin + size): center and neighbour products, beside each other where
// centers are points. `memory` has room for all.
struct Products {
  int64_t begin, size;
  at::Tensor center, neighbour, center_weight, neighbour_weight;

  static BlockMatrix memory(const Usable& u) {
    const int64_t rows = u.centers.defined() ? u.centers.size(0) : u.features.size(0);
    return BlockMatrix(rows + u.features.size(0), kBlock, u.features.options());
  }

  Products(const Usable& u, int64_t first, int64_t channels, const BlockMatrix& memory)
      : begin(first), size(std::min(kBlock, channels - first)) {
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

// How often rows ask and points are reached.
struct Degrees {
  std::vector<int32_t> of_rows, of_points;
  double edges = 0;

  template <typename Index>
  Degrees(const at::Tensor& index, int64_t points, Index)
      : of_rows(index.size(0)), of_points(points) {
    edge_degrees(index.const_data_ptr<Index>(), index.size(0), index.size(1), points,
                 of_rows.data(), of_points.data());
    for (const int32_t degree : of_rows) edges += degree;
  }
};

Executor executor_for(const at::Tensor& index, int64_t channels) {
  return torch_executor(index.numel() * (8 + channels) / 16);
}

template <typename Body>
void with_types(const at::Tensor& features, const at::Tensor& index, const Body& body) {
  const auto with_slot = [&](auto number, auto end) {
    gravnet::slot_type(index.size(1)) == at::kByte ? body(number, end, uint8_t{})
                                                   : body(number, end, int32_t{});
  };
  const auto with_index = [&](auto number) {
    index.scalar_type() == at::kInt ? with_slot(number, int32_t{}) : with_slot(number, int64_t{});
  };
  features.scalar_type() == at::kDouble ? with_index(double{}) : with_index(float{});
}

// The mean over all edges of a block's channels: of centers and neighbours, as often as they occur.
template <typename T, typename Index>
void edge_means(const EdgeConvGraph<T, Index>& graph, const Degrees& degrees,
                const Executor& executor, T* mean) {
  std::vector<double> sums(2 * graph.channels);
  weighted_column_sums(graph.center, graph.center_stride, graph.rows, graph.channels,
                       degrees.of_rows.data(), executor, sums.data());
  weighted_column_sums(graph.neighbour, graph.neighbour_stride, graph.points, graph.channels,
                       degrees.of_points.data(), executor, sums.data() + graph.channels);
  for (int64_t c = 0; c < graph.channels; ++c) {
    const double sum = sums[c] + sums[graph.channels + c];
    mean[c] = degrees.edges == 0 ? T(0) : static_cast<T>(sum / degrees.edges);
  }
}

// 1 / sqrt(variance + eps), and that times scale; 1 and scale without normalisation.
template <typename T>
void factors(const at::Tensor& variance, const at::Tensor& scale, double eps, T* inverse,
             T* factor) {
  for (int64_t c = 0; c < scale.size(0); ++c) {
    const double deviation =
        variance.defined() ? std::sqrt(variance.const_data_ptr<T>()[c] + eps) : 1;
    inverse[c] = static_cast<T>(1 / deviation);
    factor[c] = static_cast<T>(scale.const_data_ptr<T>()[c] / deviation);
  }
}

using FourTensors = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor>;

FourTensors edge_conv_max(const at::Tensor& features, const at::Tensor& index,
                          const at::Tensor& weight, const OptionalTensor& bias,
                          const OptionalTensor& scale, const OptionalTensor& shift,
                          const OptionalTensor& given_mean, const OptionalTensor& given_variance,
                          double eps, double slope, const OptionalTensor& centers,
                          const OptionalTensor&, const OptionalTensor&) {
  const WithoutAutocast guard(c10::autocast_dispatch_keyset);
  const Arguments arguments{kOp,   features,   index,          weight, bias,  scale,
                            shift, given_mean, given_variance, eps,    slope, centers};
  check(arguments);
  const Usable u = usable(arguments);
  const int64_t channels = weight.size(0), rows = index.size(0);
  const bool normal = scale.has_value(), trained = normal && !given_mean;
  const at::TensorOptions options = features.options();
  const at::Tensor out = new_result({rows, channels}, options);
  const at::Tensor slots =
      new_result({rows, channels}, options.dtype(gravnet::slot_type(index.size(1))));
  const at::Tensor mean = given_mean ? given_mean->contiguous() : at::zeros({channels}, options);
  const at::Tensor variance =
      given_variance ? given_variance->contiguous() : at::zeros({channels}, options);
  with_types(features, u.index, [&](auto number, auto end, auto slot) {
    using T = decltype(number);
    using Index = decltype(end);
    using Slot = decltype(slot);
    const Executor executor = executor_for(u.index, std::min(channels, kBlock));
    std::optional<Degrees> degrees;
    if (trained) degrees.emplace(u.index, features.size(0), Index{});
    const BlockMatrix memory = Products::memory(u);
    for (int64_t first = 0; first < channels; first += kBlock) {
      const Products products(u, first, channels, memory);
      const auto graph = products.graph<T, Index>(u.index);
      T* means = mean.data_ptr<T>() + first;
      if (trained) edge_means(graph, *degrees, executor, means);
      std::vector<T> signs(products.size), inverse(products.size), factor(products.size);
      const T* scales = u.scale.const_data_ptr<T>() + first;
      for (int64_t c = 0; c < products.size; ++c) signs[c] = scales[c] < 0 ? T(-1) : T(1);
      std::vector<double> squares(products.size);
      EdgeConvSelection<T, Slot> selection;
      selection.sign = signs.data();
      selection.mean = means;
      selection.value = out.data_ptr<T>() + first;
      selection.slot = slots.data_ptr<Slot>() + first;
      selection.stride = channels;
      if (trained) selection.square_sums = squares.data();
      edge_conv_select_cpu(graph, best_simd_level(), executor, selection);
      for (int64_t c = 0; trained && c < products.size; ++c) {
        variance.data_ptr<T>()[first + c] =
            degrees->edges == 0 ? T(0) : static_cast<T>(squares[c] / degrees->edges);
      }
      const at::Tensor spread = normal ? variance.narrow(0, first, products.size) : at::Tensor();
      factors(spread, u.scale.narrow(0, first, products.size), eps, inverse.data(), factor.data());
      edge_conv_activate_cpu(selection, rows, products.size, factor.data(),
                             u.shift.const_data_ptr<T>() + first, static_cast<T>(slope), executor);
    }
  });
  if (trained) return {out, slots, mean, variance};
  return {out, slots, at::empty({0}, options), at::empty({0}, options)};
}

using SixTensors =
    std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor>;

// What the blocks add to.
struct Gradients {
  at::Tensor features, centers, weight, bias, scale, shift;

  explicit Gradients(const Usable& u, const at::Tensor& given_weight)
      : features(at::zeros_like(u.features)),
        centers(u.centers.defined() ? at::zeros_like(u.centers) : at::zeros({0}, u.bias.options())),
        weight(at::empty_like(given_weight, at::MemoryFormat::Contiguous)),
        bias(at::empty_like(u.bias)),
        scale(at::empty_like(u.bias)),
        shift(at::empty_like(u.bias)) {}

  // `both` are the gradients of a block's products: of the centers', then of the neighbours'.
  void add(const Usable& u, const Products& products, const at::Tensor& center,
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
};

SixTensors edge_conv_max_backward(const at::Tensor& given_grad, const at::Tensor& slot,
                                  const at::Tensor& features, const at::Tensor& index,
                                  const at::Tensor& weight, const OptionalTensor& bias,
                                  const OptionalTensor& scale, const OptionalTensor& shift,
                                  const OptionalTensor& given_mean,
                                  const OptionalTensor& given_variance, double eps, bool trained,
                                  double slope, const OptionalTensor& centers,
                                  const OptionalTensor& given_offsets,
                                  const OptionalTensor& given_edges) {
  const WithoutAutocast guard(c10::autocast_dispatch_keyset);
  const Arguments arguments{kBackwardOp, features,   index,          weight, bias,  scale,
                            shift,       given_mean, given_variance, eps,    slope, centers};
  check(arguments);
  const Usable u = usable(arguments);
  const int64_t channels = weight.size(0), rows = index.size(0);
  TORCH_CHECK_VALUE(given_grad.sizes() == at::IntArrayRef({rows, channels}) &&
                        slot.sizes() == given_grad.sizes() &&
                        given_grad.scalar_type() == features.scalar_type() &&
                        slot.scalar_type() == gravnet::slot_type(index.size(1)),
                    kBackwardOp, ": expected grad and slot of shape (", rows, ", ", channels,
                    ") and of the types of the result, got ", given_grad.sizes(), " and ",
                    slot.sizes());
  const auto [offsets, edges, order] = transpose::given_or_new(
      kBackwardOp, u.index, features.size(0), given_offsets, given_edges, std::nullopt);
  const at::Tensor grad = given_grad.contiguous(), slots = slot.contiguous();
  const at::Tensor mean =
      given_mean ? given_mean->contiguous() : at::zeros({channels}, features.options());
  Gradients gradients(u, weight);
  const auto run = [&, begins = offsets, places = edges](auto number, auto end, auto slot_number,
                                                         auto edge) {
    using T = decltype(number);
    using Index = decltype(end);
    using Slot = decltype(slot_number);
    using Edge = decltype(edge);
    const Executor executor = executor_for(u.index, std::min(channels, kBlock));
    const BlockMatrix memory = Products::memory(u);
    const BlockMatrix of_rows(2 * rows, kBlock, features.options());
    const BlockMatrix of_points(2 * features.size(0), kBlock, features.options());
    for (int64_t first = 0; first < channels; first += kBlock) {
      const Products products(u, first, channels, memory);
      const at::Tensor center = of_rows.of(products.size).narrow(0, 0, rows);
      const at::Tensor selected = of_rows.of(products.size).narrow(0, rows, rows);
      const at::Tensor sums =
          of_points.of(products.size).view({features.size(0), 2 * products.size});
      std::vector<T> inverse(products.size), factor(products.size);
      std::vector<double> by_scale(products.size), by_shift(products.size);
      const at::Tensor spread = given_variance
                                    ? given_variance->contiguous().narrow(0, first, products.size)
                                    : at::Tensor();
      factors(spread, u.scale.narrow(0, first, products.size), eps, inverse.data(), factor.data());
      EdgeConvGradient<T, Slot, Edge> gradient;
      gradient.grad = grad.const_data_ptr<T>() + first;
      gradient.slot = slots.const_data_ptr<Slot>() + first;
      gradient.grad_stride = gradient.slot_stride = channels;
      gradient.mean = mean.const_data_ptr<T>() + first;
      gradient.inverse = inverse.data();
      gradient.factor = factor.data();
      gradient.shift = u.shift.const_data_ptr<T>() + first;
      gradient.slope = static_cast<T>(slope);
      gradient.trained = trained;
      gradient.offsets = begins.template const_data_ptr<int64_t>();
      gradient.edges = places.template const_data_ptr<Edge>();
      gradient.grad_scale = by_scale.data();
      gradient.grad_shift = by_shift.data();
      gradient.grad_center = center.data_ptr<T>();
      gradient.by_selected = selected.data_ptr<T>();
      gradient.sums = sums.data_ptr<T>();
      edge_conv_backward_cpu(products.graph<T, Index>(u.index), best_simd_level(), executor,
                             gradient);
      gradients.add(u, products, center, sums.narrow(1, products.size, products.size));
      std::copy(by_scale.begin(), by_scale.end(), gradients.scale.data_ptr<T>() + first);
      std::copy(by_shift.begin(), by_shift.end(), gradients.shift.data_ptr<T>() + first);
    }
  };
  with_types(features, u.index,
             [&, wide = edges.scalar_type() == at::kLong](auto number, auto end, auto slot_number) {
               wide ? run(number, end, slot_number, int64_t{})
                    : run(number, end, slot_number, int32_t{});
             });
  return {gradients.features, gradients.centers, gradients.weight,
          gradients.bias,     gradients.scale,   gradients.shift};
}

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, CPU, m) {
  m.impl("edge_conv_max", &edge_conv_max);
  m.impl("edge_conv_max_backward", &edge_conv_max_backward);
}

}  // namespace hitgraph::edge_conv
