// The loops of edge_conv_kernels.h for one instruction set, that of the file which includes this.
#pragma once

#include <limits>

#include "core/cpu/channels.h"
#include "core/cpu/edge_conv_kernels.h"
#include "core/gravnet_rules.h"

namespace hitgraph {

template <typename Isa, typename T, typename Slot>
struct EdgeConvLoops {
  // A NaN is larger than anything and the first of them stays: the rule of `replaces`.
  template <typename Tile>
  static HITGRAPH_INLINE void select_tile(const EdgeRows<T, Slot>& edges, int64_t channel,
                                          const T* sign, const T* offset, T* best, Slot* slot,
                                          T* squares) {
    constexpr int kVectors = Tile::kVectors;
    typename Tile::Vector most[kVectors], signs[kVectors], from[kVectors], sum[kVectors];
    typename Tile::Integers at[kVectors];
    for (int v = 0; v < kVectors; ++v) {
      most[v] = Tile::broadcast(-std::numeric_limits<T>::infinity());
      at[v] = Tile::broadcast_integer(edges.slots[0]);
      signs[v] = Tile::load(sign + channel + v * Tile::kLanes);
      from[v] = Tile::load(offset + channel + v * Tile::kLanes);
      sum[v] = typename Tile::Vector{};
    }
    for (int64_t e = 0; e < edges.size; ++e) {
      const T* row = edges.rows[e] + channel;
      const auto here = Tile::broadcast_integer(edges.slots[e]);
      for (int v = 0; v < kVectors; ++v) {
        const auto value = Tile::load(row + v * Tile::kLanes);
        const auto ranked = value * signs[v];
        const typename Tile::Integers better = replaces(ranked, most[v]);
        most[v] = better ? ranked : most[v];
        at[v] = better ? here : at[v];
        const auto centred = from[v] + value;
        sum[v] += centred * centred;
      }
    }
    for (int v = 0; v < kVectors; ++v) {
      const int64_t place = channel + v * Tile::kLanes;
      Tile::store(most[v] * signs[v], best + place);
      Tile::store_slots(at[v], slot + place);
      if (squares != nullptr) Tile::store(sum[v], squares + place);
    }
  }
  static void select(const EdgeRows<T, Slot>& edges, int64_t channels, const T* sign,
                     const T* offset, T* best, Slot* slot, T* squares) {
    for_each_tile<Isa, T>(channels, [&](auto tile, int64_t channel, int64_t) {
      select_tile<decltype(tile)>(edges, channel, sign, offset, best, slot, squares);
    });
  }

  template <typename Tile>
  static HITGRAPH_INLINE void revisit_tile(const EdgeRows<T, Slot>& edges, int64_t channel,
                                           const Slot* slot, T* selected, T* sum) {
    constexpr int kVectors = Tile::kVectors;
    typename Tile::Vector chosen[kVectors] = {}, total[kVectors] = {};
    typename Tile::Integers at[kVectors];
    for (int v = 0; v < kVectors; ++v) at[v] = Tile::load_slots(slot + channel + v * Tile::kLanes);
    for (int64_t e = 0; e < edges.size; ++e) {
      const T* row = edges.rows[e] + channel;
      const auto here = Tile::broadcast_integer(edges.slots[e]);
      for (int v = 0; v < kVectors; ++v) {
        const auto value = Tile::load(row + v * Tile::kLanes);
        chosen[v] = at[v] == here ? value : chosen[v];
        total[v] += value;
      }
    }
    for (int v = 0; v < kVectors; ++v) {
      Tile::store(chosen[v], selected + channel + v * Tile::kLanes);
      Tile::store(total[v], sum + channel + v * Tile::kLanes);
    }
  }
  static void revisit(const EdgeRows<T, Slot>& edges, int64_t channels, const Slot* slot,
                      T* selected, T* sum) {
    for_each_tile<Isa, T>(channels, [&](auto tile, int64_t channel, int64_t) {
      revisit_tile<decltype(tile)>(edges, channel, slot, selected, sum);
    });
  }

  // The lanes before `fresh` belong to another tile.
  template <typename Tile>
  static HITGRAPH_INLINE void reach_tile(const EdgeRows<T, Slot>& edges, int64_t channels,
                                         int64_t channel, int64_t fresh, double* sums) {
    constexpr int kVectors = Tile::kVectors;
    typename Tile::Vector total[kVectors] = {}, won[kVectors] = {};
    for (int64_t e = 0; e < edges.size; ++e) {
      const auto here = Tile::broadcast_integer(edges.slots[e]);
      for (int v = 0; v < kVectors; ++v) {
        const int64_t place = channel + v * Tile::kLanes;
        total[v] += Tile::load(edges.rows[e] + place);
        const auto grad = Tile::load(edges.grad_rows[e] + place);
        const auto at = Tile::load_slots(edges.slot_rows[e] + place);
        won[v] += at == here ? grad : typename Tile::Vector{};
      }
    }
    T lanes[2][Tile::kWidth];
    std::memcpy(lanes[0], total, sizeof lanes[0]);
    std::memcpy(lanes[1], won, sizeof lanes[1]);
    for (int64_t i = fresh - channel; i < Tile::kWidth; ++i) {
      sums[channel + i] += lanes[0][i];
      sums[channels + channel + i] += lanes[1][i];
    }
  }
  static void reach(const EdgeRows<T, Slot>& edges, int64_t channels, double* sums) {
    for_each_tile<Isa, T>(channels, [&](auto tile, int64_t channel, int64_t fresh) {
      reach_tile<decltype(tile)>(edges, channels, channel, fresh, sums);
    });
  }

  static EdgeConvKernels<T, Slot> table() { return {select, revisit, reach}; }
};

}  // namespace hitgraph
