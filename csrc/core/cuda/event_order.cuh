// Hits by event, then by a key, then by row, in two stable sorts. Hits that are left out come last.
#pragma once

#include "core/cuda/ascending.cuh"
#include "core/cuda/row_pieces.cuh"

namespace hitgraph {

template <typename Key>
struct EventOrder {
  Global<const int64_t> row_splits;
  int64_t hits, events;
  Global<int32_t> event;  // (hits); `events`: left out
  Global<Key> keys, sorted_keys;
  Global<int32_t> rows, by_key;                 // (hits); as they are, and by their keys
  Global<int32_t> event_by_key, sorted_events;  // (hits)
  Global<int32_t> order;                        // (hits)
  Global<int32_t> begin;                        // (events + 1): where the first of an event is

  // The event of a row; `events` if it is of none, as rows are where splits are malformed.
  HITGRAPH_DEVICE int64_t event_of(int64_t row) const {
    if (events == 0) return 0;
    const auto split = [&](int64_t e) { return row_splits[e]; };
    const int64_t found = last_not_beyond(events, row, split);
    return row_splits[found] <= row && row < row_splits[found + 1] ? found : events;
  }
  // Of every hit, before the first sort.
  HITGRAPH_DEVICE void put(int64_t row, bool included, Key key) const {
    event[row] = static_cast<int32_t>(included ? event_of(row) : events);
    keys[row] = key;
    rows[row] = static_cast<int32_t>(row);
  }
};

// One thread a hit.
template <typename Key>
__global__ void take_events(EventOrder<Key> order) {
  const int64_t place = long_thread_number();
  if (place >= order.hits) return;
  order.event_by_key[place] = int(order.event[int(order.by_key[place])]);
}

// One thread an event.
template <typename Key>
__global__ void begin_events(EventOrder<Key> order) {
  const int64_t event = long_thread_number();
  if (event > order.events) return;
  order.begin[event] = static_cast<int32_t>(first_not_below(order.hits, event, [&](int64_t place) {
    return static_cast<int64_t>(order.sorted_events[place]);
  }));
}

}  // namespace hitgraph
