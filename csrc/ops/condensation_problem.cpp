#include "ops/condensation_problem.h"

namespace hitgraph::condensation {
namespace {

void check_number(const char* op, const char* name, const at::Tensor& tensor) {
  const at::ScalarType type = tensor.scalar_type();
  TORCH_CHECK_TYPE(type == at::kFloat || type == at::kDouble, op, ": expected ", name,
                   " to be float32 or float64, got ", name_of(type));
}

void check_hits(const char* op, const at::Tensor& hits) {
  const int64_t most = hits.is_cuda() ? kMaxCudaPoints : kMaxPoints;
  TORCH_CHECK_VALUE(hits.size(0) <= most, op, ": expected at most ", most, " hits, got ",
                    hits.size(0));
}

// `name` is 1-D with one element for each of `rows`, which `of` names.
void check_length(const char* op, const char* name, const at::Tensor& tensor, int64_t rows,
                  const char* of) {
  TORCH_CHECK_VALUE(tensor.dim() == 1 && tensor.size(0) == rows, op, ": expected ", name,
                    " of shape (", rows, "), one for each of the ", of, ", got ", tensor.sizes());
}

template <typename T>
bool all_between_zero_and_one(const at::Tensor& beta) {
  const T* values = beta.const_data_ptr<T>();
  bool all = true;
  for (int64_t i = 0; i < beta.numel(); ++i) all &= values[i] >= 0 && values[i] <= 1;
  return all;
}

void check_beta_values(const char* op, const at::Tensor& beta) {
  if (!checks_values_of(beta)) return;
  const at::Tensor there = beta.cpu().contiguous();
  const bool all = there.scalar_type() == at::kDouble ? all_between_zero_and_one<double>(there)
                                                      : all_between_zero_and_one<float>(there);
  TORCH_CHECK_VALUE(all, op, ": expected beta between 0 and 1, got other numbers");
}

template <typename T>
bool all_finite(const at::Tensor& tensor) {
  const T* values = tensor.const_data_ptr<T>();
  T sum = 0;  // of zeros, or NaN
  for (int64_t i = 0; i < tensor.numel(); ++i) sum += values[i] - values[i];
  return sum == 0;
}

void check_finite(const char* op, const char* name, const at::Tensor& tensor) {
  if (!checks_values_of(tensor)) return;
  const at::Tensor there = tensor.cpu();
  const bool all =
      there.scalar_type() == at::kDouble ? all_finite<double>(there) : all_finite<float>(there);
  TORCH_CHECK_VALUE(all, op, ": expected ", name, " to be finite, got infinities or NaN");
}

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
  check_number(a.op, "coordinates", x);
  TORCH_CHECK_VALUE(x.dim() == 2 && x.size(1) >= 1, a.op,
                    ": expected coordinates to be 2-D (n, d) with d of at least 1, got ",
                    x.sizes());
  check_hits(a.op, x);
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
  check_hits(kObjectsOp, beta);
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
