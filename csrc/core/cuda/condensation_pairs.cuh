// Pairs of a hit and an object of its event (see core/condensation.h), as kernels meet them: one
// side a thread's own, the other in shared memory, where all threads of a block go through it.
#pragma once

#include "core/condensation_rules.h"
#include "core/cuda/row_pieces.cuh"
#include "core/distance.h"

namespace hitgraph {

constexpr int kPairThreads = 128;
// Of a multiprocessor, at least.
constexpr int kPairBlocks = 3;
// Terms are added one after the other in T up to so many, those sums in double.
constexpr int kSerialTerms = 16;
// Axes whose gradients a thread keeps at once.
template <int kWidth>
constexpr int kGradientAxes = kWidth > 0 ? kWidth : 8;

// Hits have rows, objects numbers through all events. Order and offsets of the objects' hits are
// not needed: a hit says whose it is.
template <typename T>
struct CondensationPairs {
  Global<const T> coordinates;                      // (hits, dim)
  Global<const T> weights;                          // (hits)
  Global<const T> centres;                          // (objects, dim)
  Global<const T> factors;                          // (objects)
  Global<const int32_t> object;                     // (hits)
  Global<const int64_t> row_splits;                 // (events + 1)
  Global<const int64_t> object_splits;              // (events + 1)
  Global<const T> grad_attraction, grad_repulsion;  // (objects), backward alone
  int64_t hits, objects, events;
  int dim;
  Attraction attraction;
  Repulsion repulsion;
  T epsilon;
};

// Neighbouring rows, of hits or of objects.
struct RowRange {
  int64_t begin, end;

  HITGRAPH_DEVICE int64_t size() const { return end - begin; }
};

// Those of an event; none where splits are malformed.
HITGRAPH_DEVICE RowRange range_of(Global<const int64_t> splits, int64_t event, int64_t rows) {
  const RowRange range{splits[event], splits[event + 1]};
  const bool good = 0 <= range.begin && range.begin <= range.end && range.end <= rows;
  return good ? range : RowRange{0, 0};
}

// A tile of an event's rows that a block has; false if there is none.
struct EventTile {
  int64_t event;
  RowRange rows;

  HITGRAPH_DEVICE bool find(const PiecesOf<kPairThreads>& tiles, int64_t slot, int64_t all) {
    Piece piece;
    if (!piece.find(tiles, slot)) return false;
    event = piece.row;
    const RowRange every = range_of(tiles.offsets, event, all);
    rows = {piece.begin, piece.end};
    return every.begin <= rows.begin && rows.begin < rows.end && rows.end <= every.end;
  }
};

// A row of coordinates: in registers, axes beyond the last 0, or, in more than kWidth dimensions
// (kWidth = 0), where it lies.
template <typename T, int kWidth>
struct Position {
  T axes[kWidth];

  HITGRAPH_DEVICE void load(Global<const T> rows, int64_t row, int dim) {
    for (int axis = 0; axis < kWidth; ++axis) {
      axes[axis] = axis < dim ? T(rows[row * dim + axis]) : T(0);
    }
  }
  HITGRAPH_DEVICE T at(Global<const T>, int, int axis) const { return axes[axis]; }
};
template <typename T>
struct Position<T, 0> {
  int64_t first;

  HITGRAPH_DEVICE void load(Global<const T>, int64_t row, int dim) { first = row * dim; }
  HITGRAPH_DEVICE T at(Global<const T> rows, int dim, int axis) const {
    return axis < dim ? T(rows[first + axis]) : T(0);
  }
};

template <typename T, int kWidth>
struct alignas(16) HitRecord {
  Position<T, kWidth> position;
  T weight;
  int32_t object;

  HITGRAPH_DEVICE void load(const CondensationPairs<T>& pairs, int64_t row) {
    position.load(pairs.coordinates, row, pairs.dim);
    weight = pairs.weights[row];
    object = pairs.object[row];
  }
};

template <typename T, int kWidth>
struct alignas(16) ObjectRecord {
  Position<T, kWidth> position;
  T factor, grad_attraction, grad_repulsion;

  HITGRAPH_DEVICE void load(const CondensationPairs<T>& pairs, int64_t number) {
    position.load(pairs.centres, number, pairs.dim);
    factor = pairs.factors[number];
    const bool backward = pairs.grad_attraction != nullptr;
    grad_attraction = backward ? T(pairs.grad_attraction[number]) : T(0);
    grad_repulsion = backward ? T(pairs.grad_repulsion[number]) : T(0);
  }
};

// Puts the records of the rows from `begin` on, one a thread, where all of the block can read them;
// returns how many there are.
template <typename Record, typename T>
HITGRAPH_DEVICE int share_records(const CondensationPairs<T>& pairs, int64_t begin, int64_t end,
                                  const Shared<Record>& shared) {
  const int count = static_cast<int>(smaller<int64_t>(end - begin, kPairThreads));
  __syncthreads();
  if (static_cast<int>(threadIdx.x) < count) {
    Record record;
    record.load(pairs, begin + threadIdx.x);
    shared[threadIdx.x] = record;
  }
  __syncthreads();
  return count;
}

// One hit and one object.
template <typename T, int kWidth>
struct Pair {
  const CondensationPairs<T>& pairs;
  const HitRecord<T, kWidth>& hit;
  const ObjectRecord<T, kWidth>& object;
  bool own;  // the hit is the object's

  HITGRAPH_DEVICE T difference(int axis) const {
    return hit.position.at(pairs.coordinates, pairs.dim, axis) -
           object.position.at(pairs.centres, pairs.dim, axis);
  }
  HITGRAPH_DEVICE T distance2() const {
    T sum = 0;
    const int axes = kWidth > 0 ? kWidth : pairs.dim;
    for (int axis = 0; axis < axes; ++axis) sum = fused_square_add(difference(axis), sum);
    return sum;
  }
  // Along the axis `number` of those whose gradients are made at once, the first of which is
  // `first`: 0 where positions are in registers, which have no other numbers than constant ones.
  HITGRAPH_DEVICE T gradient_difference(int first, int number) const {
    return difference(kWidth > 0 ? number : first + number);
  }
  // False if the pair adds nothing to anything.
  HITGRAPH_DEVICE bool meets(T distance2, PairValue<T>& value) const {
    const T u = object.factor * distance2;
    if (!own && u > reach_of<T>(pairs.repulsion)) return false;
    value = own ? attract(pairs.attraction, u) : repel(pairs.repulsion, u, pairs.epsilon);
    return own || value.value != 0;
  }
  // Of the loss by the potential of the pair.
  HITGRAPH_DEVICE T grad() const { return own ? object.grad_attraction : object.grad_repulsion; }
};

// Sums of up to kSerialTerms terms, joined in double.
template <typename T, int kSums>
struct SerialSums {
  double sums[kSums];
  T terms[kSums];

  HITGRAPH_DEVICE SerialSums() {
    for (int i = 0; i < kSums; ++i) sums[i] = 0, terms[i] = 0;
  }
  HITGRAPH_DEVICE void end_block() {
    for (int i = 0; i < kSums; ++i) {
      sums[i] += static_cast<double>(terms[i]);
      terms[i] = 0;
    }
  }
};

}  // namespace hitgraph
