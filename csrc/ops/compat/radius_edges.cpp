#include <ATen/TensorOperators.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/stack.h>

#include <cmath>
#include <limits>

#include "ops/compat/edge_list.h"
#include "ops/compat/edge_ops.h"
#include "ops/cpu/search_executor.h"
#include "ops/radius_problem.h"

namespace hitgraph {
namespace {

constexpr int64_t kUnlimited = std::numeric_limits<int64_t>::max();

struct Reach {
  double r;
  int64_t most;          // neighbours of a query
  bool drop_same_index;  // of two sets: query i is not joined to point i

  // torch-cluster squares the radius in float64 and rounds the square; hitgraph::radius rounds the
  // radius. Beyond it: what is less is not more than the number below.
  template <typename T>
  T bound() const {
    return std::nextafter(static_cast<T>(r * r), T{-1});
  }
  // One more than asked for is found where one may be dropped.
  int64_t found() const { return drop_same_index && most < kUnlimited ? most + 1 : most; }
};

at::Tensor edges_on_cpu(const SearchArguments& a, const Reach& reach, bool source_first) {
  const int64_t rows = query_count(a);
  const at::TensorOptions options = a.points.options();
  const at::Tensor offsets = at::empty({rows + 1}, options.dtype(at::kLong));
  auto* splits = offsets.data_ptr<int64_t>();
  std::optional<EdgeList> list;
  at::Tensor distance2;
  with_search_types(a, [&](auto coordinate, int64_t) {
    using T = decltype(coordinate);
    RadiusProblem<T> problem;
    set_problem<T>(a, problem);
    problem.max_distance2 = reach.bound<T>();
    problem.max_neighbors = reach.found();
    const AllocateEdges<T, int64_t> allocate = [&](int64_t edges) {
      list.emplace(edges, source_first, options);
      distance2 = new_result({edges}, options);
      return RadiusResult<T, int64_t>{list->neighbour, distance2.data_ptr<T>()};
    };
    radius_cpu(problem, splits, allocate, executor_for(problem));
  });
  if (reach.drop_same_index) {
    return pack_edges(
        rows, [splits](int64_t row) { return splits[row]; }, list->neighbour,
        [](int64_t row, int64_t neighbour) { return row != neighbour; }, reach.most, source_first,
        options);
  }
  for_rows(rows, splits[rows], [&](int64_t row) {
    std::fill(list->query + splits[row], list->query + splits[row + 1], row);
  });
  return list->edges;
}

at::Tensor edges_by_tensors(const SearchArguments& a, const Reach& reach, bool source_first) {
  using Signature = radius_search::ThreeTensors(HITGRAPH_RADIUS_PARAMETERS);
  static const auto op =
      c10::Dispatcher::singleton().findSchemaOrThrow("hitgraph::radius", "").typed<Signature>();
  const bool wide = a.points.scalar_type() == at::kDouble;
  const double bound = wide ? reach.bound<double>() : reach.bound<float>();
  const double far = reach.r * (1 + 1e-6);  // what is beyond the bound is told by its distance
  const auto found = reach.found() == kUnlimited ? std::nullopt : std::optional(reach.found());
  const auto [splits, neighbour, distance2] =
      op.call(a.points, far, a.row_splits, a.queries, a.query_row_splits, std::nullopt,
              std::nullopt, a.include_self, found, true, std::nullopt);
  const at::Tensor query = at::arange(query_count(a), splits.options())
                               .repeat_interleave(splits.diff(), 0, neighbour.size(0));
  at::Tensor kept = distance2 <= bound;
  if (reach.drop_same_index) {
    kept = kept & (query != neighbour);
    // Its place among those of its query that are kept.
    const at::Tensor before = at::constant_pad_nd(kept.cumsum(0), {1, 0});
    const at::Tensor place =
        before.slice(0, 1) - before.index_select(0, splits.slice(0, 0, -1)).index_select(0, query);
    if (reach.most < kUnlimited) kept = kept & (place <= reach.most);
  }
  const at::Tensor asks = query.masked_select(kept), is_found = neighbour.masked_select(kept);
  return source_first ? at::stack({is_found, asks}) : at::stack({asks, is_found});
}

at::Tensor edges_within(const SearchArguments& a, const Reach& reach, bool source_first) {
  return a.points.is_cpu() ? edges_on_cpu(a, reach, source_first)
                           : edges_by_tensors(a, reach, source_first);
}

}  // namespace

at::Tensor radius_edges(const EdgeRequest& request, double r, int64_t max_num_neighbors,
                        bool source_first) {
  TORCH_CHECK_VALUE(r >= 0, request.op, ": expected r to be a number not below 0, got ", r);
  if (is_empty(request) || max_num_neighbors == 0) return no_edges(request);
  const at::AutoDispatchBelowADInplaceOrView below;
  const SearchArguments a = checked(request);
  const int64_t most = max_num_neighbors < 0 ? kUnlimited : max_num_neighbors;
  return edges_within(a, {r, most, a.queries && !request.loop}, source_first);
}

at::Tensor all_or_nearest(const SearchArguments& a, int64_t k, bool source_first) {
  return edges_within(a, {std::numeric_limits<double>::infinity(), k, false}, source_first);
}

}  // namespace hitgraph
