// From the arguments of hitgraph::edge_conv_max and its gradient to the core's problems and back,
// for every device: a block of channels at a time, so that the products of a block stay near, and
// are made again in the backward pass instead of kept.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include <algorithm>
#include <optional>
#include <tuple>

#include "ops/edge_conv_problem.h"
#include "ops/edge_conv_products.h"
#include "ops/gravnet_problem.h"
#include "ops/results.h"
#include "ops/transpose_problem.h"

namespace hitgraph::edge_conv {

using FourTensors = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor>;
using SixTensors =
    std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor>;

// The products are made in the type of the features, under autocast too.
using WithoutAutocast = c10::impl::ExcludeDispatchKeyGuard;

// Calls body(T, Index, Slot) with values of the types that the arguments ask for.
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

// A layer's own numbers, contiguous; mean and variance are zeros until they are known.
struct LayerTensors {
  at::Tensor scale, shift, mean, variance;
  double eps, slope;
  bool normal, trained;

  LayerTensors(const Arguments& a, const Usable& u, bool is_trained)
      : scale(u.scale),
        shift(u.shift),
        eps(a.eps),
        slope(a.slope),
        normal(a.scale.has_value()),
        trained(is_trained) {
    const auto known = [&](const OptionalTensor& given) {
      return given ? given->contiguous() : at::zeros({a.weight.size(0)}, a.features.options());
    };
    mean = known(a.mean);
    variance = known(a.variance);
  }

  // Of the channels from `first` on.
  template <typename T>
  EdgeConvLayer<T> from(int64_t first) const {
    EdgeConvLayer<T> layer;
    layer.scale = scale.const_data_ptr<T>() + first;
    layer.shift = shift.const_data_ptr<T>() + first;
    layer.mean = mean.data_ptr<T>() + first;
    layer.variance = variance.data_ptr<T>() + first;
    layer.eps = eps;
    layer.slope = static_cast<T>(slope);
    layer.normal = normal;
    layer.trained = trained;
    return layer;
  }
};

// Allocates the results and calls forward(graph, layer, selection) for every block of channels, of
// `block` at most.
template <typename Forward>
FourTensors run(const Arguments& arguments, int64_t block, const Forward& forward) {
  const WithoutAutocast guard(c10::autocast_dispatch_keyset);
  check(arguments);
  const Usable u = usable(arguments);
  const int64_t channels = arguments.weight.size(0), rows = u.index.size(0);
  const at::TensorOptions options = u.features.options();
  const LayerTensors layer(arguments, u, arguments.scale && !arguments.mean);
  const at::Tensor out = new_result({rows, channels}, options);
  const at::Tensor slots =
      new_result({rows, channels}, options.dtype(gravnet::slot_type(u.index.size(1))));
  const BlockMatrix memory = Products::memory(u, std::min(block, channels));
  with_types(u.features, u.index, [&](auto number, auto end, auto slot) {
    using T = decltype(number);
    using Slot = decltype(slot);
    for (int64_t first = 0; first < channels; first += block) {
      const Products products(u, first, std::min(block, channels - first), memory);
      EdgeConvSelection<T, Slot> selection;
      selection.value = out.data_ptr<T>() + first;
      selection.slot = slots.data_ptr<Slot>() + first;
      selection.stride = channels;
      forward(products.graph<T, decltype(end)>(u.index), layer.from<T>(first), selection);
    }
  });
  if (layer.trained) return {out, slots, layer.mean, layer.variance};
  return {out, slots, new_result({0}, options), new_result({0}, options)};
}

// Allocates the results and calls backward(graph, layer, gradient) for every block of channels.
// `sums` are the columns of EdgeConvGradient::sums a channel, the last of which are the gradients
// of the neighbours.
template <typename Backward>
SixTensors run_backward(const Arguments& arguments, const at::Tensor& given_grad,
                        const at::Tensor& slot, bool trained, const OptionalTensor& given_offsets,
                        const OptionalTensor& given_edges, int64_t block, int64_t sums,
                        const Backward& backward) {
  const WithoutAutocast guard(c10::autocast_dispatch_keyset);
  check(arguments);
  const Usable u = usable(arguments);
  const int64_t channels = arguments.weight.size(0), rows = u.index.size(0);
  const int64_t points = u.features.size(0), widest = std::min(block, channels);
  TORCH_CHECK_VALUE(given_grad.sizes() == at::IntArrayRef({rows, channels}) &&
                        slot.sizes() == given_grad.sizes() &&
                        given_grad.scalar_type() == u.features.scalar_type() &&
                        slot.scalar_type() == gravnet::slot_type(u.index.size(1)),
                    arguments.op, ": expected grad and slot of shape (", rows, ", ", channels,
                    ") and of the types of the result, got ", given_grad.sizes(), " and ",
                    slot.sizes());
  check_same_device(arguments.op, "grad", given_grad, u.features, "features");
  check_same_device(arguments.op, "slot", slot, u.features, "features");
  const auto [offsets, edges, order] = transpose::given_or_new(
      arguments.op, u.index, points, given_offsets, given_edges, std::nullopt);
  const at::Tensor grad = given_grad.contiguous(), slots = slot.contiguous();
  const LayerTensors layer(arguments, u, trained);
  Gradients gradients(u, arguments.weight);
  const BlockMatrix memory = Products::memory(u, widest);
  const BlockMatrix of_rows(2 * rows, widest, u.features.options());
  const BlockMatrix of_points(points, sums * widest, u.features.options());
  const auto each_block = [&, begins = offsets, places = edges](auto number, auto end,
                                                                auto slot_number, auto edge) {
    using T = decltype(number);
    using Slot = decltype(slot_number);
    using Edge = decltype(edge);
    for (int64_t first = 0; first < channels; first += block) {
      const Products products(u, first, std::min(block, channels - first), memory);
      const int64_t size = products.size;
      const at::Tensor center = of_rows.of(size).narrow(0, 0, rows);
      const at::Tensor selected = of_rows.of(size).narrow(0, rows, rows);
      const at::Tensor by_points = of_points.of(sums * size);
      EdgeConvGradient<T, Slot, Edge> gradient;
      gradient.grad = grad.const_data_ptr<T>() + first;
      gradient.slot = slots.const_data_ptr<Slot>() + first;
      gradient.grad_stride = gradient.slot_stride = channels;
      gradient.offsets = begins.template const_data_ptr<int64_t>();
      gradient.edges = places.template const_data_ptr<Edge>();
      gradient.grad_scale = gradients.scale.data_ptr<T>() + first;
      gradient.grad_shift = gradients.shift.data_ptr<T>() + first;
      gradient.grad_center = center.data_ptr<T>();
      gradient.by_selected = selected.data_ptr<T>();
      gradient.sums = by_points.data_ptr<T>();
      backward(products.graph<T, decltype(end)>(u.index), layer.from<T>(first), gradient);
      gradients.add(u, products, center, by_points.narrow(1, (sums - 1) * size, size));
    }
  };
  with_types(u.features, u.index,
             [&, wide = edges.scalar_type() == at::kLong](auto number, auto end, auto slot_number) {
               wide ? each_block(number, end, slot_number, int64_t{})
                    : each_block(number, end, slot_number, int32_t{});
             });
  return {gradients.features, gradients.centers, gradients.weight,
          gradients.bias,     gradients.scale,   gradients.shift};
}

}  // namespace hitgraph::edge_conv
