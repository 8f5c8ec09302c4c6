#include <ATen/TensorOperators.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>

#include <atomic>

#include "ops/compat/edge_list.h"
#include "ops/compat/edge_ops.h"
#include "ops/cpu/search_executor.h"
#include "ops/knn_problem.h"

namespace hitgraph {
namespace {

// The search writes one row of the edge list as it goes; the other says whose neighbours they are.
at::Tensor edges_on_cpu(const SearchArguments& a, int64_t k, bool source_first) {
  const int64_t rows = query_count(a);
  const at::TensorOptions options = a.points.options();
  const EdgeList list(rows * k, source_first, options);
  with_search_types(a, [&](auto coordinate, int64_t) {
    using T = decltype(coordinate);
    KnnProblem<T> problem;
    set_problem<T>(a, problem);
    problem.k = k;
    KnnResult<T, int64_t> result;
    result.index = list.neighbour;
    knn_cpu(problem, result, executor_for(problem));
  });
  std::atomic<bool> complete{true};
  for_rows(rows, rows * k, [&](int64_t row) {
    std::fill_n(list.query + row * k, k, row);
    if (list.neighbour[row * k + k - 1] < 0) complete.store(false, std::memory_order_relaxed);
  });
  if (complete) return list.edges;
  return pack_edges(
      rows, [k](int64_t row) { return row * k; }, list.neighbour,
      [](int64_t, int64_t neighbour) { return neighbour >= 0; }, k, source_first, options);
}

at::Tensor search(const SearchArguments& a, int64_t k) {
  using Signature = TwoTensors(HITGRAPH_KNN_PARAMETERS);
  static const auto op =
      c10::Dispatcher::singleton().findSchemaOrThrow("hitgraph::knn", "").typed<Signature>();
  return std::get<0>(op.call(a.points, k, a.row_splits, a.queries, a.query_row_splits, std::nullopt,
                             std::nullopt, a.include_self, std::nullopt, std::nullopt));
}

at::Tensor edges_by_tensors(const SearchArguments& a, int64_t k, bool source_first) {
  const at::Tensor index = search(a, k), present = index >= 0;
  const at::Tensor row = at::arange(index.size(0), index.options()).unsqueeze(1).expand_as(index);
  const at::Tensor query = row.masked_select(present), neighbour = index.masked_select(present);
  return source_first ? at::stack({neighbour, query}) : at::stack({query, neighbour});
}

// Whether rows of k would mostly be empty: k is large, and few graphs are. On a device nobody has
// counted, and a large k over several graphs is taken for it.
bool is_mostly_missing(const SearchArguments& a, int64_t k) {
  constexpr int64_t kSmall = 1 << 20, kLargeK = 1024;
  if (!a.row_splits || query_count(a) * k < kSmall) return false;
  if (!a.points.is_cpu()) return k > kLargeK && a.row_splits->size(0) > 2;
  const auto* points = a.row_splits->const_data_ptr<int64_t>();
  const auto* queries = (a.queries ? *a.query_row_splits : *a.row_splits).const_data_ptr<int64_t>();
  int64_t edges = 0;
  for (int64_t graph = 1; graph < a.row_splits->size(0); ++graph) {
    edges += (queries[graph] - queries[graph - 1]) * std::min(k, points[graph] - points[graph - 1]);
  }
  return query_count(a) * k / 4 > edges;
}

// Every graph that has queries has points, and the other way round, as torch-cluster wants it.
void check_both_sides(const SearchArguments& a) {
  if (!a.row_splits || !a.queries) return;
  const at::Tensor points = a.row_splits->diff() > 0, queries = a.query_row_splits->diff() > 0;
  TORCH_CHECK_VALUE(points.equal(queries), a.op,
                    ": expected the same graphs in batch_x and batch_y, got a graph that only one "
                    "of them has");
}

}  // namespace

at::Tensor no_edges(const EdgeRequest& request) {
  return at::empty({2, 0}, request.points.options().dtype(at::kLong));
}

at::Tensor knn_edges(const EdgeRequest& request, int64_t k, bool source_first) {
  TORCH_CHECK_VALUE(k >= 0, request.op, ": expected k to be at least 0, got ", k);
  if (is_empty(request)) return no_edges(request);
  const at::AutoDispatchBelowADInplaceOrView below;
  const SearchArguments a = checked(request);
  // No room for neighbours that no graph has.
  k = std::min(k, most_points(a) - (a.queries || a.include_self ? 0 : 1));
  if (k < 1) return no_edges(request);
  if (is_mostly_missing(a, k)) return all_or_nearest(a, k, source_first);
  return a.points.is_cpu() ? edges_on_cpu(a, k, source_first)
                           : edges_by_tensors(a, k, source_first);
}

at::Tensor nearest_rows(const EdgeRequest& request) {
  const at::AutoDispatchBelowADInplaceOrView below;
  const SearchArguments a = checked(request);
  TORCH_CHECK_VALUE(a.points.size(0) > 0 || query_count(a) == 0, a.op, ": expected ",
                    request.names.points, " to have rows, got none");
  const bool told = request.batch || request.query_batch || request.ptr || request.query_ptr;
  if (told) check_both_sides(a);
  if (query_count(a) == 0) return at::empty({0}, a.points.options().dtype(at::kLong));
  return search(a, 1).flatten();
}

}  // namespace hitgraph
