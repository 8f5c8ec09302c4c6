// From the arguments of hitgraph::condensate to the core's problem, for every device.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <string>
#include <tuple>

#include "core/condensate.h"
#include "ops/checks.h"

#define HITGRAPH_CONDENSATE_PARAMETERS                                                 \
  const at::Tensor &beta, const at::Tensor &coordinates, const at::Tensor &row_splits, \
      double beta_threshold, double distance_threshold, const OptionalTensor &radius,  \
      std::string assignment
#define HITGRAPH_CONDENSATE_VALUES \
  beta, coordinates, row_splits, beta_threshold, distance_threshold, radius, assignment

namespace hitgraph::condensate {

constexpr const char* kOp = "hitgraph::condensate";

using FourTensors = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor>;

// Checked, contiguous, beta and radius in the type of the coordinates.
struct Arguments {
  at::Tensor beta, coordinates, row_splits;
  OptionalTensor radius;
  double beta_threshold, distance_threshold;
  bool nearest;
};
Arguments checked(HITGRAPH_CONDENSATE_PARAMETERS);

template <typename T>
CondensateProblem<T> problem_of(const Arguments& a) {
  CondensateProblem<T> problem;
  problem.coordinates = a.coordinates.const_data_ptr<T>();
  problem.beta = a.beta.const_data_ptr<T>();
  problem.radius = a.radius ? a.radius->const_data_ptr<T>() : nullptr;
  problem.row_splits = a.row_splits.const_data_ptr<int64_t>();
  problem.hits = a.coordinates.size(0);
  problem.events = a.row_splits.size(0) - 1;
  problem.dim = a.coordinates.size(1);
  problem.beta_threshold = static_cast<T>(a.beta_threshold);
  problem.distance_threshold = static_cast<T>(a.distance_threshold);
  problem.nearest = a.nearest;
  return problem;
}

// Calls cluster(problem, label, point, point_splits, allocate).
template <typename Cluster>
FourTensors run(const Arguments& a, const Cluster& cluster) {
  const at::TensorOptions numbers = a.row_splits.options();
  const at::Tensor label = at::empty({a.beta.size(0)}, numbers);
  const at::Tensor point = at::empty({a.beta.size(0)}, numbers);
  const at::Tensor splits = at::empty({a.row_splits.size(0)}, numbers);
  at::Tensor points;
  const auto with_type = [&](auto number) {
    cluster(problem_of<decltype(number)>(a), label.data_ptr<int64_t>(), point.data_ptr<int64_t>(),
            splits.data_ptr<int64_t>(), [&](int64_t count) {
              points = at::empty({count}, numbers);
              return points.data_ptr<int64_t>();
            });
  };
  a.coordinates.scalar_type() == at::kDouble ? with_type(double{}) : with_type(float{});
  return {label, point, points, splits};
}

}  // namespace hitgraph::condensate
