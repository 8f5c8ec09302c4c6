#include "ops/gravnet_problem.h"

#include <cmath>
#include <limits>

namespace hitgraph::gravnet {

void check(const Arguments& a) {
  const at::Tensor &features = a.features, &index = a.index, &values = a.values;
  TORCH_CHECK_TYPE(features.is_floating_point(), a.op,
                   ": expected features to be floating point, got ",
                   name_of(features.scalar_type()));
  TORCH_CHECK_VALUE(features.dim() == 2, a.op, ": expected features to be 2-D (n, f), got ",
                    rank_of(features));
  TORCH_CHECK_VALUE(features.size(0) <= kMaxPoints, a.op, ": expected at most ", kMaxPoints,
                    " points, got ", features.size(0));
  check_index_dtype(a.op, "index", index);
  TORCH_CHECK_VALUE(index.dim() == 2, a.op, ": expected index to be 2-D (m, k), got ",
                    rank_of(index));
  TORCH_CHECK_VALUE(index.size(1) >= 1 && index.size(1) <= std::numeric_limits<int32_t>::max(),
                    a.op, ": expected index to be (m, k) with k of at least 1, got ",
                    index.sizes());
  const char* name = a.scale ? "distance2" : "weight";
  TORCH_CHECK_TYPE(values.is_floating_point(), a.op, ": expected ", name,
                   " to be floating point, got ", name_of(values.scalar_type()));
  TORCH_CHECK_VALUE(values.sizes() == index.sizes(), a.op, ": expected ", name,
                    " to have the shape of index, ", index.sizes(), ", got ", values.sizes());
  check_same_device(a.op, "index", index, features, "features");
  check_same_device(a.op, name, values, features, "features");
  const bool narrow = wide_type(a) == at::kFloat;
  const double most =
      narrow ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
  TORCH_CHECK_VALUE(!a.scale || std::abs(*a.scale) <= most, a.op,
                    ": expected scale to be finite, got ", a.scale.value_or(0));
  TORCH_CHECK_VALUE(a.divisor == "k" || a.divisor == "count" || a.divisor == "one", a.op,
                    ": expected divisor to be 'k', 'count' or 'one', got '", a.divisor, "'");
}

bool missing_is_zero(const std::string& missing) {
  TORCH_CHECK_VALUE(missing == "skip" || missing == "zero", kOp,
                    ": expected missing to be 'skip' or 'zero', got '", missing, "'");
  return missing == "zero";
}

at::ScalarType wide_type(const Arguments& a) {
  const bool wide =
      a.features.scalar_type() == at::kDouble || a.values.scalar_type() == at::kDouble;
  return wide ? at::kDouble : at::kFloat;
}

at::ScalarType slot_type(int64_t k) { return k <= kMostNarrowSlots ? at::kByte : at::kInt; }

at::Tensor usable_gradient(const char* name, const OptionalTensor& grad, const Arguments& a) {
  if (!grad) return {};
  check_same_device(a.op, name, *grad, a.features, "features");
  TORCH_CHECK_TYPE(grad->is_floating_point(), a.op, ": expected ", name,
                   " to be floating point, got ", name_of(grad->scalar_type()));
  TORCH_CHECK_VALUE(
      grad->dim() == 2 && grad->size(0) == a.index.size(0) && grad->size(1) == a.features.size(1),
      a.op, ": expected ", name, " of shape (", a.index.size(0), ", ", a.features.size(1),
      "), got ", grad->sizes());
  const at::Tensor wide = grad->to(a.features.scalar_type());
  // A part of a wider gradient, of a concatenation say, is read where it lies.
  const bool rows_lie_apart = wide.stride(1) == 1 && wide.stride(0) >= wide.size(1);
  return rows_lie_apart ? wide : wide.contiguous();
}

at::Tensor usable_slot(const at::Tensor& slot, bool maximum, const Arguments& a) {
  if (!maximum) return {};
  check_same_device(a.op, "slot", slot, a.features, "features");
  const at::ScalarType type = slot_type(a.index.size(1));
  TORCH_CHECK_TYPE(slot.scalar_type() == type, a.op, ": expected slot to be ", name_of(type),
                   ", got ", name_of(slot.scalar_type()));
  TORCH_CHECK_VALUE(
      slot.dim() == 2 && slot.size(0) == a.index.size(0) && slot.size(1) == a.features.size(1),
      a.op, ": expected slot of shape (", a.index.size(0), ", ", a.features.size(1), "), got ",
      slot.sizes());
  const at::Tensor slots = slot.contiguous();
  if (checks_values_of(slots)) {
    const at::Tensor there = slots.cpu();
    const int64_t past = a.index.size(1);
    const bool all = type == at::kByte
                         ? all_within(there.const_data_ptr<uint8_t>(), there.numel(), -1, past)
                         : all_within(there.const_data_ptr<int32_t>(), there.numel(), -1, past);
    TORCH_CHECK_VALUE(all, a.op, ": expected slot below ", past, ", or none, got others");
  }
  return slots;
}

}  // namespace hitgraph::gravnet
