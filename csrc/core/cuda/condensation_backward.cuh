// The gradient of the potential by a hit's coordinates and weight: the sum over the objects of its
// event. A thread has a hit, 128 objects at a time are in shared memory.
#pragma once

#include "core/cuda/condensation_pairs.cuh"

namespace hitgraph {

template <typename T>
struct HitGradients {
  CondensationPairs<T> pairs;
  PiecesOf<kPairThreads> tiles;  // of hits
  Global<T> coordinates;         // (hits, dim); those of hits without an event are left alone
  Global<T> weights;             // (hits)
};

template <typename T, int kWidth>
HITGRAPH_HOST_DEVICE constexpr uint32_t hit_gradients_bytes() {
  return kPairThreads * static_cast<uint32_t>(sizeof(ObjectRecord<T, kWidth>));
}

// What a pair adds to the gradients by the coordinates, of the axes from `axis` on, and by the
// weight.
template <typename T, int kWidth>
HITGRAPH_DEVICE void add_to_hit(const Pair<T, kWidth>& pair, int axis,
                                T (&terms)[kGradientAxes<kWidth> + 1]) {
  constexpr int kAxes = kGradientAxes<kWidth>;
  const T distance2 = pair.distance2();
  PairValue<T> value;
  if (!pair.meets(distance2, value)) return;
  const T grad = pair.grad();
  terms[kAxes] += grad * value.value;
  const T by_difference = grad * pair.hit.weight * value.slope * 2 * pair.object.factor;
  for (int a = 0; a < kAxes; ++a) terms[a] += by_difference * pair.gradient_difference(axis, a);
}

// A block a tile of an event's hits.
template <typename T, int kWidth>
__global__ void __launch_bounds__(kPairThreads, kPairBlocks)
    differentiate_hits(HitGradients<T> problem) {
  constexpr int kAxes = kGradientAxes<kWidth>;
  using Object = ObjectRecord<T, kWidth>;
  const CondensationPairs<T>& pairs = problem.pairs;
  EventTile tile;
  if (!tile.find(problem.tiles, blockIdx.x, pairs.hits)) return;
  const RowRange objects = range_of(pairs.object_splits, tile.event, pairs.objects);
  const Shared<Object> records = shared_array<Object>(0, kPairThreads);
  const int64_t row = tile.rows.begin + threadIdx.x;
  const bool present = row < tile.rows.end;
  HitRecord<T, kWidth> hit{};
  if (present) hit.load(pairs, row);
  for (int axis = 0; axis < pairs.dim; axis += kAxes) {
    SerialSums<T, kAxes + 1> sums;
    for (int64_t begin = objects.begin; begin < objects.end; begin += kPairThreads) {
      const int count = share_records(pairs, begin, objects.end, records);
      for (int first = 0; present && first < count; first += kSerialTerms) {
        const int past = smaller(first + kSerialTerms, count);
        for (int place = first; place < past; ++place) {
          const Object object = records[place];
          const Pair<T, kWidth> pair{pairs, hit, object,
                                     hit.object == static_cast<int32_t>(begin) + place};
          add_to_hit(pair, axis, sums.terms);
        }
        sums.end_block();
      }
    }
    if (!present) continue;
    for (int a = 0; a < kAxes; ++a) {
      if (axis + a < pairs.dim) {
        problem.coordinates[row * pairs.dim + axis + a] = static_cast<T>(sums.sums[a]);
      }
    }
    problem.weights[row] = static_cast<T>(sums.sums[kAxes]);
  }
}

}  // namespace hitgraph
