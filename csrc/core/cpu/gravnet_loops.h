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

  // One tile over a row's edges. The maximum is left out at compile time where nobody wants it.
  template <bool kMaximum, typename Tile>
  static HITGRAPH_INLINE void reduce_tile(const EdgeList<T>& edges, int64_t channel, T* total,
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
            const auto better = replaces(product, best[v]);
            best[v] = better ? product : best[v];
            at[v] = better ? here : at[v];
          }
        }
      }
      for (int v = 0; v < kVectors; ++v) sum[v] += block[v];
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

  static void total(const EdgeList<T>& edges, int64_t channels, T* total) {
    for_each_tile<Isa, T>(channels, [&](auto tile, int64_t channel, int64_t) {
      reduce_tile<false, decltype(tile)>(edges, channel, total, nullptr, nullptr);
    });
  }
  static void maximum(const EdgeList<T>& edges, int64_t channels, T* total, T* maximum,
                      Slot* slot) {
    for_each_tile<Isa, T>(channels, [&](auto tile, int64_t channel, int64_t) {
      reduce_tile<true, decltype(tile)>(edges, channel, total, maximum, slot);
    });
  }

  // The lanes before `fresh` belong to another tile.
  template <typename Tile>
  static HITGRAPH_INLINE void dot_tile(const EdgeList<T>& edges, const T* vector, int64_t channel,
                                       int64_t fresh, T* dots) {
    constexpr int kVectors = Tile::kVectors;
    typename Tile::Vector factor[kVectors];
    for (int v = 0; v < kVectors; ++v) factor[v] = Tile::load(vector + channel + v * Tile::kLanes);
    const typename Tile::Integers own = Tile::lanes_from(fresh - channel);
    const bool overlaps = fresh > channel;
    for (int64_t e = 0; e < edges.size; ++e) {
      const T* row = edges.rows[e] + channel;
      typename Tile::Vector sum = Tile::load(row) * factor[0];
      if (overlaps) sum = own ? sum : typename Tile::Vector{};
      for (int v = 1; v < kVectors; ++v) sum += Tile::load(row + v * Tile::kLanes) * factor[v];
      dots[e] += horizontal_sum<Tile>(sum);
    }
  }

  template <typename Tile>
  static HITGRAPH_INLINE T horizontal_sum(typename Tile::Vector vector) {
    if constexpr (Tile::kLanes == 1) {
      return vector[0];
    } else {
      using Half = Channels<Isa, T, Tile::kLanes / 2, 1>;
      typename Half::Vector halves[2];
      std::memcpy(halves, &vector, sizeof vector);
      return horizontal_sum<Half>(halves[0] + halves[1]);
    }
  }

  static void dot(const EdgeList<T>& edges, const T* vector, int64_t channels, T* dots) {
    std::fill_n(dots, edges.size, T(0));
    for_each_tile<Isa, T>(channels, [&](auto tile, int64_t channel, int64_t fresh) {
      dot_tile<decltype(tile)>(edges, vector, channel, fresh, dots);
    });
  }

  template <typename Tile>
  static HITGRAPH_INLINE void add_tile(const EdgeList<T>& edges, int64_t channel, int64_t fresh,
                                       double* sum) {
    constexpr int kVectors = Tile::kVectors;
    typename Tile::Vector block[kVectors] = {};
    for (int64_t e = 0; e < edges.size; ++e) {
      const T* row = edges.rows[e] + channel;
      const auto weight = Tile::broadcast(edges.weights[e]);
      for (int v = 0; v < kVectors; ++v) block[v] += weight * Tile::load(row + v * Tile::kLanes);
    }
    T lanes[Tile::kWidth];
    std::memcpy(lanes, block, sizeof lanes);
    for (int64_t i = fresh - channel; i < Tile::kWidth; ++i) sum[channel + i] += lanes[i];
  }

  static void add(const EdgeList<T>& edges, int64_t channels, double* sum) {
    for_each_tile<Isa, T>(channels, [&](auto tile, int64_t channel, int64_t fresh) {
      add_tile<decltype(tile)>(edges, channel, fresh, sum);
    });
  }

  template <typename Tile>
  static HITGRAPH_INLINE void add_where_tile(const T* row, const Slot* slots, Slot slot, T weight,
                                             int64_t channel, int64_t fresh, T* sum) {
    for (int v = 0; v < Tile::kVectors; ++v) {
      const int64_t place = channel + v * Tile::kLanes;
      auto here = Tile::load_slots(slots + place) == Tile::broadcast_integer(slot);
      if (fresh > channel) here &= Tile::lanes_from(fresh - channel);
      const auto product = Tile::broadcast(weight) * Tile::load(row + place);
      Tile::store(Tile::load(sum + place) + (here ? product : typename Tile::Vector{}),
                  sum + place);
    }
  }

  static void add_where(const T* row, const Slot* slots, Slot slot, T weight, int64_t channels,
                        T* sum) {
    for_each_tile<Isa, T>(channels, [&](auto tile, int64_t channel, int64_t fresh) {
      add_where_tile<decltype(tile)>(row, slots, slot, weight, channel, fresh, sum);
    });
  }

  static GravnetKernels<T, Slot> table() { return {weigh, total, maximum, dot, add, add_where}; }
};

}  // namespace hitgraph
