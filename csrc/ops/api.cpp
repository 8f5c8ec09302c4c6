// The public C++ functions of include/hitgraph, by way of the dispatcher.
#include <ATen/core/dispatch/Dispatcher.h>

#include "hitgraph/ops.h"
#include "hitgraph/version.h"

namespace hitgraph {

using OptionalTensor = std::optional<at::Tensor>;

const char* version() { return HITGRAPH_VERSION; }

std::tuple<at::Tensor, at::Tensor> knn(const at::Tensor& points, int64_t k,
                                       const KnnOptions& options) {
  using Signature = std::tuple<at::Tensor, at::Tensor>(
      const at::Tensor&, int64_t, const OptionalTensor&, const OptionalTensor&,
      const OptionalTensor&, const OptionalTensor&, const OptionalTensor&, bool,
      std::optional<double>, std::optional<at::ScalarType>);
  static const auto op =
      c10::Dispatcher::singleton().findSchemaOrThrow("hitgraph::knn", "").typed<Signature>();
  return op.call(points, k, options.row_splits, options.queries, options.query_row_splits,
                 options.query_mask, options.point_mask, options.include_self, options.max_radius,
                 options.index_dtype);
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> radius(const at::Tensor& points, double r,
                                                      const RadiusOptions& options) {
  using Signature = std::tuple<at::Tensor, at::Tensor, at::Tensor>(
      const at::Tensor&, double, const OptionalTensor&, const OptionalTensor&,
      const OptionalTensor&, const OptionalTensor&, const OptionalTensor&, bool,
      std::optional<int64_t>, bool, std::optional<at::ScalarType>);
  static const auto op =
      c10::Dispatcher::singleton().findSchemaOrThrow("hitgraph::radius", "").typed<Signature>();
  return op.call(points, r, options.row_splits, options.queries, options.query_row_splits,
                 options.query_mask, options.point_mask, options.include_self,
                 options.max_neighbors, options.inclusive, options.index_dtype);
}

at::Tensor row_splits_from_batch(const at::Tensor& batch, std::optional<int64_t> batch_size) {
  using Signature = at::Tensor(const at::Tensor&, std::optional<c10::SymInt>, std::string);
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("hitgraph::row_splits_from_batch", "")
                             .typed<Signature>();
  return op.call(batch, batch_size, "batch");  // an int64_t is a SymInt
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> transpose_graph(const at::Tensor& index,
                                                               int64_t points) {
  using Signature = std::tuple<at::Tensor, at::Tensor, at::Tensor>(const at::Tensor&, c10::SymInt);
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("hitgraph::transpose_graph", "")
                             .typed<Signature>();
  return op.call(index, points);
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> gravnet_aggregate(const at::Tensor& features,
                                                                 const at::Tensor& index,
                                                                 const at::Tensor& values,
                                                                 std::optional<double> scale,
                                                                 const GravnetOptions& options) {
  using Signature = std::tuple<at::Tensor, at::Tensor, at::Tensor>(
      const at::Tensor&, const at::Tensor&, const at::Tensor&, std::optional<double>, bool, bool,
      std::string, std::string, const OptionalTensor&, const OptionalTensor&,
      const OptionalTensor&);
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("hitgraph::gravnet_aggregate", "")
                             .typed<Signature>();
  return op.call(features, index, values, scale, options.total, options.maximum, options.divisor,
                 options.missing, options.offsets, options.edges, options.order);
}

}  // namespace hitgraph
