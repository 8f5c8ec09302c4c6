#include "ops/edge_conv_problem.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <limits>

#include "core/search_problem.h"

namespace hitgraph::edge_conv {
namespace {

void check_like(const Arguments& a, const char* name, const OptionalTensor& tensor,
                at::IntArrayRef sizes) {
  if (!tensor) return;
  check_same_device(a.op, name, *tensor, a.features, "features");
  TORCH_CHECK_TYPE(tensor->scalar_type() == a.features.scalar_type(), a.op, ": expected ", name,
                   " to be ", name_of(a.features.scalar_type()), " like features, got ",
                   name_of(tensor->scalar_type()));
  TORCH_CHECK_VALUE(tensor->sizes() == sizes, a.op, ": expected ", name, " of shape ", sizes,
                    ", got ", tensor->sizes());
}

}  // namespace

void check(const Arguments& a) {
  const at::ScalarType type = a.features.scalar_type();
  TORCH_CHECK_TYPE(type == at::kFloat || type == at::kDouble, a.op,
                   ": expected features to be float32 or float64, got ", name_of(type));
  TORCH_CHECK_VALUE(a.features.dim() == 2, a.op, ": expected features to be 2-D (n, f), got ",
                    rank_of(a.features));
  TORCH_CHECK_VALUE(a.features.size(0) <= kMaxPoints, a.op, ": expected at most ", kMaxPoints,
                    " points, got ", a.features.size(0));
  check_same_device(a.op, "index", a.index, a.features, "features");
  check_index_dtype(a.op, "index", a.index);
  TORCH_CHECK_VALUE(a.index.dim() == 2 && a.index.size(1) >= 1, a.op,
                    ": expected index to be 2-D (m, k), k at least 1, got ", a.index.sizes());
  const int64_t rows = a.index.size(0), width = a.features.size(1);
  TORCH_CHECK_VALUE(a.centers || rows == a.features.size(0), a.op,
                    ": expected index to have a row for each of the ", a.features.size(0),
                    " points, got ", rows);
  check_like(a, "centers", a.centers, {rows, width});
  TORCH_CHECK_VALUE(a.weight.dim() == 2, a.op, ": expected weight to be 2-D (c, 2 f), got ",
                    rank_of(a.weight));
  const int64_t channels = a.weight.size(0);
  check_like(a, "weight", a.weight, {channels, 2 * width});
  check_like(a, "bias", a.bias, {channels});
  check_like(a, "scale", a.scale, {channels});
  check_like(a, "shift", a.shift, {channels});
  check_like(a, "mean", a.mean, {channels});
  check_like(a, "variance", a.variance, {channels});
  TORCH_CHECK_VALUE(a.mean.has_value() == a.variance.has_value(), a.op,
                    ": expected mean and variance together, got one of them");
  TORCH_CHECK_VALUE(a.scale || (!a.shift && !a.mean), a.op,
                    ": expected shift, mean and variance only together with scale");
  TORCH_CHECK_VALUE(a.eps >= 0 && std::isfinite(a.eps), a.op,
                    ": expected eps to be a number not below 0, got ", a.eps);
  TORCH_CHECK_VALUE(a.slope >= 0 && std::isfinite(a.slope), a.op,
                    ": expected slope to be a number not below 0, for the activation must not ",
                    "decrease, got ", a.slope);
  check_index_values(a.op, a.index, a.features.size(0));
}

Usable usable(const Arguments& a) {
  Usable u;
  u.features = a.features.contiguous();
  if (a.centers) u.centers = a.centers->contiguous();
  u.index = a.index.contiguous();
  const int64_t width = a.features.size(1), channels = a.weight.size(0);
  u.by_neighbour = a.weight.narrow(1, width, width);
  u.by_center = a.weight.narrow(1, 0, width) - u.by_neighbour;
  const auto given = [&](const OptionalTensor& tensor, bool one) {
    if (tensor) return tensor->contiguous();
    return one ? at::ones({channels}, a.features.options())
               : at::zeros({channels}, a.features.options());
  };
  u.bias = given(a.bias, false);
  u.scale = given(a.scale, true);
  u.shift = given(a.shift, false);
  return u;
}

}  // namespace hitgraph::edge_conv
