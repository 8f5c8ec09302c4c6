// The launches of object condensation's operators, for any Device (see forest_build.h).
#pragma once

#include <type_traits>

#include "core/cuda/condensation.cuh"
#include "core/cuda/condensation_backward.cuh"
#include "core/cuda/condensation_objects.cuh"
#include "core/cuda/event_order_launches.h"

namespace hitgraph {

// The first half of condensation_objects: labels and beta given, `hits.order` and `object_splits`
// are written, whose last is the number of objects.
template <typename T, typename Device>
void launch_object_count(Device& device, LabelledOrder<T>& order, Global<const int64_t> row_splits,
                         int64_t hits, int64_t events, Global<int32_t> places) {
  order.hits = event_order<unsigned long long>(device, row_splits, hits, events);
  order.hits.order = places;
  order.begins = device.template array<int32_t>("begins", hits + 1);
  order.numbers = device.template array<int32_t>("numbers", hits + 1);
  device.launch("put_labels", put_labels<T>, event_blocks(hits), kEventThreads, 0, order);
  launch_event_order(device, order.hits);
  device.launch("mark_objects", mark_objects<T>, event_blocks(hits + 1), kEventThreads, 0, order);
  device.exclusive_scan(order.begins, order.numbers, hits + 1);
  device.launch("split_objects", split_objects<T>, event_blocks(events + 1), kEventThreads, 0,
                order);
}

// The second, with `object`, `offsets` and `points` of so many objects.
template <typename T, typename Device>
void launch_objects(Device& device, LabelledOrder<T> order, int64_t objects) {
  const int64_t hits = order.hits.hits;
  order.objects = {objects, RowPieces::slot_count(objects, hits), order.offsets};
  order.candidates = device.template array<int32_t>("candidates", order.objects.slots);
  device.launch("number_objects", number_objects<T>, event_blocks(hits + 1), kEventThreads, 0,
                order);
  device.launch("find_candidates", find_candidates<T>,
                event_blocks(order.objects.slots * kWarpSize), kEventThreads, 0, order);
  device.launch("choose_points", choose_points<T>, event_blocks(objects * kWarpSize), kEventThreads,
                0, order);
}

// Pieces of an event's hits, at most: blocks enough to keep a GPU busy, few enough that blocks and
// the sums that are kept grow with the events and the objects alone.
constexpr int64_t kMostHitPieces = 128, kEnoughSums = 65536;

inline int most_hit_pieces(int64_t events, int64_t objects) {
  const int64_t pieces = kEnoughSums / larger<int64_t>(larger(events, objects), 1);
  return static_cast<int>(larger<int64_t>(smaller(pieces, kMostHitPieces), 1));
}

// Calls launch(std::integral_constant<int, kWidth>()).
template <typename Launch>
void with_width(int dim, const Launch& launch) {
  if (dim <= 4) return launch(std::integral_constant<int, 4>());
  if (dim <= 8) return launch(std::integral_constant<int, 8>());
  return launch(std::integral_constant<int, 0>());
}

template <bool kBackward, typename T, typename Device>
void launch_object_sums(Device& device, const CondensationPairs<T>& pairs, int columns,
                        Global<T> matrix, Global<T> last) {
  ObjectSums<T> sums{};
  sums.pairs = pairs;
  sums.tiles = {pairs.events, PiecesOf<kPairThreads>::slot_count(pairs.events, pairs.objects),
                pairs.object_splits};
  sums.most_pieces = most_hit_pieces(pairs.events, pairs.objects);
  sums.columns = columns;
  sums.matrix = matrix;
  sums.last = last;
  sums.partial =
      device.template array<double>("partial", sums.most_pieces * (columns + 1) * pairs.objects);
  const int64_t blocks = pairs.objects == 0 ? 0 : sums.tiles.slots * sums.most_pieces;
  with_width(pairs.dim, [&](auto width) {
    constexpr int kWidth = decltype(width)::value;
    device.launch("sum_objects", sum_objects<T, kWidth, kBackward>, blocks, kPairThreads,
                  object_sums_bytes<T, kWidth, kBackward>(), sums);
  });
  device.launch("join_objects", join_objects<T>, event_blocks(pairs.objects * (columns + 1)),
                kEventThreads, 0, sums);
}

template <typename T, typename Device>
void launch_condensation_potential(Device& device, const CondensationPairs<T>& pairs,
                                   Global<T> attraction, Global<T> repulsion) {
  launch_object_sums<false>(device, pairs, 1, attraction, repulsion);
}

// By everything; `gradients` with coordinates and weights.
template <typename T, typename Device>
void launch_condensation_backward(Device& device, const CondensationPairs<T>& pairs,
                                  HitGradients<T> gradients, Global<T> centres, Global<T> factors) {
  gradients.pairs = pairs;
  gradients.tiles = {pairs.events, PiecesOf<kPairThreads>::slot_count(pairs.events, pairs.hits),
                     pairs.row_splits};
  // What malformed splits leave out.
  device.zero(gradients.coordinates, pairs.hits * pairs.dim);
  device.zero(gradients.weights, pairs.hits);
  with_width(pairs.dim, [&](auto width) {
    constexpr int kWidth = decltype(width)::value;
    device.launch("differentiate_hits", differentiate_hits<T, kWidth>,
                  pairs.hits == 0 ? 0 : gradients.tiles.slots, kPairThreads,
                  hit_gradients_bytes<T, kWidth>(), gradients);
  });
  launch_object_sums<true>(device, pairs, pairs.dim, centres, factors);
}

}  // namespace hitgraph
