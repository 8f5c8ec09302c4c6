// The kernels of object condensation on the host (tests/cpp/host_cuda), on a case of
// condensation_case.h.
#pragma once

#include "condensation_case.h"
#include "host_device.h"
// After the vocabulary.
#include "core/cuda/condensation_launches.h"

namespace hitgraph::testing {

// As condensation_objects returns them.
struct ObjectNumbers {
  std::vector<int32_t> object, order;
  std::vector<int64_t> offsets, object_splits, points;
};

template <typename T>
ObjectNumbers number_on_host(const LabelledHits<T>& given, uint64_t seed = 1) {
  host_cuda::set_options({seed});
  HostDevice device;
  const auto copy = [&](const char* name, const auto* values, int64_t count) {
    using Number = std::decay_t<decltype(*values)>;
    return device.array<Number>(name, std::vector<Number>(values, values + count));
  };
  host_cuda::Buffer<int32_t> object("object", given.hits), places("order", given.hits);
  host_cuda::Buffer<int64_t> object_splits("object_splits", given.events + 1);
  LabelledOrder<T> order{};
  order.labels = copy("labels", given.labels, given.hits);
  order.beta = copy("beta", given.beta, given.hits);
  order.noise_label = given.noise_label;
  order.object = object.view();
  order.object_splits = object_splits.view();
  launch_object_count(device, order,
                      Global<const int64_t>(copy("row_splits", given.row_splits, given.events + 1)),
                      given.hits, given.events, places.view());
  const int64_t objects = object_splits.values().back();
  host_cuda::Buffer<int64_t> offsets("offsets", objects + 1), points("points", objects);
  order.offsets = offsets.view();
  order.points = points.view();
  launch_objects(device, order, objects);
  // values() reports an element that no kernel wrote.
  return {object.values(), places.values(), offsets.values(), object_splits.values(),
          points.values()};
}

template <typename T>
CondensationPairs<T> pairs_on(HostDevice& device, const CondensationCase<T>& given) {
  CondensationPairs<T> pairs{};
  pairs.coordinates = device.array<T>("coordinates", given.coordinates);
  pairs.weights = device.array<T>("weights", given.weights);
  pairs.centres = device.array<T>("centres", given.centres);
  pairs.factors = device.array<T>("factors", given.factors);
  pairs.object = device.array<int32_t>("object", given.object);
  pairs.row_splits = device.array<int64_t>("row_splits", given.row_splits);
  pairs.object_splits = device.array<int64_t>("object_splits", given.object_splits);
  pairs.hits = static_cast<int64_t>(given.weights.size());
  pairs.objects = static_cast<int64_t>(given.factors.size());
  pairs.events = static_cast<int64_t>(given.row_splits.size()) - 1;
  pairs.dim = static_cast<int>(given.spec.dim);
  pairs.attraction = given.spec.attraction;
  pairs.repulsion = given.spec.repulsion;
  pairs.epsilon = static_cast<T>(given.spec.epsilon);
  return pairs;
}

template <typename T>
CondensationOutput<T> condense_on_host(const CondensationCase<T>& given, uint64_t seed = 1) {
  host_cuda::set_options({seed});
  HostDevice device;
  CondensationPairs<T> pairs = pairs_on(device, given);
  const int64_t hits = pairs.hits, objects = pairs.objects, dim = pairs.dim;
  host_cuda::Buffer<T> attraction("attraction", objects), repulsion("repulsion", objects);
  launch_condensation_potential(device, pairs, attraction.view(), repulsion.view());
  pairs.grad_attraction = device.array<T>("grad_attraction", given.grad_attraction);
  pairs.grad_repulsion = device.array<T>("grad_repulsion", given.grad_repulsion);
  host_cuda::Buffer<T> coordinates("grad_coordinates", hits * dim), weights("grad_weights", hits);
  host_cuda::Buffer<T> centres("grad_centres", objects * dim), factors("grad_factors", objects);
  HitGradients<T> gradients{};
  gradients.coordinates = coordinates.view();
  gradients.weights = weights.view();
  launch_condensation_backward(device, pairs, gradients, centres.view(), factors.view());
  return {attraction.values(), repulsion.values(), coordinates.values(),
          weights.values(),    centres.values(),   factors.values()};
}

}  // namespace hitgraph::testing
