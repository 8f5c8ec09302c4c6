// The loops of gravnet_kernels.h for one instruction set, that of the file which includes this.
#pragma once

#include <algorithm>
#include <limits>

#include "core/cpu/channels.h"
#include "core/cpu/gravnet_kernels.h"

namespace hitgraph {

template <typename Isa, typename T, typename Slot>
struct GravnetLoops {
  static void weigh(const T* values, int64_t count, const Weighting<T>& weighting, T* weights) {
    if (weighting.given) {
      std::copy_n(values, count, weights);
      return;
    }
    const Weighting<T> exponential = weighting;
    for (int64_t e = 0; e < count; ++e) weights[e] = exponential.exponential_at(values[e]);
  }

  // One tile over a row's edges. The maximum is left out at compile time where nobody wants it. A
  // NaN among the products is seen in their sum and makes the tile be done again, with every
  // comparison that `replaces` asks for; without one the first suffices.
  template <bool kMaximum, bool kNan, typename Tile>
  static HITGRAPH_INLINE void reduce_tile(const RowEdges<T>& edges, int64_t channel, T* total,
                                          T* maximum, Slot* slot) {
    constexpr int kVectors = Tile::kVectors;
    typename Tile::Vector sum[kVectors], best[kVectors];
    typename Tile::Integers at[kVectors];
    for (int v = 0; v < kVectors; ++v) {
      sum[v] = typename Tile::Vector{};
      best[v] = Tile::broadcast(-std::numeric_limits<T>::infinity());
      at[v] = Tile::broadcast_integer(edges.slots[0]);
    }
    for (int64_t e = 0; e < edges.size;) {
      typename Tile::Vector block[kVectors] = {};
      const int32_t past = edges.slots[e] / kSumBlock * kSumBlock + kSumBlock;
      for (; e < edges.size && edges.slots[e] < past; ++e) {
        const T* row = edges.rows[e] + channel;
        const auto weight = Tile::broadcast(edges.weights[e]);
        const auto here = Tile::broadcast_integer(edges.slots[e]);
        for (int v = 0; v < kVectors; ++v) {
          const auto product = weight * Tile::load(row + v * Tile::kLanes);
          block[v] += product;
          if constexpr (kMaximum) {
            typename Tile::Integers better;
            if constexpr (kNan) {
              better = replaces(product, best[v]);
            } else {
              better = product > best[v];
            }
            best[v] = better ? product : best[v];
            at[v] = better ? here : at[v];
          }
        }
      }
      for (int v = 0; v < kVectors; ++v) sum[v] += block[v];
    }
    if constexpr (kMaximum && !kNan) {
      typename Tile::Integers nan = {};
      for (int v = 0; v < kVectors; ++v) nan |= sum[v] != sum[v];
      if (Tile::any(nan)) return reduce_again<Tile>(edges, channel, total, maximum, slot);
    }
    for (int v = 0; v < kVectors; ++v) {
      const int64_t place = channel + v * Tile::kLanes;
      if (total != nullptr) Tile::store(sum[v], total + place);
      if constexpr (kMaximum) {
        Tile::store(best[v], maximum + place);
        Tile::store_slots(at[v], slot + place);
      }
    }
  }

  template <typename Tile>
  static __attribute__((noinline)) void reduce_again(const RowEdges<T>& edges, int64_t channel,
                                                     T* total, T* maximum, Slot* slot) {
    reduce_tile<true, true, Tile>(edges, channel, total, maximum, slot);
  }

  static void total(const RowEdges<T>& edges, int64_t channels, T* total) {
    for_each_tile<Isa, T>(channels, [&](auto tile, int64_t channel, int64_t) {
      reduce_tile<false, false, decltype(tile)>(edges, channel, total, nullptr, nullptr);
    });
  }
  static void maximum(const RowEdges<T>& edges, int64_t channels, T* total, T* maximum,
                      Slot* slot) {
    for_each_tile<Isa, T>(channels, [&](auto tile, int64_t channel, int64_t) {
      reduce_tile<true, false, decltype(tile)>(edges, channel, total, maximum, slot);
    });
  }

  // Of what is summed for a dot product, up to this many parts are left to the end.
  static constexpr int kParts = 4;

  template <typename Tile>
  static HITGRAPH_INLINE void add_parts(typename Tile::Vector vector, T* parts) {
    if constexpr (Tile::kLanes <= kParts) {
      Tile::store(Tile::load(parts) + vector, parts);
    } else {
      using Half = Channels<Isa, T, Tile::kLanes / 2, 1>;
      typename Half::Vector halves[2];
      std::memcpy(halves, &vector, sizeof vector);
      add_parts<Half>(halves[0] + halves[1], parts);
    }
  }

  // The lanes before `fresh` belong to another tile.
  template <bool kWon, typename Tile>
  static HITGRAPH_INLINE void add_tile(const PointEdges<T, Slot>& edges, const T* features,
                                       int64_t channel, int64_t fresh, double* sum, T* parts) {
    constexpr int kVectors = Tile::kVectors, kLanes = Tile::kLanes;
    typename Tile::Vector block[kVectors] = {}, own[kVectors];
    for (int v = 0; v < kVectors; ++v) own[v] = Tile::load(features + channel + v * kLanes);
    const typename Tile::Integers counted = Tile::lanes_from(fresh - channel);
    for (int64_t e = 0; e < edges.size; ++e) {
      const T* row = edges.rows[e] + channel;
      const auto weight = Tile::broadcast(edges.weights[e]);
      typename Tile::Vector dot = {};
      for (int v = 0; v < kVectors; ++v) {
        const auto grad = Tile::load(row + v * kLanes);
        typename Tile::Vector product = weight * grad, part = own[v] * grad;
        if constexpr (kWon) {
          const auto won = Tile::load_slots(edges.slot_rows[e] + channel + v * kLanes) ==
                           Tile::broadcast_integer(edges.slots[e]);
          product = won ? product : typename Tile::Vector{};
          part = won ? part : typename Tile::Vector{};
        }
        block[v] += product;
        dot += part;
      }
      if (fresh > channel) dot = counted ? dot : typename Tile::Vector{};
      add_parts<Tile>(dot, parts + kParts * e);
    }
    T lanes[Tile::kWidth];
    std::memcpy(lanes, block, sizeof lanes);
    for (int64_t i = fresh - channel; i < Tile::kWidth; ++i) sum[channel + i] += lanes[i];
  }

  template <bool kWon>
  static HITGRAPH_INLINE void add_edges(const PointEdges<T, Slot>& edges, const T* features,
                                        int64_t channels, double* sum, T* dots) {
    T parts[kParts * kEdgeBatch];
    std::fill_n(parts, kParts * edges.size, T(0));
    for_each_tile<Isa, T>(channels, [&](auto tile, int64_t channel, int64_t fresh) {
      add_tile<kWon, decltype(tile)>(edges, features, channel, fresh, sum, parts);
    });
    for (int64_t e = 0; e < edges.size; ++e) {
      const T* part = parts + kParts * e;
      dots[e] = (part[0] + part[1]) + (part[2] + part[3]);
    }
  }

  static void add(const PointEdges<T, Slot>& edges, const T* features, int64_t channels,
                  double* sum, T* dots) {
    add_edges<false>(edges, features, channels, sum, dots);
  }
  static void add_won(const PointEdges<T, Slot>& edges, const T* features, int64_t channels,
                      double* sum, T* dots) {
    add_edges<true>(edges, features, channels, sum, dots);
  }

  static GravnetKernels<T, Slot> table() { return {weigh, total, maximum, add, add_won}; }
};

}  // namespace hitgraph
