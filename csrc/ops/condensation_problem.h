// From the arguments of hitgraph::condensation_objects, hitgraph::condensation_potential and its
// gradient to the core's problems, for every device.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <string>
#include <tuple>

#include "core/condensation.h"
#include "ops/checks.h"

#define HITGRAPH_CONDENSATION_PARAMETERS                                                        \
  const at::Tensor &coordinates, const at::Tensor &weight, const at::Tensor &centres,           \
      const at::Tensor &factor, const at::Tensor &object, const at::Tensor &order,              \
      const at::Tensor &offsets, const at::Tensor &row_splits, const at::Tensor &object_splits, \
      std::string attraction, std::string repulsion, double epsilon
#define HITGRAPH_CONDENSATION_VALUES                                                       \
  coordinates, weight, centres, factor, object, order, offsets, row_splits, object_splits, \
      std::move(attraction), std::move(repulsion), epsilon

namespace hitgraph::condensation {

constexpr const char* kObjectsOp = "hitgraph::condensation_objects";
constexpr const char* kPotentialOp = "hitgraph::condensation_potential";
constexpr const char* kBackwardOp = "hitgraph::condensation_potential_backward";

using TwoTensors = std::tuple<at::Tensor, at::Tensor>;
using FourTensors = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor>;
using FiveTensors = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor>;

// Labelled hits, checked: beta float32 or float64, the others int64, all contiguous.
struct Labelled {
  at::Tensor beta, labels, row_splits;
};
Labelled checked_labels(const at::Tensor& beta, const at::Tensor& labels,
                        const at::Tensor& row_splits);

template <typename T>
LabelledHits<T> labelled_hits(const Labelled& given, int64_t noise_label) {
  LabelledHits<T> hits;
  hits.labels = given.labels.const_data_ptr<int64_t>();
  hits.beta = given.beta.const_data_ptr<T>();
  hits.row_splits = given.row_splits.const_data_ptr<int64_t>();
  hits.hits = given.beta.size(0);
  hits.events = given.row_splits.size(0) - 1;
  hits.noise_label = noise_label;
  return hits;
}

// The arguments of the potential, checked and contiguous.
struct Arguments {
  const char* op;
  at::Tensor coordinates, weight, centres, factor, object, order, offsets, row_splits,
      object_splits;
  Attraction attraction;
  Repulsion repulsion;
  double epsilon;
};
Arguments checked(const char* op, HITGRAPH_CONDENSATION_PARAMETERS);

// A gradient by the sums of every object, contiguous, in the type of the coordinates.
at::Tensor usable_gradient(const char* name, const at::Tensor& grad, const Arguments& arguments);

template <typename T>
CondensationProblem<T> problem_of(const Arguments& a) {
  CondensationProblem<T> problem;
  problem.coordinates = a.coordinates.const_data_ptr<T>();
  problem.weights = a.weight.const_data_ptr<T>();
  problem.centres = a.centres.const_data_ptr<T>();
  problem.factors = a.factor.const_data_ptr<T>();
  problem.object = a.object.const_data_ptr<int32_t>();
  problem.order = a.order.const_data_ptr<int32_t>();
  problem.offsets = a.offsets.const_data_ptr<int64_t>();
  problem.row_splits = a.row_splits.const_data_ptr<int64_t>();
  problem.object_splits = a.object_splits.const_data_ptr<int64_t>();
  problem.hits = a.coordinates.size(0);
  problem.objects = a.factor.size(0);
  problem.events = a.row_splits.size(0) - 1;
  problem.dim = a.coordinates.size(1);
  problem.attraction = a.attraction;
  problem.repulsion = a.repulsion;
  problem.epsilon = static_cast<T>(a.epsilon);
  return problem;
}

// Calls body(T()) with the type of the coordinates.
template <typename Body>
void with_type(const at::Tensor& coordinates, const Body& body) {
  coordinates.scalar_type() == at::kDouble ? body(double{}) : body(float{});
}

// Calls number(hits, object, order, object_splits, allocate) and returns what it has written.
template <typename Number>
FiveTensors run_objects(const Labelled& given, int64_t noise_label, const Number& number) {
  const at::TensorOptions numbers = given.labels.options();
  const int64_t hits = given.beta.size(0);
  const at::Tensor object = at::empty({hits}, numbers.dtype(at::kInt));
  const at::Tensor order = at::empty({hits}, numbers.dtype(at::kInt));
  const at::Tensor splits = at::empty({given.row_splits.size(0)}, numbers);
  at::Tensor offsets, points;
  with_type(given.beta, [&](auto type) {
    number(labelled_hits<decltype(type)>(given, noise_label), object.data_ptr<int32_t>(),
           order.data_ptr<int32_t>(), splits.data_ptr<int64_t>(), [&](int64_t count) {
             offsets = at::empty({count + 1}, numbers);
             points = at::empty({count}, numbers);
             return CondensationObjects{offsets.data_ptr<int64_t>(), points.data_ptr<int64_t>()};
           });
  });
  return {object, order, offsets, splits, points};
}

// Calls sum(problem, attraction, repulsion) and returns what it has written.
template <typename Sum>
TwoTensors run(const Arguments& a, const Sum& sum) {
  const at::Tensor attraction = at::empty_like(a.factor), repulsion = at::empty_like(a.factor);
  with_type(a.coordinates, [&](auto number) {
    using T = decltype(number);
    sum(problem_of<T>(a), attraction.data_ptr<T>(), repulsion.data_ptr<T>());
  });
  return {attraction, repulsion};
}

// Calls differentiate(problem, gradient) and returns the gradients by coordinates, weight, centres
// and factor.
template <typename Differentiate>
FourTensors run_backward(const Arguments& a, const at::Tensor& grad_attraction,
                         const at::Tensor& grad_repulsion, const Differentiate& differentiate) {
  const at::Tensor by_attraction = usable_gradient("grad_attraction", grad_attraction, a);
  const at::Tensor by_repulsion = usable_gradient("grad_repulsion", grad_repulsion, a);
  const at::Tensor coordinates = at::empty_like(a.coordinates), weight = at::empty_like(a.weight);
  const at::Tensor centres = at::empty_like(a.centres), factor = at::empty_like(a.factor);
  with_type(a.coordinates, [&](auto number) {
    using T = decltype(number);
    CondensationGradient<T> gradient;
    gradient.attraction = by_attraction.const_data_ptr<T>();
    gradient.repulsion = by_repulsion.const_data_ptr<T>();
    gradient.coordinates = coordinates.data_ptr<T>();
    gradient.weights = weight.data_ptr<T>();
    gradient.centres = centres.data_ptr<T>();
    gradient.factors = factor.data_ptr<T>();
    differentiate(problem_of<T>(a), gradient);
  });
  return {coordinates, weight, centres, factor};
}

}  // namespace hitgraph::condensation
