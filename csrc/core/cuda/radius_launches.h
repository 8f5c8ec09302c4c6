// The launches of a radius search, for any Device (see forest_build.h), in two halves: between them
// the host learns the totals, since the arrays of the edges are made to measure.
#pragma once

#include "core/cuda/knn_launches.h"
#include "core/cuda/radius_search.cuh"
#include "core/cuda/row_sort.cuh"

namespace hitgraph {

template <typename T>
struct RadiusInput : SearchInput<T> {
  int64_t max_neighbors = 0;
  Global<int64_t> row_splits;
  // Groups are made smaller until there are as many, if they can be: few warps leave a GPU idle,
  // small groups enter the same boxes more often.
  int64_t enough_groups = 8192;
};

// What the first half leaves for the second.
template <typename T>
struct CountedRadius {
  RadiusInput<T> input{};
  Forest<T> points, queries;
  RadiusLaunch<T> launch{};
};

constexpr int kNoMost = std::numeric_limits<int32_t>::max();
constexpr int kSmallestRadiusGroup = 8, kRadiusWarps = 4;

// The largest group of which there are enough and that fits in shared memory, one query at least.
inline int radius_group(int64_t rows, int64_t enough, int dim, uint32_t number_size) {
  constexpr uint32_t kShare = 48 * 1024 / kRadiusWarps;
  int group = kWarpSize;
  while (group > kSmallestRadiusGroup && rows / group < enough) group /= 2;
  while (group > 1 && radius_layout(group, dim, number_size).bytes > kShare) group /= 2;
  return group;
}

template <typename T>
using RadiusKernel = void (*)(RadiusLaunch<T>);

template <typename T, bool kWriting>
RadiusKernel<T> radius_kernel(int dim) {
  switch (dim) {
    case 1: return search_radius<T, 1, kWriting>;
    case 2: return search_radius<T, 2, kWriting>;
    case 3: return search_radius<T, 3, kWriting>;
    case 4: return search_radius<T, 4, kWriting>;
    case 5: return search_radius<T, 5, kWriting>;
    case 6: return search_radius<T, 6, kWriting>;
    case 7: return search_radius<T, 7, kWriting>;
    case 8: return search_radius<T, 8, kWriting>;
    default: return search_radius<T, 0, kWriting>;
  }
}

// Warps share a block only to have more of them on a multiprocessor than it may have blocks.
template <typename T, bool kWriting, typename Device>
void launch_radius_search(Device& device, const RadiusLaunch<T>& launch) {
  const int warps = kRadiusWarps * launch.layout.bytes <= 48 * 1024 ? kRadiusWarps : 1;
  device.launch(kWriting ? "search_radius, writing" : "search_radius, counting",
                radius_kernel<T, kWriting>(launch.forest.dim),
                (launch.queries.count() + warps - 1) / warps, warps * kWarpSize,
                warps * launch.layout.bytes, launch);
}

// The first half: row_splits and, on the device, the totals.
template <typename T, typename Device>
CountedRadius<T> launch_radius_count(Device& device, const RadiusInput<T>& input) {
  CountedRadius<T> counted{};
  counted.input = input;
  RadiusLaunch<T>& launch = counted.launch;
  const int64_t rows = input.query_rows;
  launch.totals = device.template array<unsigned long long>("totals", kRadiusTotals);
  launch.lengths = device.template array<int64_t>("lengths", rows + 1);
  device.zero(launch.totals, kRadiusTotals);
  device.zero(launch.lengths, rows + 1);
  if (input.points.segments > 0 && input.max_neighbors > 0) {
    counted.points = build_forest(device, input.points, true);
    counted.queries =
        input.own_queries ? counted.points : build_forest(device, input.queries, false);
    const int dim = counted.points.dim;
    const int group = radius_group(rows, input.enough_groups, dim, sizeof(T));
    launch.forest = counted.points;
    launch.queries = query_groups(counted.queries, group);
    launch.layout = radius_layout(group, dim, sizeof(T));
    launch.max_distance2 = input.max_distance2;
    launch.exclude_self = input.exclude_self;
    const bool limited = input.max_neighbors < input.points.rows;
    launch.most = limited ? static_cast<int>(input.max_neighbors) : kNoMost;
    launch_radius_search<T, false>(device, launch);
  }
  device.exclusive_scan(launch.lengths, input.row_splits, rows + 1);
  launch.row_splits = input.row_splits;
  return counted;
}

// Rows that may have had more neighbours than `most`: the nearest are found by the search for k.
template <typename T, typename Device>
void launch_full_rows(Device& device, const CountedRadius<T>& counted, const Neighbours<T>& found) {
  const RadiusLaunch<T>& launch = counted.launch;
  FullRows<T> full{};
  full.queries = launch.queries;
  full.rows = counted.queries.rows;
  full.most = launch.most;
  full.row_splits = launch.row_splits;
  full.flags = device.template array<int32_t>("flags", full.rows + 1);
  full.places = device.template array<int32_t>("places", full.rows + 1);
  full.index = device.template array<int32_t>("index", full.rows);
  full.begin = device.template array<int32_t>("begin", full.queries.buckets + 1);
  device.launch("mark_full_rows", mark_full_rows<T>, blocks_for(full.rows + 1), kThreads, 0, full);
  device.exclusive_scan(full.flags, full.places, full.rows + 1);
  const int numbers = larger(full.rows, full.queries.buckets);
  device.launch("list_full_rows", list_full_rows<T>, blocks_for(numbers + 1), kThreads, 0, full);

  KnnInput<T> nearest{};
  static_cast<SearchInput<T>&>(nearest) = counted.input;
  nearest.k = launch.most;
  nearest.found = found;
  nearest.row_splits = launch.row_splits;
  Forest<T> queries = counted.queries;
  queries.index = full.index;
  queries.bucket_begin = full.begin;
  const SearchSizes sizes = search_sizes(nearest.k, counted.points.dim, counted.points.levels,
                                         sizeof(T), device.shared_bytes_per_multiprocessor());
  launch_search(device, search_launch(nearest, counted.points, queries, sizes));
}

// Of rows with `longest` places at most, `edges` in all.
template <typename T, typename Device>
void launch_row_sort(Device& device, const RadiusLaunch<T>& launch, int64_t rows, int64_t edges,
                     int64_t longest) {
  RowSort<T> sort{};
  sort.list = {rows, RowPieces::slot_count(rows, edges), launch.row_splits};
  sort.in_pieces = longest > kPiece;
  sort.most = launch.most;
  sort.capacity =
      static_cast<int>(smaller<int64_t>(longest, kPiece) + kWarpSize - 1) / kWarpSize * kWarpSize;
  sort.rows = sort.runs = launch.found;
  int64_t sorted = kPiece;
  int merges = 0;
  for (; sorted < longest; sorted *= 2) ++merges;
  Neighbours<T> other{};
  if (merges > 0) {
    other.index32 = device.template array<int32_t>("run_index", edges);
    other.distance2 = device.template array<T>("run_distance2", edges);
  }
  // The last merge ends in the rows.
  if (merges % 2 != 0) sort.runs = other;
  const int64_t threads = (sort.in_pieces ? sort.list.slots : rows) * kWarpSize;
  const uint32_t warp_bytes = static_cast<uint32_t>(sort.capacity) * (sizeof(T) + 4);
  device.launch("sort_pieces", sort_pieces<T>, (threads + kSortThreads - 1) / kSortThreads,
                kSortThreads, kSortThreads / kWarpSize * warp_bytes, sort);
  RunMerge<T> merge{sort.list, sort.most, kPiece, sort.runs, merges % 2 != 0 ? sort.rows : other};
  for (; merges > 0; --merges) {
    device.launch("merge_runs", merge_runs<T>, blocks_for(threads), kThreads, 0, merge);
    merge = {merge.list, merge.most, 2 * merge.width, merge.to, merge.from};
  }
}

// The second half, given the totals: the edges.
template <typename T, typename Device>
void launch_radius_write(Device& device, const CountedRadius<T>& counted,
                         const unsigned long long* totals, const Neighbours<T>& found) {
  const int64_t edges = static_cast<int64_t>(totals[kEdges]);
  const int64_t longest = static_cast<int64_t>(totals[kLongest]);
  if (edges == 0) return;
  RadiusLaunch<T> launch = counted.launch;
  launch.found = found;
  launch_radius_search<T, true>(device, launch);
  launch_row_sort(device, launch, counted.input.query_rows, edges, longest);
  if (longest == launch.most) launch_full_rows(device, counted, found);
}

}  // namespace hitgraph
