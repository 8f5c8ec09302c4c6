// torch-cluster's searches, whatever name they are called by: edges as (2, E) int64, grouped by the
// row of the query, nearest first; ties go to the smaller index.
#pragma once

#include "ops/compat/edge_search.h"

namespace hitgraph {

// At most k edges a query. source_first: the neighbour's row on top, as message passing from source
// to target has it; else the query's.
at::Tensor knn_edges(const EdgeRequest& request, int64_t k, bool source_first);

// The same in memory of the size of the result, not of k a query: by a search without a radius.
at::Tensor all_or_nearest(const SearchArguments& arguments, int64_t k, bool source_first);

// Strictly within r, at most the nearest max_num_neighbors of a query; negative: all.
at::Tensor radius_edges(const EdgeRequest& request, double r, int64_t max_num_neighbors,
                        bool source_first);

// (m): the nearest point of every query; -1 for a query with a NaN or an infinity.
at::Tensor nearest_rows(const EdgeRequest& request);

at::Tensor no_edges(const EdgeRequest& request);

}  // namespace hitgraph
