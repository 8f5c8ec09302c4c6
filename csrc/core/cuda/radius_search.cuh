// The neighbours of a group of queries within a radius, by one warp: counted by one kernel, written
// by another, which runs the same code.
//
// The walk enters every box that the radius reaches from the box of the queries that ask; whether a
// bucket is scanned is asked for every query with its own bound (lane q for query q). A query asks
// until it has found all it may: as many as fit when neighbours are counted, those of its row when
// they are written. Nothing depends on the order of boxes, so a warp's neighbours are always found
// in the same order, and each has its place.
//
// Shared memory (RadiusLayout, one a warp): a record a query, its coordinates, that every lane
// reads at once, and the corners of the queries' box. All else is in registers, of query q those of
// lane q, of level l of the walk those of lane l. __syncwarp orders what a warp does; warps share
// nothing.
#pragma once

#include "core/cuda/group_walk.cuh"

namespace hitgraph {

// Offsets in bytes, for a warp with `group` queries.
struct RadiusLayout {
  int stride;  // numbers in a query's record
  uint32_t records, low, high;
  uint32_t bytes;
};

HITGRAPH_HOST_DEVICE RadiusLayout radius_layout(int group, int dim, uint32_t number_size) {
  RadiusLayout layout;
  layout.stride = record_size(dim, number_size);
  const uint32_t corner = static_cast<uint32_t>(layout.stride) * number_size;
  layout.records = 0;
  layout.low = static_cast<uint32_t>(group) * corner;
  layout.high = layout.low + corner;
  layout.bytes = layout.high + corner;
  return layout;
}

// What is known of all rows together before any is written.
constexpr int kEdges = 0, kLongest = 1, kRadiusTotals = 2;

template <typename T>
struct RadiusLaunch {
  Forest<T> forest;  // of the points
  QueryGroups<T> queries;
  RadiusLayout layout;
  T max_distance2;
  bool exclude_self;
  // What a row may have. Counting stops there, and a row that has as many is not written: which of
  // its neighbours are the nearest is another search's matter.
  int most;
  // Counting:
  Global<int64_t> lengths;            // of rows; those that do not ask are left alone
  Global<unsigned long long> totals;  // (kRadiusTotals)
  // Writing, in no order within a row:
  Global<const int64_t> row_splits;
  Neighbours<T> found;
};

template <typename T, int kDim, bool kWriting>
class RadiusSearch {
 public:
  HITGRAPH_DEVICE RadiusSearch(const RadiusLaunch<T>& launch, int warp)
      : launch_(launch),
        forest_(launch.forest),
        place_of_records_(static_cast<uint32_t>(warp) * launch.layout.bytes +
                          launch.layout.records),
        records_(shared_array<T>(place_of_records_, launch.queries.size * launch.layout.stride)),
        low_(shared_array<T>(static_cast<uint32_t>(warp) * launch.layout.bytes + launch.layout.low,
                             forest_.dim)),
        high_(shared_array<T>(
            static_cast<uint32_t>(warp) * launch.layout.bytes + launch.layout.high, forest_.dim)) {}

  HITGRAPH_DEVICE void run(int number) {
    const QueryGroup group = launch_.queries.group(number);
    if (group.count <= 0) return;
    const bool present = lane_index() < group.count;
    const int row = present ? int(launch_.queries.index[group.begin + lane_index()]) : 0;
    if (present) start(row);
    asking_ = __ballot_sync(kFullWarp, left_ > 0);
    if (asking_ != 0) search(group.segment);
    if (!kWriting) finish(row, present);
  }

 private:
  using Record = QueryRecord<T, (kDim > 0 ? kDim : 1)>;

  HITGRAPH_DEVICE int dim() const { return kDim > 0 ? kDim : forest_.dim; }
  HITGRAPH_DEVICE int stride() const { return kDim > 0 ? Record::kSize : launch_.layout.stride; }

  // This lane's query.
  HITGRAPH_DEVICE void start(int row) {
    write_record(records_, stride(), dim(), launch_.queries.coordinates, row, T(0));
    self_ = launch_.exclude_self ? row : -1;
    left_ = launch_.most;
    if (kWriting) {
      place_ = launch_.row_splits[row];
      const int64_t past = launch_.row_splits[row + 1];
      const int length = static_cast<int>(past - place_);
      left_ = length < launch_.most ? length : 0;
    }
  }

  HITGRAPH_DEVICE void search(int segment) {
    const bool asks = (asking_ >> lane_index() & 1u) != 0;
    box_records(records_, stride(), dim(), asks, low_, high_);
    unsigned near = 0;  // lane l: the children on level l that are yet to be entered
    walk_boxes(
        forest_, segment,
        [&](int level, int parent) {
          const unsigned children = near_children(segment, level, parent);
          if (lane_index() == level) near = children;
        },
        [&](int level) {
          const unsigned rest = asking_ != 0 ? __shfl_sync(kFullWarp, near, level) : 0u;
          if (lane_index() == level) near = rest & (rest - 1);
          return __ffs(static_cast<int>(rest)) - 1;
        },
        [&](int bucket) { scan_bucket(bucket); });
  }

  HITGRAPH_DEVICE unsigned near_children(int segment, int level, int parent) const {
    const auto nodes = forest_.nodes(segment, level);
    const int child = parent * kWarpSize + lane_index();
    bool near = false;
    if (child < nodes.count) {
      const int slot = forest_.level_slot[level] + nodes.first + child;
      near = box_bound(forest_, dim(), slot, [&](int axis) {
               return Interval<T>{low_[axis], high_[axis]};
             }) <= launch_.max_distance2;
    }
    return __ballot_sync(kFullWarp, near);
  }

  HITGRAPH_DEVICE void scan_bucket(int bucket) {
    const unsigned near = queries_that_reach(bucket);
    if (near == 0) return;
    candidate_.load(forest_, dim(), bucket);
    for (unsigned rest = near; rest != 0; rest &= rest - 1) scan_for(__ffs(rest) - 1);
    asking_ = __ballot_sync(kFullWarp, left_ > 0);
  }

  // Lane q: whether query q asks, and its radius reaches into the bucket's box.
  HITGRAPH_DEVICE unsigned queries_that_reach(int bucket) const {
    bool reaches = false;
    if (asking_ >> lane_index() & 1u) {
      const int record = lane_index() * stride();
      reaches = box_bound(forest_, dim(), bucket, [&](int axis) {
                  const T query = records_[record + axis];
                  return Interval<T>{query, query};
                }) <= launch_.max_distance2;
    }
    return __ballot_sync(kFullWarp, reaches);
  }

  HITGRAPH_DEVICE T distance2_to(int query) const {
    if constexpr (kDim > 0) {
      const Shared<const Record> records =
          shared_array<const Record>(place_of_records_, launch_.queries.size);
      const Record record = records[query];
      return candidate_.distance2(forest_, kDim, [&](int axis) { return record.value[axis]; });
    } else {
      const int record = query * stride();
      return candidate_.distance2(forest_, dim(),
                                  [&](int axis) { return T(records_[record + axis]); });
    }
  }

  HITGRAPH_DEVICE void scan_for(int query) {
    const T distance2 = distance2_to(query);
    const int self = __shfl_sync(kFullWarp, self_, query);
    const bool found =
        candidate_.index >= 0 && candidate_.index != self && distance2 <= launch_.max_distance2;
    const unsigned lanes = __ballot_sync(kFullWarp, found);
    if (lanes == 0) return;
    if constexpr (kWriting) {
      const int64_t place = __shfl_sync(kFullWarp, place_, query);
      if (found) {
        launch_.found.write(place + __popc(lanes & lanes_below()), distance2, candidate_.index);
      }
      if (lane_index() == query) place_ += __popc(lanes);
    }
    if (lane_index() == query) left_ -= __popc(lanes);
  }

  // The bucket that filled a row may have had more than fitted.
  HITGRAPH_DEVICE void finish(int row, bool present) {
    const int length = present ? launch_.most - larger(left_, 0) : 0;
    if (present) launch_.lengths[row] = length;
    const int longest = warp_max(length);
    const int64_t edges = warp_sum(static_cast<int64_t>(length));
    if (lane_index() != 0 || edges == 0) return;
    atomicMax(launch_.totals + kLongest, static_cast<unsigned long long>(longest));
    atomicAdd(launch_.totals + kEdges, static_cast<unsigned long long>(edges));
  }

  const RadiusLaunch<T>& launch_;
  const Forest<T>& forest_;
  const uint32_t place_of_records_;
  const Shared<T> records_, low_, high_;

  unsigned asking_ = 0;           // the queries that search
  int self_ = -1;                 // lane q: the index that query q must not find, or -1,
  int left_ = 0;                  // how many it may still find,
  int64_t place_ = 0;             // and where the next goes
  Candidate<T, kDim> candidate_;  // of the bucket that is scanned
};

// A warp a group.
template <typename T, int kDim, bool kWriting>
__global__ void search_radius(RadiusLaunch<T> launch) {
  const int warps = static_cast<int>(blockDim.x) / kWarpSize;
  const int warp = static_cast<int>(threadIdx.x) / kWarpSize;
  const int64_t group = static_cast<int64_t>(blockIdx.x) * warps + warp;
  if (group >= launch.queries.count()) return;
  RadiusSearch<T, kDim, kWriting> search(launch, warp);
  search.run(static_cast<int>(group));
}

// Rows with as many neighbours as a row may have, `most`: the list of queries with such a row, in
// the order of the queries' forest, and where each bucket starts in it.
template <typename T>
struct FullRows {
  QueryGroups<T> queries;
  int rows, most;
  Global<const int64_t> row_splits;
  Global<int32_t> flags, places;  // (rows + 1), by position: has such a row; how many before have
  Global<int32_t> index;          // (rows)
  Global<int32_t> begin;          // (buckets + 1)
};

// One thread a position.
template <typename T>
__global__ void mark_full_rows(FullRows<T> full) {
  const int position = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (position > full.rows) return;
  bool marked = false;
  if (position < full.queries.begin[full.queries.buckets]) {
    const int row = full.queries.index[position];
    const int64_t begin = full.row_splits[row], end = full.row_splits[row + 1];
    marked = end - begin == full.most;
  }
  full.flags[position] = marked ? 1 : 0;
}

// One thread a position, or a bucket if there are more of them.
template <typename T>
__global__ void list_full_rows(FullRows<T> full) {
  const int number = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (number < full.rows && full.flags[number] != 0) {
    const int place = full.places[number];
    full.index[place] = int(full.queries.index[number]);
  }
  if (number > full.queries.buckets) return;
  full.begin[number] = int(full.places[int(full.queries.begin[number])]);
}

}  // namespace hitgraph
