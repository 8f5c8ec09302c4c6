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
// Hits and objects as condensation_objects gives them. `attraction` is "quadratic" or
// "logarithmic", `repulsion` "hinge" or "exponential", `epsilon` the hinge's.
#define HITGRAPH_CONDENSATION_ARGUMENTS                                               \
  "Tensor coordinates, Tensor weight, Tensor centres, Tensor factor, Tensor object, " \
  "Tensor order, Tensor offsets, Tensor row_splits, Tensor object_splits, "           \
  "str attraction=\"quadratic\", str repulsion=\"hinge\", float epsilon=0.0"

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
  // torch-cluster's searches: edges as (2, E) int64, grouped by the row of the query in y, nearest
  // first; without y the points x ask. loop: query i may be joined to point i. source_first: the
  // neighbour on top, else the query. The radius is strict; max_num_neighbors below 0: all.
  m.def(
      "knn_edges(Tensor x, Tensor? y, int k, Tensor? batch_x=None, Tensor? batch_y=None, "
      "int? batch_size=None, bool loop=True, bool cosine=False, bool source_first=False)"
      " -> Tensor");
  m.def(
      "radius_edges(Tensor x, Tensor? y, float r, Tensor? batch_x=None, Tensor? batch_y=None, "
      "int? batch_size=None, int max_num_neighbors=32, bool loop=True, bool source_first=False)"
      " -> Tensor");
  // (n): for every row of x the nearest row of y.
  m.def("nearest_rows(Tensor x, Tensor y, Tensor? batch_x=None, Tensor? batch_y=None) -> Tensor");
  // EdgeConv with one linear map, over a graph: of act(norm(weight [x_i, x_j - x_i] + bias)) the
  // largest over the edges of a row, and the slot it came from. norm: y, or scale (y - mean) /
  // sqrt(variance + eps) + shift, where mean and variance, if scale is given and they are not, are
  // those of all edges, and are returned. act(z) = z, or slope z below 0. x_i are rows of `centers`
  // if these are other points.
  m.def(
      "edge_conv_max(Tensor features, Tensor index, Tensor weight, Tensor? bias=None, "
      "Tensor? scale=None, Tensor? shift=None, Tensor? mean=None, Tensor? variance=None, "
      "float eps=1e-05, float slope=1.0, Tensor? centers=None, Tensor? offsets=None, "
      "Tensor? edges=None) -> (Tensor out, Tensor slot, Tensor edge_mean, Tensor edge_variance)");
  // `trained`: mean and variance are those of the edges.
  m.def(
      "edge_conv_max_backward(Tensor grad, Tensor slot, Tensor features, Tensor index, "
      "Tensor weight, Tensor? bias, Tensor? scale, Tensor? shift, Tensor? mean, "
      "Tensor? variance, float eps, bool trained, float slope, Tensor? centers, Tensor? offsets, "
      "Tensor? edges) -> (Tensor grad_features, Tensor grad_centers, Tensor grad_weight, "
      "Tensor grad_bias, Tensor grad_scale, Tensor grad_shift)");
  // Objects are hits of one event with one label; labels up to noise_label make none. `object` (n)
  // numbers them through all events, ascending by event and label, -1 for noise; `order` (n) lists
  // the hits by object, noise last; those of object k are at offsets[k] to offsets[k + 1] - 1; the
  // objects of event e are object_splits[e] to object_splits[e + 1] - 1; `points` is the hit with
  // the largest beta of each, the first of equal ones.
  m.def(
      "condensation_objects(Tensor beta, Tensor labels, Tensor row_splits, int noise_label=-1)"
      " -> (Tensor object, Tensor order, Tensor offsets, Tensor object_splits, Tensor points)");
  // With u = factor |coordinates - centre|^2, for every object the sum of weight times u or
  // ln(e u + 1) over its hits, and of weight times max(0, 1 - sqrt(u + epsilon)) or exp(-u) over
  // the others of its event.
  m.def("condensation_potential(" HITGRAPH_CONDENSATION_ARGUMENTS
        ") -> (Tensor attraction, Tensor repulsion)");
  m.def(
      "condensation_potential_backward(Tensor grad_attraction, Tensor grad_repulsion, "
      "" HITGRAPH_CONDENSATION_ARGUMENTS
      ") -> (Tensor grad_coordinates, Tensor grad_weight, Tensor grad_centres, "
      "Tensor grad_factor)");
  // Clusters: of the hits without one, the largest beta above beta_threshold makes the next and
  // takes those within distance_threshold, times its radius, if radii (n) are given. `assignment`:
  // a hit belongs to the "first" point that it is within reach of, or to the "nearest". `label` (n)
  // numbers the clusters of an event, `point` (n) is the row of a hit's condensation point; -1:
  // none. Those of event e are points[point_splits[e]] to points[point_splits[e + 1] - 1].
  m.def(
      "condensate(Tensor beta, Tensor coordinates, Tensor row_splits, float beta_threshold, "
      "float distance_threshold, Tensor? radius=None, str assignment=\"first\")"
      " -> (Tensor label, Tensor point, Tensor points, Tensor point_splits)");
  // `name` is what errors call the batch.
  m.def(
      "row_splits_from_batch(Tensor batch, SymInt? batch_size=None, str name=\"batch\") -> Tensor");
}
