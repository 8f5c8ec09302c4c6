#include "ops/hit_checks.h"

namespace hitgraph {
namespace {

template <typename T>
bool all_between_zero_and_one(const at::Tensor& beta) {
  const T* values = beta.const_data_ptr<T>();
  bool all = true;
  for (int64_t i = 0; i < beta.numel(); ++i) all &= values[i] >= 0 && values[i] <= 1;
  return all;
}

template <typename T>
bool all_finite(const at::Tensor& tensor) {
  const T* values = tensor.const_data_ptr<T>();
  T sum = 0;  // of zeros, or NaN
  for (int64_t i = 0; i < tensor.numel(); ++i) sum += values[i] - values[i];
  return sum == 0;
}

}  // namespace

void check_number(const char* op, const char* name, const at::Tensor& tensor) {
  const at::ScalarType type = tensor.scalar_type();
  TORCH_CHECK_TYPE(type == at::kFloat || type == at::kDouble, op, ": expected ", name,
                   " to be float32 or float64, got ", name_of(type));
}

void check_hit_coordinates(const char* op, const at::Tensor& coordinates) {
  check_number(op, "coordinates", coordinates);
  TORCH_CHECK_VALUE(coordinates.dim() == 2 && coordinates.size(1) >= 1, op,
                    ": expected coordinates to be 2-D (n, d) with d of at least 1, got ",
                    coordinates.sizes());
  check_hit_count(op, coordinates);
}

void check_hit_count(const char* op, const at::Tensor& hits) {
  const int64_t most = hits.is_cuda() ? kMaxCudaPoints : kMaxPoints;
  TORCH_CHECK_VALUE(hits.size(0) <= most, op, ": expected at most ", most, " hits, got ",
                    hits.size(0));
}

void check_length(const char* op, const char* name, const at::Tensor& tensor, int64_t rows,
                  const char* of) {
  TORCH_CHECK_VALUE(tensor.dim() == 1 && tensor.size(0) == rows, op, ": expected ", name,
                    " of shape (", rows, "), one for each of the ", of, ", got ", tensor.sizes());
}

void check_beta_values(const char* op, const at::Tensor& beta) {
  if (!checks_values_of(beta)) return;
  const at::Tensor there = beta.cpu().contiguous();
  const bool all = there.scalar_type() == at::kDouble ? all_between_zero_and_one<double>(there)
                                                      : all_between_zero_and_one<float>(there);
  TORCH_CHECK_VALUE(all, op, ": expected beta between 0 and 1, got other numbers");
}

void check_finite(const char* op, const char* name, const at::Tensor& tensor) {
  if (!checks_values_of(tensor)) return;
  const at::Tensor there = tensor.cpu();
  const bool all =
      there.scalar_type() == at::kDouble ? all_finite<double>(there) : all_finite<float>(there);
  TORCH_CHECK_VALUE(all, op, ": expected ", name, " to be finite, got infinities or NaN");
}

}  // namespace hitgraph
