// One call of the radius search on CUDA, on the host, and what it must return.
#pragma once

#include "host_knn.h"
// After the vocabulary.
#include "core/cuda/radius_launches.h"
#include "core/radius.h"

namespace hitgraph::testing {

template <typename T, typename Index = int64_t>
struct Edges {
  std::vector<int64_t> row_splits;
  Rows<T, Index> rows;
};

constexpr int64_t kEveryNeighbour = std::numeric_limits<int64_t>::max();

// Every distance of every pair of a segment, one full sort a row. Shares with the search only the
// definitions of distance and of who takes part.
template <typename T, typename Index = int64_t>
Edges<T, Index> every_pair_within(const KnnCase<T>& c, int64_t max_neighbors = kEveryNeighbour) {
  const SearchProblem<T> problem = c.problem(1);
  const PointSet<T>&points = problem.points, &queries = problem.queries;
  Edges<T, Index> edges;
  edges.row_splits.assign(static_cast<std::size_t>(queries.size) + 1, 0);
  for (int64_t segment = 0; segment < problem.segments; ++segment) {
    for (int64_t q = queries.row_splits[segment]; q < queries.row_splits[segment + 1]; ++q) {
      std::vector<std::pair<T, int64_t>> row;
      const T* query = queries.coordinates + q * problem.dim;
      if (takes_part(queries.coordinates, queries.mask, q, problem.dim)) {
        for (int64_t p = points.row_splits[segment]; p < points.row_splits[segment + 1]; ++p) {
          if (!takes_part(points.coordinates, points.mask, p, problem.dim)) continue;
          if (problem.self_queries && !problem.include_self && p == q) continue;
          const T near = squared_distance(points.coordinates + p * problem.dim, query, problem.dim);
          if (near <= problem.max_distance2) row.emplace_back(near, p);
        }
      }
      std::sort(row.begin(), row.end());
      if (static_cast<int64_t>(row.size()) > max_neighbors) row.resize(max_neighbors);
      for (const auto& [near, p] : row) {
        edges.rows.distance2.push_back(near);
        edges.rows.index.push_back(static_cast<Index>(p));
      }
      edges.row_splits[q + 1] = static_cast<int64_t>(edges.rows.index.size());
    }
  }
  return edges;
}

// How the launches are told to run; a group of 32 queries is 300 points only if one is enough.
struct RadiusRun {
  uint64_t seed = 1;
  int64_t enough_groups = 8192;
  int* launches = nullptr;
};

template <typename T, typename Index = int64_t>
Edges<T, Index> radius_of_input(HostDevice& device, RadiusInput<T> input) {
  host_cuda::Buffer<int64_t> row_splits("row_splits", input.query_rows + 1);
  input.row_splits = row_splits.view();
  const CountedRadius<T> counted = launch_radius_count(device, input);
  const unsigned long long* totals = host_cuda::data(counted.launch.totals);
  const int64_t edges = static_cast<int64_t>(totals[kEdges]);
  host_cuda::Buffer<Index> index("index", edges);
  host_cuda::Buffer<T> distance2("distance2", edges);
  launch_radius_write(device, counted, totals, neighbours<T>(index.view(), distance2.view()));
  // values() reports an element that no kernel wrote.
  return {row_splits.values(), {index.values(), distance2.values()}};
}

template <typename T, typename Index = int64_t>
Edges<T, Index> radius_on_host_cuda(const KnnCase<T>& c, int64_t max_neighbors = kEveryNeighbour,
                                    const RadiusRun& run = {}) {
  host_cuda::set_options({run.seed});
  HostDevice device;
  RadiusInput<T> input;
  static_cast<SearchInput<T>&>(input) = device_search(device, c);
  input.max_neighbors = max_neighbors;
  input.enough_groups = run.enough_groups;
  Edges<T, Index> edges = radius_of_input<T, Index>(device, input);
  if (run.launches != nullptr) *run.launches = device.launches();
  return edges;
}

// As if the list of edges began at `first`: no array is that long, the views begin elsewhere. Rows
// of more than kPiece are not meant.
inline Edges<float> radius_of_far_edges(const KnnCase<float>& c, int64_t max_neighbors,
                                        int64_t first) {
  HostDevice device;
  RadiusInput<float> input;
  static_cast<SearchInput<float>&>(input) = device_search(device, c);
  input.max_neighbors = max_neighbors;
  host_cuda::Buffer<int64_t> row_splits("row_splits", input.query_rows + 1);
  input.row_splits = row_splits.view();
  CountedRadius<float> counted = launch_radius_count(device, input);
  const unsigned long long* totals = host_cuda::data(counted.launch.totals);
  const std::vector<int64_t> near = row_splits.values();
  std::vector<int64_t> far = near;
  for (int64_t& split : far) split += first;
  counted.launch.row_splits = device.array<int64_t>("far_row_splits", far);
  host_cuda::Buffer<int64_t> index("index", near.back());
  host_cuda::Buffer<float> distance2("distance2", near.back());
  launch_radius_write(device, counted, totals,
                      neighbours<float>(index.view() - first, distance2.view() - first));
  return {near, {index.values(), distance2.values()}};
}

// Empty, or where the two differ first, and in what.
template <typename T, typename Index>
std::string first_difference(const Edges<T, Index>& truth, const Edges<T, Index>& found) {
  for (std::size_t row = 0; row < truth.row_splits.size(); ++row) {
    if (found.row_splits.at(row) == truth.row_splits[row]) continue;
    return "row_splits[" + std::to_string(row) + "]: " + std::to_string(found.row_splits[row]) +
           ", not " + std::to_string(truth.row_splits[row]);
  }
  for (std::size_t edge = 0; edge < truth.rows.index.size(); ++edge) {
    const bool same_index = truth.rows.index[edge] == found.rows.index.at(edge);
    if (same_index &&
        std::memcmp(&truth.rows.distance2[edge], &found.rows.distance2.at(edge), sizeof(T)) == 0) {
      continue;
    }
    const auto past = std::upper_bound(truth.row_splits.begin(), truth.row_splits.end(), edge);
    const int64_t row = past - truth.row_splits.begin() - 1;
    return std::string(same_index ? "distance2" : "index") + " of row " + std::to_string(row) +
           ", neighbour " + std::to_string(static_cast<int64_t>(edge) - truth.row_splits[row]);
  }
  return "";
}

// The distance2 that `rank` pairs a query are within, on average: a bound that is met.
template <typename T>
T distance2_of_rank(KnnCase<T>& c, int64_t rank) {
  c.max_distance2 = std::numeric_limits<T>::max();
  std::vector<T> distances = every_pair_within(c).rows.distance2;
  if (distances.empty()) return T(0);
  std::sort(distances.begin(), distances.end());
  const std::size_t place = static_cast<std::size_t>(rank * c.query_count());
  return distances[std::min(place, distances.size() - 1)];
}

}  // namespace hitgraph::testing
