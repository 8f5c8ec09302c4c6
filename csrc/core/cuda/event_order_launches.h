// The launches that sort hits by event and key, for any Device (see forest_build.h).
#pragma once

#include "core/cuda/event_order.cuh"
#include "core/cuda/row_launches.h"

namespace hitgraph {

constexpr int kEventThreads = 256;

inline int64_t event_blocks(int64_t threads) { return group_blocks(threads, 1, kEventThreads); }

// All arrays but the order itself.
template <typename Key, typename Device>
EventOrder<Key> event_order(Device& device, Global<const int64_t> row_splits, int64_t hits,
                            int64_t events) {
  EventOrder<Key> order{};
  order.row_splits = row_splits;
  order.hits = hits;
  order.events = events;
  order.event = device.template array<int32_t>("event", hits);
  order.keys = device.template array<Key>("keys", hits);
  order.sorted_keys = device.template array<Key>("sorted_keys", hits);
  order.rows = device.template array<int32_t>("rows", hits);
  order.by_key = device.template array<int32_t>("by_key", hits);
  order.event_by_key = device.template array<int32_t>("event_by_key", hits);
  order.sorted_events = device.template array<int32_t>("sorted_events", hits);
  order.begin = device.template array<int32_t>("event_begin", events + 1);
  return order;
}

// After every hit was put.
template <typename Key, typename Device>
void launch_event_order(Device& device, const EventOrder<Key>& order) {
  int bits = 1;
  while (order.events >> bits != 0) ++bits;
  device.sort_pairs(order.keys, order.sorted_keys, order.rows, order.by_key, order.hits,
                    8 * static_cast<int>(sizeof(Key)));
  device.launch("take_events", take_events<Key>, event_blocks(order.hits), kEventThreads, 0, order);
  device.sort_pairs(order.event_by_key, order.sorted_events, order.by_key, order.order, order.hits,
                    bits);
  device.launch("begin_events", begin_events<Key>, event_blocks(order.events + 1), kEventThreads, 0,
                order);
}

}  // namespace hitgraph
