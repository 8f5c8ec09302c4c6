// The objects of labelled hits (see core/condensation.h): hits are sorted by event, label and row,
// so that an object is a stretch of them and its number how many began before.
#pragma once

#include "core/cuda/event_order.cuh"

namespace hitgraph {

template <typename T>
struct LabelledOrder {
  EventOrder<unsigned long long> hits;
  Global<const int64_t> labels;  // (hits)
  Global<const T> beta;          // (hits)
  int64_t noise_label;
  Global<int32_t> begins, numbers;  // (hits + 1), by place: an object begins; how many before do
  Global<int64_t> object_splits;    // (events + 1)
  // Once their number is known:
  RowPieces objects;           // a row an object: its places
  Global<int64_t> offsets;     // (objects + 1)
  Global<int32_t> object;      // (hits)
  Global<int32_t> candidates;  // (slots): of every piece of an object the best row, or -1
  Global<int64_t> points;      // (objects)
};

// One thread a hit. Labels keep their order as unsigned numbers.
template <typename T>
__global__ void put_labels(LabelledOrder<T> order) {
  const int64_t row = long_thread_number();
  if (row >= order.hits.hits) return;
  const int64_t label = order.labels[row];
  const bool noise = label <= order.noise_label;
  const auto key = static_cast<unsigned long long>(label) ^ 1ull << 63;
  order.hits.put(row, !noise, noise ? 0 : key);  // all noise is alike, so its rows stay in order
}

// One thread a place, and one more.
template <typename T>
__global__ void mark_objects(LabelledOrder<T> order) {
  const int64_t place = long_thread_number();
  if (place > order.hits.hits) return;
  bool begins = place < order.hits.begin[order.hits.events];
  if (begins && place > 0) {
    const int32_t row = order.hits.order[place], before = order.hits.order[place - 1];
    const int32_t event = order.hits.sorted_events[place];
    begins = event != order.hits.sorted_events[place - 1] ||
             int64_t(order.labels[row]) != int64_t(order.labels[before]);
  }
  order.begins[place] = begins ? 1 : 0;
}

// One thread an event.
template <typename T>
__global__ void split_objects(LabelledOrder<T> order) {
  const int64_t event = long_thread_number();
  if (event > order.hits.events) return;
  order.object_splits[event] = int(order.numbers[int(order.hits.begin[event])]);
}

// One thread a place, and one more.
template <typename T>
__global__ void number_objects(LabelledOrder<T> order) {
  const int64_t place = long_thread_number();
  if (place > order.hits.hits) return;
  const int past = order.hits.begin[order.hits.events];
  const int number = order.numbers[place];
  if (place == past) order.offsets[order.objects.rows] = past;
  if (place == order.hits.hits) return;
  const bool begins = order.begins[place] != 0;
  if (begins) order.offsets[number] = place;
  order.object[int(order.hits.order[place])] = place >= past ? -1 : begins ? number : number - 1;
}

// The hit with the largest beta, the first of equal ones, as the loop finds it that starts with
// the first hit and goes over to larger ones: a beta that is NaN is larger than none, and none is
// larger than it.
template <typename T>
struct BestHit {
  T beta = 0;
  int row = -1;

  HITGRAPH_DEVICE void offer(T other, int other_row) {
    if (other_row < 0 || other != other) return;
    if (row < 0 || other > beta || (other == beta && other_row < row)) {
      beta = other;
      row = other_row;
    }
  }
  // Of the whole warp.
  HITGRAPH_DEVICE void join() {
    for (int distance = kWarpSize / 2; distance > 0; distance /= 2) {
      const T other = __shfl_xor_sync(kFullWarp, beta, distance);
      const int other_row = __shfl_xor_sync(kFullWarp, row, distance);
      offer(other, other_row);
    }
  }
};

// A warp a piece.
template <typename T>
__global__ void find_candidates(LabelledOrder<T> order) {
  Piece piece;
  const int64_t slot = warp_number();
  if (!piece.find(order.objects, slot)) return;
  BestHit<T> best;
  for (int64_t place = piece.begin + lane_index(); place < piece.end; place += kWarpSize) {
    const int row = order.hits.order[place];
    best.offer(order.beta[row], row);
  }
  best.join();
  if (lane_index() == 0) order.candidates[slot] = best.row;
}

// A warp an object.
template <typename T>
__global__ void choose_points(LabelledOrder<T> order) {
  const int64_t object = warp_number();
  if (object >= order.objects.rows) return;
  const int64_t first = order.objects.first_slot(object);
  const int64_t pieces = (order.objects.length(object) + kPiece - 1) / kPiece;
  BestHit<T> best;
  for (int64_t piece = lane_index(); piece < pieces; piece += kWarpSize) {
    const int row = order.candidates[first + piece];
    best.offer(row < 0 ? T(0) : T(order.beta[row]), row);
  }
  best.join();
  const int first_row = order.hits.order[int64_t(order.objects.offsets[object])];
  const T first_beta = order.beta[first_row];
  if (lane_index() == 0) order.points[object] = first_beta != first_beta ? first_row : best.row;
}

}  // namespace hitgraph
