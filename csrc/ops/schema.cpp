// Every operator of the library, on one screen.
#include <torch/library.h>

// The arguments of a search. `max_radius` is inclusive; `index_dtype` is int64 unless int32 is
// asked for.
#define HITGRAPH_SEARCH_ARGUMENTS                                                  \
  "Tensor? row_splits=None, Tensor? queries=None, Tensor? query_row_splits=None, " \
  "Tensor? query_mask=None, Tensor? point_mask=None, bool include_self=False, "
#define HITGRAPH_KNN_ARGUMENTS                       \
  "Tensor points, int k, " HITGRAPH_SEARCH_ARGUMENTS \
  "float? max_radius=None, ScalarType? index_dtype=None"

TORCH_LIBRARY(hitgraph, m) {
  m.def("knn(" HITGRAPH_KNN_ARGUMENTS ") -> (Tensor index, Tensor distance2)");
  // And the transposed graph, which the gradient then uses.
  m.def("knn_with_transposed(" HITGRAPH_KNN_ARGUMENTS
        ") -> (Tensor index, Tensor distance2, Tensor offsets, Tensor edges, Tensor order)");
  // The oracle of the tests: every pair.
  m.def("knn_brute_force(" HITGRAPH_KNN_ARGUMENTS ") -> (Tensor index, Tensor distance2)");
  // The counting build of the search, at a SIMD level ("" is the best). Counters: KnnCounters.
  m.def("knn_stats(" HITGRAPH_KNN_ARGUMENTS
        ", str simd=\"\") -> (Tensor index, Tensor distance2, Tensor counters)");
  // All neighbours within `r`, at most max_neighbors of each query, nearest first: those of query q
  // are row_splits[q] to row_splits[q + 1] - 1. Not `inclusive`: distance2 < r^2.
  m.def("radius(Tensor points, float r, " HITGRAPH_SEARCH_ARGUMENTS
        "int? max_neighbors=None, bool inclusive=True, ScalarType? index_dtype=None)"
        " -> (Tensor row_splits, Tensor index, Tensor distance2)");
  m.def(
      "distance2_backward(Tensor grad, Tensor queries, Tensor points, Tensor index, "
      "Tensor? offsets=None, Tensor? edges=None, Tensor? order=None)"
      " -> (Tensor grad_queries, Tensor grad_points)");
  // The edges (numbers row * k + column) by the point that they reach: those of point j are
  // edges[offsets[j]] to edges[offsets[j + 1] - 1], ascending; missing ones come last. `order`
  // names the points so that neighbours come one after another, for work on a CPU; elsewhere it is
  // empty.
  m.def(
      "transpose_graph(Tensor index, SymInt points)"
      " -> (Tensor offsets, Tensor edges, Tensor order)");
  // GravNet's sums (divided by 1, "k" or the "count" of neighbours; `divisor` "one", "k", "count")
  // and maxima of weighted features, with the slot of every maximum (uint8 for k up to 255, 255:
  // none; int32 beyond, -1: none). `values` are squared distances, or weights if `scale` is None;
  // `missing` is "skip" or "zero". What is not asked for is empty. `offsets`, `edges`
  // and `order` are transpose_graph's, for the gradient, which makes them if they are not given.
  m.def(
      "gravnet_aggregate(Tensor features, Tensor index, Tensor values, float? scale, "
      "bool total=True, bool maximum=True, str divisor=\"k\", str missing=\"skip\", "
      "Tensor? offsets=None, Tensor? edges=None, Tensor? order=None)"
      " -> (Tensor total, Tensor maximum, Tensor slot)");
  // Gradients that are not asked for are empty.
  m.def(
      "gravnet_aggregate_backward(Tensor? grad_total, Tensor? grad_maximum, Tensor features, "
      "Tensor index, Tensor values, Tensor slot, float? scale, str divisor=\"k\", "
      "bool by_features=True, bool by_values=True, Tensor? offsets=None, Tensor? edges=None, "
      "Tensor? order=None) -> (Tensor grad_features, Tensor grad_values)");
  // `name` is what errors call the batch.
  m.def(
      "row_splits_from_batch(Tensor batch, SymInt? batch_size=None, str name=\"batch\") -> Tensor");
}
