// The launches of one search, for any Device (see forest_build.h).
#pragma once

#include "core/cuda/forest_build.h"
#include "core/cuda/knn_search.cuh"
#include "core/cuda/search_input.h"
#include "core/cuda/tile_launches.h"
#include "core/guess.h"

namespace hitgraph {

template <typename T>
struct KnnInput : SearchInput<T> {
  int64_t k = 0;
  Neighbours<T> found;
  Global<const int64_t> row_splits;  // of a compressed list, see KnnLaunch
  Global<unsigned long long> counters;
  // Points a segment, on average, up to which all pairs are compared in many dimensions: boxes take
  // longer to make than they save.
  int64_t few_points = 4096;
};

// What a search takes of a multiprocessor's shared memory: `group` queries a warp.
struct SearchSizes {
  int group;
  PoolSizes pool;
  SearchLayout layout;
};

// The largest group of which enough warps fit on a multiprocessor, one query at least: twelve,
// fewer where there is less shared memory, since a small group spends its time on pilots. Shared
// memory is given in units, and a block may have 48 KB without asking.
inline SearchSizes search_sizes(int64_t k, int dim, int levels, uint32_t number_size,
                                int64_t shared_bytes_per_multiprocessor) {
  constexpr int64_t kUnit = 128, kReserved = 1024, kBlockLimit = 48 * 1024;
  const int64_t kilobytes = shared_bytes_per_multiprocessor / 1024;
  const int64_t warps = kilobytes >= 128 ? 12 : kilobytes >= 80 ? 8 : 6;
  SearchSizes sizes;
  const int per_pass = static_cast<int>(k < kMostPerPass ? k : kMostPerPass);
  sizes.pool = pool_sizes(per_pass, 24);
  const int64_t share = shared_bytes_per_multiprocessor / warps / kUnit * kUnit - kReserved;
  for (sizes.group = kWarpSize / 2; sizes.group > 0; sizes.group /= 2) {
    sizes.layout = search_layout(sizes.group, dim, levels, sizes.pool.capacity, number_size);
    if (sizes.group == 1 || sizes.layout.bytes <= (share < kBlockLimit ? share : kBlockLimit))
      break;
  }
  return sizes;
}

// Volumes, chosen by counting candidates (docs/decisions.md). The shell holds k and half of a
// reserve: a larger one scans more, a smaller one needs a second layer more often. A margin costs
// places in the pool, and nothing if it is cut; too small a one costs a search, which is dear in
// many dimensions.
template <typename T>
GuessFactors<T> guess_factors(int64_t k, int64_t dim) {
  const double shell = 1 + 0.5 * static_cast<double>(guess_reserve(k)) / static_cast<double>(k);
  return {radius2_factor<T>(shell, dim), radius2_factor<T>(dim <= 4 ? 2.0 : 20.0, dim),
          radius2_factor<T>(4.0, dim)};
}

template <typename T>
using SearchKernel = void (*)(KnnLaunch<T>);

// The counting build is not specialised: counts do not depend on how loops are unrolled.
template <typename T>
SearchKernel<T> search_kernel(int dim, bool counting) {
  if (counting) return search_groups<T, 0, true>;
  switch (dim) {
    case 1: return search_groups<T, 1, false>;
    case 2: return search_groups<T, 2, false>;
    case 3: return search_groups<T, 3, false>;
    case 4: return search_groups<T, 4, false>;
    case 5: return search_groups<T, 5, false>;
    case 6: return search_groups<T, 6, false>;
    case 7: return search_groups<T, 7, false>;
    case 8: return search_groups<T, 8, false>;
    default: return search_groups<T, 0, false>;
  }
}

template <typename T>
KnnLaunch<T> search_launch(const KnnInput<T>& input, const Forest<T>& points,
                           const Forest<T>& queries, const SearchSizes& sizes) {
  KnnLaunch<T> launch{};
  launch.forest = points;
  launch.queries = query_groups(queries, sizes.group);
  launch.k = static_cast<int>(input.k);
  launch.pool = sizes.pool;
  launch.layout = sizes.layout;
  launch.guess = guess_factors<T>(input.k, points.dim);
  launch.max_distance2 = input.max_distance2;
  launch.exclude_self = input.exclude_self;
  launch.found = input.found;
  launch.row_splits = input.row_splits;
  launch.counters = input.counters;
  return launch;
}

// Compiled by knn.cu alone, as is build_forest (search_instances.h).
template <typename T, typename Device>
void launch_search(Device& device, const KnnLaunch<T>& launch) {
  device.launch("search_groups", search_kernel<T>(launch.forest.dim, launch.counters != nullptr),
                launch.queries.count(), kWarpSize, launch.layout.bytes, launch);
}

// Rows whose flag is 0 do not ask.
template <typename T, typename Device>
void launch_absent(Device& device, const KnnInput<T>& input, Global<const int32_t> flags) {
  const AbsentRows<T> absent{flags, static_cast<int>(input.query_rows), static_cast<int>(input.k),
                             input.found};
  device.launch("fill_absent", fill_absent<T>, blocks_for(input.query_rows + kWarpSize), kThreads,
                0, absent);
}

// The queries of a bucket together, in tiles; see tile_search.cuh.
template <typename T, typename Device>
void launch_tiles(Device& device, const KnnInput<T>& input, bool every_pair,
                  const TileSizes& sizes) {
  const auto build = [&](const ForestInput<T>& of, bool points) {
    return every_pair ? build_row_order(device, of, points) : build_forest(device, of, points);
  };
  const Forest<T> points = build(input.points, true);
  const Forest<T> queries = input.own_queries ? points : build(input.queries, false);
  launch_absent(device, input, queries.flags);
  TileLaunch<T> launch{};
  launch.forest = points;
  launch.queries = query_groups(queries, sizes.layout.warps * kWarpQueries);
  launch.k = static_cast<int>(input.k);
  launch.pool = sizes.pool;
  launch.layout = sizes.layout;
  launch.max_distance2 = input.max_distance2;
  launch.exclude_self = input.exclude_self;
  launch.found = input.found;
  launch.counters = input.counters;
  launch_tile_search(device, launch);
}

template <typename T, typename Device>
void launch_knn(Device& device, const KnnInput<T>& input) {
  if (input.points.segments == 0) {
    const Global<int32_t> nobody = device.template array<int32_t>("nobody", input.query_rows + 1);
    device.zero(nobody, input.query_rows + 1);
    return launch_absent(device, input, nobody);
  }
  const bool every_pair = input.points.rows / input.points.segments <= input.few_points;
  if (input.points.dim >= (every_pair ? kEveryPairDim : kTileDim)) {
    Forest<T> numbered{};
    number_forest(numbered, input.points);
    const int levels = every_pair ? 0 : numbered.levels;
    const TileSizes sizes = tile_sizes(input.k, input.points.dim, levels, sizeof(T));
    if (sizes.layout.warps > 0) return launch_tiles(device, input, every_pair, sizes);
  }
  const Forest<T> points = build_forest(device, input.points, true);
  const Forest<T> queries = input.own_queries ? points : build_forest(device, input.queries, false);
  launch_absent(device, input, queries.flags);
  const SearchSizes sizes = search_sizes(input.k, points.dim, points.levels, sizeof(T),
                                         device.shared_bytes_per_multiprocessor());
  launch_search(device, search_launch(input, points, queries, sizes));
}

}  // namespace hitgraph
