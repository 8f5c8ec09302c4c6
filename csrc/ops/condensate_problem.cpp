#include "ops/condensate_problem.h"

#include <cmath>

#include "ops/hit_checks.h"

namespace hitgraph::condensate {
namespace {

void check_metadata(const at::Tensor& beta, const at::Tensor& coordinates, double beta_threshold,
                    double distance_threshold, const OptionalTensor& radius,
                    const std::string& assignment) {
  check_hit_coordinates(kOp, coordinates);
  check_number(kOp, "beta", beta);
  check_same_device(kOp, "beta", beta, coordinates, "coordinates");
  check_length(kOp, "beta", beta, coordinates.size(0), "hits");
  TORCH_CHECK_VALUE(beta_threshold >= 0 && beta_threshold <= 1, kOp,
                    ": expected beta_threshold between 0 and 1, got ", beta_threshold);
  TORCH_CHECK_VALUE(distance_threshold >= 0 && std::isfinite(distance_threshold), kOp,
                    ": expected distance_threshold to be a number not below 0, got ",
                    distance_threshold);
  TORCH_CHECK_VALUE(assignment == "first" || assignment == "nearest", kOp,
                    ": expected assignment to be 'first' or 'nearest', got '", assignment, "'");
  if (!radius) return;
  check_number(kOp, "radius", *radius);
  check_same_device(kOp, "radius", *radius, coordinates, "coordinates");
  check_length(kOp, "radius", *radius, coordinates.size(0), "hits");
}

}  // namespace

Arguments checked(HITGRAPH_CONDENSATE_PARAMETERS) {
  check_metadata(beta, coordinates, beta_threshold, distance_threshold, radius, assignment);
  Arguments a;
  const at::ScalarType type = coordinates.scalar_type();
  a.coordinates = coordinates.contiguous();
  a.beta = beta.to(type).contiguous();
  a.row_splits = checked_row_splits(kOp, "row_splits", row_splits, coordinates, "coordinates");
  if (radius) a.radius = radius->to(type).contiguous();
  a.beta_threshold = beta_threshold;
  a.distance_threshold = distance_threshold;
  a.nearest = assignment == "nearest";
  check_beta_values(kOp, a.beta);
  check_finite(kOp, "coordinates", a.coordinates);
  if (a.radius && checks_values_of(*a.radius)) {
    check_finite(kOp, "radius", *a.radius);
    TORCH_CHECK_VALUE(a.radius->numel() == 0 || a.radius->min().item<double>() >= 0, kOp,
                      ": expected radius not below 0, got others");
  }
  return a;
}

}  // namespace hitgraph::condensate
