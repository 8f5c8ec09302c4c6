// The operators as C++ functions. They go through torch's dispatcher, so gradients and autocast
// work as they do from Python. Arguments, results and errors: docstring of hitgraph.knn.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <tuple>

namespace hitgraph {

struct SearchOptions {
  std::optional<at::Tensor> row_splits;
  std::optional<at::Tensor> queries;
  std::optional<at::Tensor> query_row_splits;
  std::optional<at::Tensor> query_mask;
  std::optional<at::Tensor> point_mask;
  bool include_self = false;
  std::optional<at::ScalarType> index_dtype;
};

struct KnnOptions : SearchOptions {
  std::optional<double> max_radius;
};

struct RadiusOptions : SearchOptions {
  std::optional<int64_t> max_neighbors;
  bool inclusive = true;
};

// (index, distance2), each (m, k): the k nearest points of every query, ascending by (distance2,
// index), padded with (-1, +inf).
std::tuple<at::Tensor, at::Tensor> knn(const at::Tensor& points, int64_t k,
                                       const KnnOptions& options = {});

// (row_splits, index, distance2): all points within r of every query, nearest first; those of query
// q are row_splits[q] to row_splits[q + 1] - 1. See hitgraph.radius.
std::tuple<at::Tensor, at::Tensor, at::Tensor> radius(const at::Tensor& points, double r,
                                                      const RadiusOptions& options = {});

// Offsets (B+1) of the segments of a sorted vector of segment numbers (n).
at::Tensor row_splits_from_batch(const at::Tensor& batch,
                                 std::optional<int64_t> batch_size = std::nullopt);

// (offsets, edges, order): the edges of `index` (m, k) by the point that they reach, and an order
// of the points. See hitgraph.transpose_graph.
std::tuple<at::Tensor, at::Tensor, at::Tensor> transpose_graph(const at::Tensor& index,
                                                               int64_t points);

struct GravnetOptions {
  bool total = true, maximum = true;
  std::string divisor = "k";     // of the total: "k", "count" or "one"
  std::string missing = "skip";  // or "zero"
  std::optional<at::Tensor> offsets, edges, order;
};

// (total, maximum, slot): GravNet's aggregation of `features` (n, f) over the graph `index` (m, k).
// `values` (m, k) are squared distances, or weights without a scale. See
// hitgraph.nn.functional.gravnet_aggregate; slot is the column that each maximum came from.
std::tuple<at::Tensor, at::Tensor, at::Tensor> gravnet_aggregate(
    const at::Tensor& features, const at::Tensor& index, const at::Tensor& values,
    std::optional<double> scale, const GravnetOptions& options = {});

}  // namespace hitgraph
