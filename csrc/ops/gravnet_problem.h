// From the arguments of hitgraph::gravnet_aggregate and its gradient to the core's problems and
// back, for every device.
#pragma once

#include <ATen/core/Tensor.h>

#include <cmath>
#include <tuple>

#include "core/gravnet.h"
#include "ops/checks.h"
#include "ops/results.h"
#include "ops/transpose_problem.h"

namespace hitgraph::gravnet {

constexpr const char* kOp = "hitgraph::gravnet_aggregate";
constexpr const char* kBackwardOp = "hitgraph::gravnet_aggregate_backward";
constexpr int64_t kMostNarrowSlots = 255;

// The arguments that the operator and its gradient share.
struct Arguments {
  const char* op;
  at::Tensor features, index, values;
  std::optional<double> scale;
  std::string divisor;
  OptionalTensor order;
};

using ThreeTensors = std::tuple<at::Tensor, at::Tensor, at::Tensor>;
using TwoTensors = std::tuple<at::Tensor, at::Tensor>;

void check(const Arguments& arguments);
bool missing_is_zero(const std::string& missing);

// Both the type in which products and sums are made: the wider of the two, at least float32.
at::ScalarType wide_type(const Arguments& arguments);
at::ScalarType slot_type(int64_t k);

// The gradient's own arguments, checked and in the wide type; undefined if there are none.
at::Tensor usable_gradient(const char* name, const OptionalTensor& grad,
                           const Arguments& arguments);
at::Tensor usable_slot(const at::Tensor& slot, bool maximum, const Arguments& arguments);

template <typename T>
const T* data_or_null(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.const_data_ptr<T>() : nullptr;
}

template <typename T, typename Index>
GravnetGraph<T, Index> graph_of(const Arguments& a) {
  GravnetGraph<T, Index> graph;
  graph.features = a.features.const_data_ptr<T>();
  graph.index = a.index.const_data_ptr<Index>();
  graph.values = a.values.const_data_ptr<T>();
  graph.weighting = a.scale ? Weighting<T>::exponential_of(*a.scale) : Weighting<T>::as_given();
  graph.rows = a.index.size(0);
  graph.k = a.index.size(1);
  graph.points = a.features.size(0);
  graph.channels = a.features.size(1);
  graph.divisor = a.divisor == "k"       ? Divisor::kSlots
                  : a.divisor == "count" ? Divisor::kPresent
                                         : Divisor::kOne;
  graph.order = a.order ? transpose::order_or_null(*a.order) : nullptr;
  return graph;
}

// Contiguous, in the wide type.
inline Arguments usable(Arguments a) {
  const at::ScalarType type = wide_type(a);
  a.features = a.features.to(type).contiguous();
  a.values = a.values.to(type).contiguous();
  a.index = a.index.contiguous();
  if (a.order) a.order = transpose::given_order(a.op, a.index, a.features.size(0), a.order);
  return a;
}

// Calls body(T, Index, Slot) with values of the types that the arguments ask for.
template <typename Body>
void with_types(const Arguments& a, const Body& body) {
  const auto with_slot = [&](auto number, auto index) {
    slot_type(a.index.size(1)) == at::kByte ? body(number, index, uint8_t{})
                                            : body(number, index, int32_t{});
  };
  const auto with_index = [&](auto number) {
    a.index.scalar_type() == at::kInt ? with_slot(number, int32_t{}) : with_slot(number, int64_t{});
  };
  a.features.scalar_type() == at::kDouble ? with_index(double{}) : with_index(float{});
}

// Allocates the results and calls aggregate(graph, missing_is_zero, result).
template <typename Aggregate>
ThreeTensors run(const Arguments& given, bool total, bool maximum, const std::string& missing,
                 const Aggregate& aggregate) {
  check(given);
  const bool zero = missing_is_zero(missing);
  TORCH_CHECK_VALUE(total || maximum, kOp, ": expected total or maximum, got neither");
  check_index_values(kOp, given.index, given.features.size(0));
  const Arguments a = usable(given);
  const auto result_of = [&](bool wanted, at::ScalarType type) {
    const at::TensorOptions options = a.features.options().dtype(type);
    return wanted ? new_result({a.index.size(0), a.features.size(1)}, options)
                  : new_result({0}, options);
  };
  const at::ScalarType type = a.features.scalar_type();
  const at::Tensor totals = result_of(total, type), maxima = result_of(maximum, type);
  const at::Tensor slots = result_of(maximum, slot_type(a.index.size(1)));
  with_types(a, [&](auto number, auto index, auto slot) {
    using T = decltype(number);
    using Slot = decltype(slot);
    GravnetResult<T, Slot> result;
    if (total) result.total = totals.data_ptr<T>();
    if (maximum) result.maximum = maxima.data_ptr<T>();
    if (maximum) result.slot = slots.data_ptr<Slot>();
    aggregate(graph_of<T, decltype(index)>(a), zero, result);
  });
  const at::ScalarType out = given.features.scalar_type();
  return {totals.to(out), maxima.to(out), slots};
}

// Allocates the results and calls backward(graph, gradient).
template <typename Backward>
TwoTensors run_backward(const Arguments& given, const OptionalTensor& grad_total,
                        const OptionalTensor& grad_maximum, const at::Tensor& slot,
                        bool by_features, bool by_values, const OptionalTensor& given_offsets,
                        const OptionalTensor& given_edges, const Backward& backward) {
  check(given);
  check_index_values(kBackwardOp, given.index, given.features.size(0));
  Arguments a = usable(given);
  const at::Tensor total = usable_gradient("grad_total", grad_total, a);
  const at::Tensor maximum = usable_gradient("grad_maximum", grad_maximum, a);
  const at::Tensor slots = usable_slot(slot, maximum.defined(), a);
  at::Tensor offsets, edges;
  // Along it the CPU makes both gradients in one pass; other devices make that of the values by
  // rows.
  if (by_features || a.features.is_cpu()) {
    std::tie(offsets, edges, a.order) = transpose::given_or_new(
        kBackwardOp, a.index, a.features.size(0), given_offsets, given_edges, a.order);
  }
  const auto result_like = [](bool wanted, const at::Tensor& input) {
    return wanted ? new_result(input.sizes(), input.options()) : new_result({0}, input.options());
  };
  const at::Tensor grad_features = result_like(by_features, a.features);
  const at::Tensor grad_values = result_like(by_values, a.values);
  with_types(a, [&](auto number, auto index, auto slot_number) {
    using T = decltype(number);
    using Slot = decltype(slot_number);
    const auto with_edge = [&](auto edge) {
      using Edge = decltype(edge);
      GravnetGradient<T, Slot, Edge> gradient;
      gradient.grad_total = data_or_null<T>(total);
      gradient.grad_maximum = data_or_null<T>(maximum);
      if (total.defined()) gradient.total_stride = total.stride(0);
      if (maximum.defined()) gradient.maximum_stride = maximum.stride(0);
      gradient.slot = data_or_null<Slot>(slots);
      gradient.offsets = data_or_null<int64_t>(offsets);
      gradient.edges = data_or_null<Edge>(edges);
      if (by_features) gradient.grad_features = grad_features.data_ptr<T>();
      if (by_values) gradient.grad_values = grad_values.data_ptr<T>();
      backward(graph_of<T, decltype(index)>(a), gradient);
    };
    const bool wide = edges.defined() && edges.scalar_type() == at::kLong;
    wide ? with_edge(int64_t{}) : with_edge(int32_t{});
  });
  return {grad_features.to(given.features.scalar_type()),
          grad_values.to(given.values.scalar_type())};
}

}  // namespace hitgraph::gravnet
