#include "ops/compat/edge_search.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/round.h>
#include <ATen/ops/tensor.h>

#include <algorithm>

namespace hitgraph {
namespace {

const at::Tensor& queries_of(const EdgeRequest& r) { return r.queries ? *r.queries : r.points; }

void check_coordinates(const char* op, const char* name, const at::Tensor& given) {
  const at::ScalarType type = given.scalar_type();
  const bool narrow = type == at::kHalf || type == at::kBFloat16;
  TORCH_CHECK_TYPE(
      narrow || type == at::kFloat || type == at::kDouble || at::isIntegralType(type, false), op,
      ": expected ", name, " to be float32, float64, float16, bfloat16 or integers, got ",
      name_of(type));
  TORCH_CHECK_VALUE(given.dim() == 1 || given.dim() == 2, op, ": expected ", name,
                    " to be 2-D (n, d) or 1-D (n), got ", rank_of(given));
  const int64_t most = given.is_cuda() ? kMaxCudaPoints : kMaxPoints;
  TORCH_CHECK_VALUE(given.size(0) <= most, op, ": expected at most ", most, " rows in ", name,
                    ", got ", given.size(0));
}

// Unit vectors: their distances ascend with the angle, as 1 - x.y / |x| |y| does. That expression
// itself cannot tell angles below 1e-8 even in float64. Rounded to 2^-44, so that the unit vectors
// of parallel vectors are the same, whose tie is the index's to break; a null vector becomes NaN.
at::Tensor unit_vectors(const at::Tensor& rows) {
  constexpr double kGrid = 0x1p44;
  const at::Tensor wide = rows.to(at::kDouble);
  const at::Tensor scaled = wide / wide.abs().amax({1}, true);  // squares must not overflow
  const at::Tensor unit = scaled / scaled.square().sum({1}, true).sqrt();
  return at::round(unit * kGrid) / kGrid;
}

// (n, d), contiguous, in a type of the search: integers need float64 to be exact.
at::Tensor searchable(const at::Tensor& given, bool cosine) {
  const at::Tensor rows = given.dim() == 1 ? given.unsqueeze(1) : given;
  if (cosine) return unit_vectors(rows).contiguous();
  if (at::isIntegralType(rows.scalar_type(), false)) return rows.to(at::kDouble).contiguous();
  return (rows.element_size() < 4 ? rows.to(at::kFloat) : rows).contiguous();
}

// Where values lie on a device row_splits_from_batch does not look at them. Here the edges' number
// is waited for anyway.
void check_sorted(const char* op, const char* name, const at::Tensor& batch) {
  if (batch.is_cpu() || batch.size(0) < 2) return;
  const at::Tensor falls = batch.slice(0, 1) < batch.slice(0, 0, -1);
  TORCH_CHECK_VALUE(!falls.any().item<bool>(), op, ": expected ", name,
                    " to be sorted, got numbers that decrease");
}

at::Tensor call_row_splits_from_batch(const at::Tensor& batch, std::optional<int64_t> batch_size,
                                      const char* name) {
  using Signature = at::Tensor(const at::Tensor&, std::optional<c10::SymInt>, std::string);
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("hitgraph::row_splits_from_batch", "")
                             .typed<Signature>();
  return op.call(batch, batch_size, name);  // an int64_t is a SymInt
}

// What the row_splits of one side are made of.
struct Side {
  const at::Tensor& rows;
  const OptionalTensor &batch, &ptr;
  const char *rows_name, *batch_name, *ptr_name;
};

OptionalTensor row_splits_of(const EdgeRequest& r, const Side& side) {
  if (side.batch) {
    const at::Tensor& batch = *side.batch;
    check_same_device(r.op, side.batch_name, batch, side.rows, side.rows_name);
    check_index_dtype(r.op, side.batch_name, batch);
    TORCH_CHECK_VALUE(batch.dim() == 1 && batch.size(0) == side.rows.size(0), r.op, ": expected ",
                      side.batch_name, " to be 1-D with ", side.rows.size(0),
                      " elements, a row of ", side.rows_name, " each, got ", batch.sizes());
    check_sorted(r.op, side.batch_name, batch);
    return call_row_splits_from_batch(batch, r.batch_size, side.batch_name);
  }
  if (!side.ptr) return std::nullopt;
  return checked_row_splits(r.op, side.ptr_name, *side.ptr, side.rows, side.rows_name);
}

// Graphs at the end that only the other side knows are empty here.
at::Tensor padded(const at::Tensor& splits, int64_t length, int64_t rows) {
  const int64_t missing = length - splits.size(0);
  return missing == 0 ? splits : at::constant_pad_nd(splits, {0, missing}, rows);
}

at::Tensor one_graph(const at::Tensor& rows) {
  return at::tensor({int64_t{0}, rows.size(0)}, at::kLong);
}

// On a device the absence of row_splits says what [0, n] would have to be copied for.
void set_graphs(const EdgeRequest& r, SearchArguments& a) {
  TORCH_CHECK_VALUE(!r.batch_size || *r.batch_size >= 1, r.op,
                    ": expected batch_size to be at least 1, got ", *r.batch_size);
  const EdgeNames& n = r.names;
  a.row_splits = row_splits_of(r, {r.points, r.batch, r.ptr, n.points, n.batch, n.ptr});
  a.query_row_splits = a.row_splits;
  if (a.queries) {
    a.query_row_splits = row_splits_of(
        r, {*r.queries, r.query_batch, r.query_ptr, n.queries, n.query_batch, n.query_ptr});
  }
  if (a.row_splits && a.query_row_splits) {
    const int64_t length = std::max(a.row_splits->size(0), a.query_row_splits->size(0));
    a.row_splits = padded(*a.row_splits, length, a.points.size(0));
    a.query_row_splits = padded(*a.query_row_splits, length, query_count(a));
  } else {
    // One graph needs no batch, on one side or on both.
    int64_t graphs = r.batch_size.value_or(1);
    for (const OptionalTensor& known : {a.row_splits, a.query_row_splits}) {
      if (known) graphs = std::max(graphs, known->size(0) - 1);
    }
    TORCH_CHECK_VALUE(graphs <= 1, r.op, ": expected ", a.row_splits ? n.query_batch : n.batch,
                      " for ", graphs, " graphs, got None");
    a.row_splits = a.query_row_splits = std::nullopt;
    if (a.points.is_cpu()) a.row_splits = one_graph(a.points);
    if (a.points.is_cpu() && a.queries) a.query_row_splits = one_graph(*a.queries);
  }
  if (!a.queries) a.query_row_splits = std::nullopt;
}

// The same numbers in the same memory: then the points' own order serves the queries, too.
bool same_rows(const at::Tensor& a, const at::Tensor& b) {
  return a.is_same(b) || (a.data_ptr() == b.data_ptr() && a.sizes() == b.sizes() &&
                          a.strides() == b.strides() && a.scalar_type() == b.scalar_type());
}

bool same_graphs(const OptionalTensor& a, const OptionalTensor& b) {
  return a.has_value() == b.has_value() && (!a || same_rows(*a, *b));
}

bool points_ask(const EdgeRequest& r) {
  return !r.queries || (same_rows(r.points, *r.queries) && same_graphs(r.batch, r.query_batch) &&
                        same_graphs(r.ptr, r.query_ptr));
}

void check_queries(const EdgeRequest& r) {
  const EdgeNames& n = r.names;
  check_same_device(r.op, n.queries, *r.queries, r.points, n.points);
  check_coordinates(r.op, n.queries, *r.queries);
  TORCH_CHECK_TYPE(r.queries->scalar_type() == r.points.scalar_type(), r.op, ": expected ",
                   n.queries, " to be ", name_of(r.points.scalar_type()), " like ", n.points,
                   ", got ", name_of(r.queries->scalar_type()));
  const int64_t columns = r.points.dim() == 1 ? 1 : r.points.size(1);
  TORCH_CHECK_VALUE((r.queries->dim() == 1 ? 1 : r.queries->size(1)) == columns, r.op,
                    ": expected ", n.queries, " to have ", columns, " columns like ", n.points,
                    ", got ", r.queries->sizes());
}

}  // namespace

bool is_empty(const EdgeRequest& r) { return r.points.numel() == 0 || queries_of(r).numel() == 0; }

SearchArguments checked(const EdgeRequest& r) {
  check_coordinates(r.op, r.names.points, r.points);
  if (r.queries) check_queries(r);
  SearchArguments a{};
  a.op = r.op;
  a.points = searchable(r.points, r.cosine);
  a.include_self = r.loop;
  if (!points_ask(r)) a.queries = searchable(*r.queries, r.cosine);
  set_graphs(r, a);
  return a;
}

int64_t most_points(const SearchArguments& a) {
  if (!a.points.is_cpu()) return a.points.size(0);
  const int64_t* splits = a.row_splits->const_data_ptr<int64_t>();
  int64_t most = 0;
  for (int64_t graph = 1; graph < a.row_splits->size(0); ++graph) {
    most = std::max(most, splits[graph] - splits[graph - 1]);
  }
  return most;
}

}  // namespace hitgraph
