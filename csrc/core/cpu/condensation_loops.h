// The loops of condensation_kernels.h for one instruction set, that of the file which includes
// this. Blocks without a hit of the object are plain loops over arrays, which the compiler turns
// into vectors; the few blocks with one go hit by hit.
#pragma once

#include "core/cpu/channels.h"
#include "core/cpu/condensation_kernels.h"

namespace hitgraph {

template <typename Isa, typename T, Repulsion kRepulsion>
struct CondensationLoops {
  using Lanes = Channels<Isa, T, Isa::kBytes / static_cast<int>(sizeof(T)), 1>;
  using Vector = typename Lanes::Vector;

  static HITGRAPH_INLINE double sum_of(Vector vector) {
    T lanes[Lanes::kLanes];
    Lanes::store(vector, lanes);
    double sum = 0;
    for (int lane = 0; lane < Lanes::kLanes; ++lane) sum += static_cast<double>(lanes[lane]);
    return sum;
  }
  static HITGRAPH_INLINE Vector sum_lanes(const T* values) {
    Vector sum = {};
    for (int64_t i = 0; i < kHitBlock; i += Lanes::kLanes) sum += Lanes::load(values + i);
    return sum;
  }

  // Of every block's box: not more than distance2 of a hit inside, which is rounded alike.
  static HITGRAPH_INLINE void box_bounds(const HitTile<T>& tile, const T* centre, T* bounds) {
    for (int64_t b = 0; b < kTileBlocks; ++b) bounds[b] = 0;
    for (int64_t axis = 0; axis < tile.dim; ++axis) {
      const T *low = tile.low + axis * kTileBlocks, *high = tile.high + axis * kTileBlocks;
      for (int64_t b = 0; b < kTileBlocks; ++b) {
        const T below = low[b] - centre[axis], above = centre[axis] - high[b];
        T gap = below > above ? below : above;
        gap = gap > 0 ? gap : T(0);
        bounds[b] += gap * gap;
      }
    }
  }

  static HITGRAPH_INLINE void distances(const T* coordinates, const TileObject<T>& object,
                                        int64_t dim, T* distance2) {
    for (int64_t i = 0; i < kHitBlock; ++i) distance2[i] = 0;
    for (int64_t axis = 0; axis < dim; ++axis, coordinates += kHitBlock) {
      const T centre = object.centre[axis];
      for (int64_t i = 0; i < kHitBlock; ++i) {
        const T difference = coordinates[i] - centre;
        distance2[i] += difference * difference;
      }
    }
  }

  // Calls pure(block) for blocks within reach that hold no hit of the object, mixed(block) for
  // those that do.
  template <typename Pure, typename Mixed>
  static HITGRAPH_INLINE void for_each_block(const HitTile<T>& tile, const TileObject<T>& object,
                                             const Pure& pure, const Mixed& mixed) {
    constexpr T kReach = reach_of<T>(kRepulsion);
    T bounds[kTileBlocks];
    box_bounds(tile, object.centre, bounds);
    for (int64_t block = 0; block < tile.blocks; ++block) {
      const int64_t first = tile.first + block * kHitBlock;
      if (object.begin < first + kHitBlock && first < object.end) {
        mixed(block);
      } else if (!(object.factor * bounds[block] > kReach)) {
        pure(block);
      }
    }
  }

  static HITGRAPH_INLINE PairValue<T> pair(const TileObject<T>& object, bool own, T distance2) {
    const T u = object.factor * distance2;
    return own ? attract(object.attraction, u) : repel(kRepulsion, u, object.epsilon);
  }

  static void sum(const HitTile<T>& tile, const TileObject<T>& object, double* sums) {
    T distance2[kHitBlock], values[kHitBlock];
    const auto load = [&](int64_t block) {
      distances(tile.coordinates + block * tile.dim * kHitBlock, object, tile.dim, distance2);
      return tile.weights + block * kHitBlock;
    };
    for_each_block(
        tile, object,
        [&](int64_t block) {
          const T* weights = load(block);
          const T factor = object.factor, epsilon = object.epsilon;
          for (int64_t i = 0; i < kHitBlock; ++i) {
            values[i] = weights[i] * repel(kRepulsion, factor * distance2[i], epsilon).value;
          }
          sums[1] += sum_of(sum_lanes(values));
        },
        [&](int64_t block) {
          const T* weights = load(block);
          for (int64_t i = 0; i < kHitBlock; ++i) {
            const int64_t place = tile.first + block * kHitBlock + i;
            const bool own = object.begin <= place && place < object.end;
            sums[own ? 0 : 1] += weights[i] * pair(object, own, distance2[i]).value;
          }
        });
  }

  // What a block's hits and the object get, once `slopes` holds the derivative by u, times what it
  // is multiplied by in the loss: of the coordinates, of the centre and of the factor.
  static HITGRAPH_INLINE void spread(const HitTile<T>& tile, const TileObject<T>& object,
                                     int64_t block, const T* distance2, T* slopes, double* sums) {
    Vector by_factor = {};
    for (int64_t i = 0; i < kHitBlock; i += Lanes::kLanes) {
      by_factor += Lanes::load(slopes + i) * Lanes::load(distance2 + i);
    }
    sums[tile.dim] += sum_of(by_factor);
    const T twice = 2 * object.factor;
    for (int64_t i = 0; i < kHitBlock; ++i) slopes[i] *= twice;
    for (int64_t axis = 0; axis < tile.dim; ++axis) {
      const int64_t place = (block * tile.dim + axis) * kHitBlock;
      const T* coordinates = tile.coordinates + place;
      T* grad = tile.grad_coordinates + place;
      const Vector centre = Lanes::broadcast(object.centre[axis]);
      Vector by_centre = {};
      for (int64_t i = 0; i < kHitBlock; i += Lanes::kLanes) {
        const Vector product = Lanes::load(slopes + i) * (Lanes::load(coordinates + i) - centre);
        Lanes::store(Lanes::load(grad + i) + product, grad + i);
        by_centre += product;
      }
      sums[axis] -= sum_of(by_centre);
    }
  }

  static void differentiate(const HitTile<T>& tile, const TileObject<T>& object, double* sums) {
    T distance2[kHitBlock], values[kHitBlock], slopes[kHitBlock];
    const auto load = [&](int64_t block) {
      distances(tile.coordinates + block * tile.dim * kHitBlock, object, tile.dim, distance2);
      return tile.weights + block * kHitBlock;
    };
    for_each_block(
        tile, object,
        [&](int64_t block) {
          const T* weights = load(block);
          const T factor = object.factor, epsilon = object.epsilon, grad = object.grad_repulsion;
          for (int64_t i = 0; i < kHitBlock; ++i) {
            const PairValue<T> pair = repel(kRepulsion, factor * distance2[i], epsilon);
            values[i] = pair.value;
            slopes[i] = grad * weights[i] * pair.slope;
          }
          if (sum_of(sum_lanes(values)) == 0) return;  // nobody within reach
          T* grad_weights = tile.grad_weights + block * kHitBlock;
          for (int64_t i = 0; i < kHitBlock; ++i) grad_weights[i] += grad * values[i];
          spread(tile, object, block, distance2, slopes, sums);
        },
        [&](int64_t block) {
          const T* weights = load(block);
          for (int64_t i = 0; i < kHitBlock; ++i) {
            const int64_t place = tile.first + block * kHitBlock + i;
            const bool own = object.begin <= place && place < object.end;
            const PairValue<T> value = pair(object, own, distance2[i]);
            const T grad = own ? object.grad_attraction : object.grad_repulsion;
            tile.grad_weights[block * kHitBlock + i] += grad * value.value;
            slopes[i] = grad * weights[i] * value.slope;
          }
          spread(tile, object, block, distance2, slopes, sums);
        });
  }

  static CondensationKernels<T> table() { return {sum, differentiate}; }
};

template <typename Isa, typename T>
CondensationKernels<T> choose_condensation_kernels(Repulsion repulsion) {
  return repulsion == Repulsion::kHinge
             ? CondensationLoops<Isa, T, Repulsion::kHinge>::table()
             : CondensationLoops<Isa, T, Repulsion::kExponential>::table();
}

}  // namespace hitgraph
