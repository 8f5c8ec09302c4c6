// The arguments of hitgraph::edge_conv_max and its gradient, checked, for every device.
#pragma once

#include <ATen/core/Tensor.h>

#include <tuple>

#include "ops/checks.h"

namespace hitgraph::edge_conv {

constexpr const char* kOp = "hitgraph::edge_conv_max";
constexpr const char* kBackwardOp = "hitgraph::edge_conv_max_backward";

struct Arguments {
  const char* op;
  at::Tensor features, index, weight;
  OptionalTensor bias, scale, shift, mean, variance;
  double eps, slope;
  OptionalTensor centers;
};

// Shapes, types, devices, and the values of index where values are checked.
void check(const Arguments& arguments);

// Contiguous; the weight's halves as they multiply the centers and the neighbours.
struct Usable {
  at::Tensor features, centers, index;  // centers undefined: the points themselves
  at::Tensor by_center, by_neighbour;   // (channels, features)
  at::Tensor bias, scale, shift;        // (channels), with defaults
};
Usable usable(const Arguments& arguments);

}  // namespace hitgraph::edge_conv
