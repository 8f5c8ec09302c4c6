#include "ops/checks.h"

#include <ATen/ops/tensor.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>

#include "core/graph.h"
#include "hitgraph/debug.h"
#include "ops/cpu/executor.h"

namespace hitgraph {

namespace {

std::atomic<bool>& debug_checks_flag() {
  static std::atomic<bool> flag = [] {
    const char* value = std::getenv("HITGRAPH_DEBUG");
    return value != nullptr && *value != '\0' && std::string(value) != "0";
  }();
  return flag;
}

}  // namespace

void set_debug_checks(bool enabled) { debug_checks_flag() = enabled; }

bool debug_checks() { return debug_checks_flag(); }

template <typename Integer>
bool all_within(const Integer* values, int64_t count, int64_t lowest, int64_t past) {
  return numbers_within(values, count, lowest, past, torch_executor(count / 8));
}

template bool all_within(const uint8_t*, int64_t, int64_t, int64_t);
template bool all_within(const int32_t*, int64_t, int64_t, int64_t);
template bool all_within(const int64_t*, int64_t, int64_t, int64_t);

bool checks_values_of(const at::Tensor& tensor) { return tensor.is_cpu() || debug_checks(); }

void check_index_values(const char* op, const at::Tensor& index, int64_t points) {
  if (!checks_values_of(index)) return;
  const at::Tensor ends = index.cpu().contiguous();
  const auto check = [&](const auto* values) {
    const bool all = all_within(values, ends.numel(), -1, points);
    for (int64_t edge = 0; !all && edge < ends.numel(); ++edge) {
      TORCH_CHECK_VALUE(values[edge] >= -1 && values[edge] < points, op,
                        ": expected index from -1 to ", points - 1, ", got ", values[edge]);
    }
  };
  if (ends.scalar_type() == at::kInt) {
    check(ends.const_data_ptr<int32_t>());
  } else {
    check(ends.const_data_ptr<int64_t>());
  }
}

std::string rank_of(const at::Tensor& tensor) { return std::to_string(tensor.dim()) + "-D"; }

std::string name_of(at::ScalarType type) { return c10::getDtypeNames(type).first; }

void check_index_dtype(const char* op, const char* name, const at::Tensor& tensor) {
  TORCH_CHECK_TYPE(tensor.scalar_type() == at::kLong || tensor.scalar_type() == at::kInt, op,
                   ": expected ", name, " to be int64 or int32, got ",
                   name_of(tensor.scalar_type()));
}

void check_same_device(const char* op, const char* name, const at::Tensor& tensor,
                       const at::Tensor& other, const char* other_name) {
  TORCH_CHECK(tensor.device() == other.device(), op, ": expected ", name, " on ", other.device(),
              " like ", other_name, ", got ", tensor.device());
}

namespace {

void check_coordinates(const char* op, const char* name, const at::Tensor& tensor) {
  TORCH_CHECK_VALUE(tensor.dim() == 2, op, ": expected ", name, " to be 2-D (n, d), got ",
                    rank_of(tensor));
  TORCH_CHECK_VALUE(tensor.size(1) >= 1, op, ": expected ", name,
                    " to have at least one column, got ", tensor.sizes());
  const at::ScalarType type = tensor.scalar_type();
  TORCH_CHECK_TYPE(
      type == at::kFloat || type == at::kDouble || type == at::kHalf || type == at::kBFloat16, op,
      ": expected ", name, " to be float32, float64, float16 or bfloat16, got ", name_of(type));
  const int64_t most = tensor.is_cuda() ? kMaxCudaPoints : kMaxPoints;
  TORCH_CHECK_VALUE(tensor.size(0) <= most, op, ": expected at most ", most, " rows in ", name,
                    ", got ", tensor.size(0));
}

void check_row_splits(const char* op, const char* name, const at::Tensor& splits,
                      const at::Tensor& points, const char* points_name = "points") {
  check_same_device(op, name, splits, points, points_name);
  check_index_dtype(op, name, splits);
  TORCH_CHECK_VALUE(splits.dim() == 1 && splits.size(0) >= 1, op, ": expected ", name,
                    " to be 1-D (B+1) with at least one element, got ", splits.sizes());
  TORCH_CHECK_VALUE(!splits.is_cuda() || splits.size(0) <= kMaxCudaSegments, op, ": expected ",
                    name, " of at most ", kMaxCudaSegments - 1, " segments, got ",
                    splits.size(0) - 1);
}

void check_mask(const char* op, const char* name, const OptionalTensor& mask,
                const at::Tensor& points, int64_t size) {
  if (!mask) return;
  check_same_device(op, name, *mask, points);
  TORCH_CHECK_TYPE(mask->scalar_type() == at::kBool, op, ": expected ", name, " to be bool, got ",
                   name_of(mask->scalar_type()));
  TORCH_CHECK_VALUE(mask->dim() == 1 && mask->size(0) == size, op, ": expected ", name,
                    " to have shape (", size, "), got ", mask->sizes());
}

void check_queries(const SearchArguments& a) {
  if (!a.queries) {
    TORCH_CHECK_VALUE(!a.query_row_splits, a.op,
                      ": expected query_row_splits only together with queries");
    return;
  }
  check_same_device(a.op, "queries", *a.queries, a.points);
  check_coordinates(a.op, "queries", *a.queries);
  TORCH_CHECK_TYPE(a.queries->scalar_type() == a.points.scalar_type(), a.op,
                   ": expected queries to be ", name_of(a.points.scalar_type()),
                   " like points, got ", name_of(a.queries->scalar_type()));
  TORCH_CHECK_VALUE(a.queries->size(1) == a.points.size(1), a.op, ": expected queries to have ",
                    a.points.size(1), " columns like points, got ", a.queries->size(1));
  TORCH_CHECK_VALUE(a.row_splits.has_value() == a.query_row_splits.has_value(), a.op,
                    ": expected row_splits and query_row_splits both or neither, got only ",
                    a.row_splits ? "row_splits" : "query_row_splits");
  if (!a.query_row_splits) return;
  check_row_splits(a.op, "query_row_splits", *a.query_row_splits, a.points);
  TORCH_CHECK_VALUE(a.query_row_splits->size(0) == a.row_splits->size(0), a.op,
                    ": expected query_row_splits to have as many segments as row_splits, ",
                    a.row_splits->size(0) - 1, ", got ", a.query_row_splits->size(0) - 1);
}

void check_metadata(const SearchArguments& a) {
  check_coordinates(a.op, "points", a.points);
  if (a.row_splits) check_row_splits(a.op, "row_splits", *a.row_splits, a.points);
  check_queries(a);
  check_mask(a.op, "point_mask", a.point_mask, a.points, a.points.size(0));
  check_mask(a.op, "query_mask", a.query_mask, a.points, a.queries.value_or(a.points).size(0));
  TORCH_CHECK_VALUE(!a.max_radius || *a.max_radius >= 0, a.op, ": expected ", a.radius_name,
                    " to be a number not below 0, got ", *a.max_radius);
  TORCH_CHECK_TYPE(!a.index_dtype || *a.index_dtype == at::kLong || *a.index_dtype == at::kInt,
                   a.op, ": expected index_dtype to be torch.int64 or torch.int32, got torch.",
                   name_of(*a.index_dtype));
}

void check_row_splits_values(const char* op, const char* name, const at::Tensor& splits,
                             int64_t size) {
  const int64_t* values = splits.const_data_ptr<int64_t>();
  const int64_t last = splits.size(0) - 1;
  TORCH_CHECK_VALUE(values[0] == 0, op, ": expected ", name, " to start at 0, got ", values[0]);
  for (int64_t s = 0; s < last; ++s) {
    TORCH_CHECK_VALUE(values[s] <= values[s + 1], op, ": expected ", name, " not to decrease, got ",
                      values[s], " then ", values[s + 1], " at segment ", s);
  }
  TORCH_CHECK_VALUE(values[last] == size, op, ": expected ", name, " to end at ", size,
                    ", the number of rows, got ", values[last]);
}

at::Tensor values_checked(const char* op, const char* name, const at::Tensor& given, int64_t size) {
  const at::Tensor splits = given.to(at::kLong).contiguous();
  if (checks_values_of(splits)) check_row_splits_values(op, name, splits.cpu(), size);
  return splits;
}

// If there are none, [0, size] on the CPU and none on CUDA, where it would be a copy from the host.
OptionalTensor row_splits_or_whole(const char* op, const char* name, const OptionalTensor& given,
                                   const at::Tensor& coordinates) {
  const int64_t size = coordinates.size(0);
  if (!given) {
    if (!coordinates.is_cpu()) return given;
    return at::tensor({int64_t{0}, size}, at::kLong);
  }
  return values_checked(op, name, *given, size);
}

at::Tensor searchable(const at::Tensor& coordinates) {
  const bool narrow = coordinates.element_size() < 4;
  return (narrow ? coordinates.to(at::kFloat) : coordinates).contiguous();
}

}  // namespace

at::Tensor checked_row_splits(const char* op, const char* name, const at::Tensor& given,
                              const at::Tensor& rows, const char* rows_name) {
  check_row_splits(op, name, given, rows, rows_name);
  return values_checked(op, name, given, rows.size(0));
}

void check_neighbour_count(const char* op, const char* name, int64_t count, int64_t least,
                           const at::Tensor& points) {
  TORCH_CHECK_VALUE(count >= least, op, ": expected ", name, " to be at least ", least, ", got ",
                    count);
  const int64_t most = points.is_cuda() ? kMaxCudaPoints : kMaxPoints;
  TORCH_CHECK_VALUE(count <= most, op, ": expected ", name, " to be at most ", most, ", got ",
                    count);
}

SearchArguments checked(SearchArguments a) {
  check_metadata(a);
  a.row_splits = row_splits_or_whole(a.op, "row_splits", a.row_splits, a.points);
  if (a.queries) {
    a.query_row_splits =
        row_splits_or_whole(a.op, "query_row_splits", a.query_row_splits, *a.queries);
    a.queries = searchable(*a.queries);
  }
  a.points = searchable(a.points);
  if (a.point_mask) a.point_mask = a.point_mask->contiguous();
  if (a.query_mask) a.query_mask = a.query_mask->contiguous();
  return a;
}

}  // namespace hitgraph
