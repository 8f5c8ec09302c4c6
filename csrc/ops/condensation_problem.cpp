#include "ops/condensation_problem.h"

#include "ops/hit_checks.h"

namespace hitgraph::condensation {
namespace {

void check_int32(const char* op, const char* name, const at::Tensor& tensor) {
  TORCH_CHECK_TYPE(tensor.scalar_type() == at::kInt, op, ": expected ", name, " to be int32, got ",
                   name_of(tensor.scalar_type()));
}

// That the order of the hits, read as condensation.h says, stays within its memory.
void check_order_values(const Arguments& a) {
  const at::Tensor order = a.order.cpu(), offsets = a.offsets.cpu();
  const at::Tensor rows = a.row_splits.cpu(), objects = a.object_splits.cpu();
  const int64_t hits = order.size(0), last = offsets.size(0) - 1;
  const int64_t* offset = offsets.const_data_ptr<int64_t>();
  bool good = all_within(order.const_data_ptr<int32_t>(), hits, 0, hits) && offset[0] == 0;
  for (int64_t k = 0; k < last; ++k) good = good && offset[k] <= offset[k + 1];
  const int64_t *row = rows.const_data_ptr<int64_t>(), *split = objects.const_data_ptr<int64_t>();
  for (int64_t e = 0; good && e + 1 < rows.size(0); ++e) {
    good = offset[split[e + 1]] - offset[split[e]] <= row[e + 1] - row[e];
  }
  TORCH_CHECK_VALUE(good, a.op, ": expected order and offsets of ", kObjectsOp,
                    " for these hits, got others");
}

template <typename Kind>
Kind kind_of(const char* op, const char* name, const std::string& given, const char* first,
             const char* second) {
  TORCH_CHECK_VALUE(given == first || given == second, op, ": expected ", name, " to be '", first,
                    "' or '", second, "', got '", given, "'");
  return static_cast<Kind>(given == second);
}

void check_shapes(const Arguments& a) {
  const at::Tensor& x = a.coordinates;
  check_hit_coordinates(a.op, x);
  for (const auto& [name, tensor] : {std::pair<const char*, const at::Tensor&>("weight", a.weight),
                                     {"centres", a.centres},
                                     {"factor", a.factor}}) {
    check_same_device(a.op, name, tensor, x, "coordinates");
    TORCH_CHECK_TYPE(tensor.scalar_type() == x.scalar_type(), a.op, ": expected ", name, " to be ",
                     name_of(x.scalar_type()), " like coordinates, got ",
                     name_of(tensor.scalar_type()));
  }
  check_length(a.op, "weight", a.weight, x.size(0), "hits");
  TORCH_CHECK_VALUE(a.factor.dim() == 1, a.op, ": expected factor to be 1-D (objects), got ",
                    rank_of(a.factor));
  const int64_t objects = a.factor.size(0);
  TORCH_CHECK_VALUE(
      a.centres.dim() == 2 && a.centres.size(0) == objects && a.centres.size(1) == x.size(1), a.op,
      ": expected centres of shape (", objects, ", ", x.size(1), "), got ", a.centres.sizes());
  for (const auto& [name, tensor] :
       {std::pair<const char*, const at::Tensor&>("object", a.object), {"order", a.order}}) {
    check_same_device(a.op, name, tensor, x, "coordinates");
    check_int32(a.op, name, tensor);
    check_length(a.op, name, tensor, x.size(0), "hits");
  }
  check_same_device(a.op, "offsets", a.offsets, x, "coordinates");
  check_length(a.op, "offsets", a.offsets, objects + 1, "objects and the end");
  TORCH_CHECK_TYPE(a.offsets.scalar_type() == at::kLong, a.op, ": expected offsets to be int64, ",
                   "got ", name_of(a.offsets.scalar_type()));
}

}  // namespace

Labelled checked_labels(const at::Tensor& beta, const at::Tensor& labels,
                        const at::Tensor& row_splits) {
  check_number(kObjectsOp, "beta", beta);
  TORCH_CHECK_VALUE(beta.dim() == 1, kObjectsOp, ": expected beta to be 1-D (n), got ",
                    rank_of(beta));
  check_hit_count(kObjectsOp, beta);
  check_same_device(kObjectsOp, "labels", labels, beta, "beta");
  check_index_dtype(kObjectsOp, "labels", labels);
  check_length(kObjectsOp, "labels", labels, beta.size(0), "hits");
  Labelled given{beta.contiguous(), labels.to(at::kLong).contiguous(),
                 checked_row_splits(kObjectsOp, "row_splits", row_splits, beta, "beta")};
  check_beta_values(kObjectsOp, given.beta);
  return given;
}

Arguments checked(const char* op, HITGRAPH_CONDENSATION_PARAMETERS) {
  Arguments a{op,
              coordinates.contiguous(),
              weight.contiguous(),
              centres.contiguous(),
              factor.contiguous(),
              object.contiguous(),
              order.contiguous(),
              offsets.contiguous(),
              row_splits,
              object_splits,
              kind_of<Attraction>(op, "attraction", attraction, "quadratic", "logarithmic"),
              kind_of<Repulsion>(op, "repulsion", repulsion, "hinge", "exponential"),
              epsilon};
  TORCH_CHECK_VALUE(epsilon >= 0 && epsilon < 1, op,
                    ": expected epsilon of at least 0 and below 1, got ", epsilon);
  check_shapes(a);
  a.row_splits = checked_row_splits(op, "row_splits", row_splits, a.coordinates, "coordinates");
  a.object_splits = checked_row_splits(op, "object_splits", object_splits, a.factor, "factor");
  TORCH_CHECK_VALUE(a.row_splits.sizes() == a.object_splits.sizes(), op,
                    ": expected object_splits of as many events as row_splits, ",
                    a.row_splits.size(0) - 1, ", got ", a.object_splits.size(0) - 1);
  check_finite(op, "coordinates", a.coordinates);
  if (checks_values_of(a.order)) check_order_values(a);
  return a;
}

at::Tensor usable_gradient(const char* name, const at::Tensor& grad, const Arguments& a) {
  check_same_device(a.op, name, grad, a.coordinates, "coordinates");
  check_length(a.op, name, grad, a.factor.size(0), "objects");
  return grad.to(a.coordinates.scalar_type()).contiguous();
}

}  // namespace hitgraph::condensation
