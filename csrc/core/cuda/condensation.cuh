// Sums over the hits of an object's event: the potential, and its gradient by centres and factors.
//
// A thread has an object, 128 hits at a time are in shared memory. Where an event has few objects,
// several threads have the same one and every so-manieth hit. An event's hits are dealt out in
// pieces, whose sums are joined by another launch, in order: the same bits on every run.
#pragma once

#include "core/cuda/condensation_pairs.cuh"

namespace hitgraph {

// Pieces of fewer hits are not worth a block.
constexpr int kLeastPieceHits = 256;
// Threads that have the same hit, at least.
constexpr int kLeastObjectWidth = 8;

// Sums are made of `columns` + 1 numbers an object; what stands last has an array of its own.
template <typename T>
struct ObjectSums {
  CondensationPairs<T> pairs;
  PiecesOf<kPairThreads> tiles;  // of objects
  int most_pieces;               // of the hits of one event
  int columns;
  Global<double> partial;  // (most_pieces, columns + 1, objects)
  Global<T> matrix;        // (objects, columns): attraction, or the gradient of the centres
  Global<T> last;          // (objects): repulsion, or the gradient of the factors

  // How many pieces the hits of an event have.
  HITGRAPH_DEVICE int pieces_of(const RowRange& hits) const {
    const int64_t pieces = (hits.size() + kLeastPieceHits - 1) / kLeastPieceHits;
    return static_cast<int>(smaller<int64_t>(pieces, most_pieces));
  }
};

// Of a block's threads: which object of its tile, and which of its hits.
struct ObjectColumn {
  int width, slices, column, slice;

  HITGRAPH_DEVICE explicit ObjectColumn(int objects) {
    width = kLeastObjectWidth;
    while (width < objects) width *= 2;
    slices = kPairThreads / width;
    column = static_cast<int>(threadIdx.x) % width;
    slice = static_cast<int>(threadIdx.x) / width;
  }
};

template <typename T, int kWidth, bool kBackward>
constexpr int kObjectSums = kBackward ? kGradientAxes<kWidth> + 1 : 2;

template <typename T, int kWidth, bool kBackward>
HITGRAPH_HOST_DEVICE constexpr uint32_t object_sums_bytes() {
  return kPairThreads * (static_cast<uint32_t>(sizeof(HitRecord<T, kWidth>)) +
                         kObjectSums<T, kWidth, kBackward> * 8u);
}

// What a pair adds: forward to attraction and repulsion, backward to the gradients by the centre,
// of the axes from `axis` on, and by the factor.
template <bool kBackward, typename T, int kWidth>
HITGRAPH_DEVICE void add_to_object(const Pair<T, kWidth>& pair, int axis,
                                   T (&terms)[kObjectSums<T, kWidth, kBackward>]) {
  const T distance2 = pair.distance2();
  PairValue<T> value;
  if (!pair.meets(distance2, value)) return;
  if constexpr (kBackward) {
    const T slope = pair.grad() * pair.hit.weight * value.slope;
    constexpr int kAxes = kGradientAxes<kWidth>;
    terms[kAxes] += slope * distance2;
    const T by_difference = slope * 2 * pair.object.factor;
    for (int a = 0; a < kAxes; ++a) terms[a] -= by_difference * pair.gradient_difference(axis, a);
  } else {
    const T term = pair.hit.weight * value.value;
    if (pair.own) {
      terms[0] += term;
    } else {
      terms[1] += term;
    }
  }
}

// A block's sums over its share of hits, in each thread those over its slice.
template <typename T, int kWidth, bool kBackward>
HITGRAPH_DEVICE void sum_slice(const CondensationPairs<T>& pairs, const RowRange& hits,
                               const ObjectColumn& column, bool present, int64_t number,
                               int first_axis,
                               SerialSums<T, kObjectSums<T, kWidth, kBackward>>& sums) {
  using Hit = HitRecord<T, kWidth>;
  const Shared<Hit> tile = shared_array<Hit>(0, kPairThreads);
  ObjectRecord<T, kWidth> object{};
  if (present) object.load(pairs, number);
  for (int64_t begin = hits.begin; begin < hits.end; begin += kPairThreads) {
    const int count = share_records(pairs, begin, hits.end, tile);
    const int step = column.slices * kSerialTerms;
    for (int first = column.slice; present && first < count; first += step) {
      const int past = smaller(first + step, count);
      for (int place = first; place < past; place += column.slices) {
        const Hit hit = tile[place];
        const Pair<T, kWidth> pair{pairs, hit, object, hit.object == static_cast<int32_t>(number)};
        add_to_object<kBackward>(pair, first_axis, sums.terms);
      }
      sums.end_block();
    }
  }
}

// A block a tile of objects and a piece of their event's hits.
template <typename T, int kWidth, bool kBackward>
__global__ void __launch_bounds__(kPairThreads, kPairBlocks) sum_objects(ObjectSums<T> problem) {
  constexpr int kSums = kObjectSums<T, kWidth, kBackward>;
  const CondensationPairs<T>& pairs = problem.pairs;
  EventTile tile;
  if (!tile.find(problem.tiles, blockIdx.x / problem.most_pieces, pairs.objects)) return;
  const int piece = static_cast<int>(blockIdx.x) % problem.most_pieces;
  const RowRange all = range_of(pairs.row_splits, tile.event, pairs.hits);
  const int pieces = problem.pieces_of(all);
  if (piece >= pieces) return;
  const int share = (static_cast<int>(all.size()) + pieces - 1) / pieces;
  const int64_t begin = all.begin + piece * share;
  const RowRange hits{begin, smaller(begin + share, all.end)};
  const ObjectColumn column(static_cast<int>(tile.rows.size()));
  const int64_t number = tile.rows.begin + column.column;
  const bool present = number < tile.rows.end;
  const Shared<double> held = shared_array<double>(
      kPairThreads * static_cast<uint32_t>(sizeof(HitRecord<T, kWidth>)), kSums * kPairThreads);
  for (int axis = 0; axis < problem.columns; axis += kSums - 1) {
    SerialSums<T, kSums> sums;
    sum_slice<T, kWidth, kBackward>(pairs, hits, column, present, number, axis, sums);
    for (int i = 0; i < kSums; ++i) held[i * kPairThreads + threadIdx.x] = sums.sums[i];
    __syncthreads();
    for (int i = 0; present && column.slice == 0 && i < kSums; ++i) {
      // The last is the same for all axes.
      const int sum = i == kSums - 1 ? problem.columns : axis + i;
      if (i < kSums - 1 && sum >= problem.columns) continue;
      double total = 0;
      for (int slice = 0; slice < column.slices; ++slice) {
        total += held[i * kPairThreads + slice * column.width + column.column];
      }
      problem.partial[(static_cast<int64_t>(piece) * (problem.columns + 1) + sum) * pairs.objects +
                      number] = total;
    }
  }
}

// One thread a sum of an object: its pieces, in order.
template <typename T>
__global__ void join_objects(ObjectSums<T> problem) {
  const CondensationPairs<T>& pairs = problem.pairs;
  const int64_t thread = long_thread_number(), sums = problem.columns + 1;
  if (thread >= pairs.objects * sums) return;
  const int64_t sum = thread / pairs.objects, number = thread % pairs.objects;
  int pieces = 0;
  if (pairs.events > 0) {
    const int64_t event =
        last_not_beyond(pairs.events, number, [&](int64_t e) { return pairs.object_splits[e]; });
    const RowRange objects = range_of(pairs.object_splits, event, pairs.objects);
    const bool there = objects.begin <= number && number < objects.end;
    if (there) pieces = problem.pieces_of(range_of(pairs.row_splits, event, pairs.hits));
  }
  double total = 0;
  for (int piece = 0; piece < pieces; ++piece) {
    total += problem.partial[(piece * sums + sum) * pairs.objects + number];
  }
  if (sum < problem.columns) {
    problem.matrix[number * problem.columns + sum] = static_cast<T>(total);
  } else {
    problem.last[number] = static_cast<T>(total);
  }
}

}  // namespace hitgraph
