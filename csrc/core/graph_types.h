// The types that what works on graphs is compiled for: INSTANTIATE(T, Index, Slot) with every
// number, index, and slot of a maximum; and INSTANTIATE(T, Index, Slot, Edge) with those of a
// transposed graph.
#pragma once

#include <cstdint>

#define HITGRAPH_FOR_GRAPH_TYPES_OF(INSTANTIATE, T) \
  INSTANTIATE(T, int32_t, uint8_t)                  \
  INSTANTIATE(T, int32_t, int32_t)                  \
  INSTANTIATE(T, int64_t, uint8_t)                  \
  INSTANTIATE(T, int64_t, int32_t)
#define HITGRAPH_FOR_GRAPH_TYPES(INSTANTIATE)     \
  HITGRAPH_FOR_GRAPH_TYPES_OF(INSTANTIATE, float) \
  HITGRAPH_FOR_GRAPH_TYPES_OF(INSTANTIATE, double)

#define HITGRAPH_FOR_EDGE_TYPES_OF(INSTANTIATE, T, Index, Slot) \
  INSTANTIATE(T, Index, Slot, int32_t)                          \
  INSTANTIATE(T, Index, Slot, int64_t)
#define HITGRAPH_FOR_TRANSPOSED_TYPES_OF(INSTANTIATE, T)       \
  HITGRAPH_FOR_EDGE_TYPES_OF(INSTANTIATE, T, int32_t, uint8_t) \
  HITGRAPH_FOR_EDGE_TYPES_OF(INSTANTIATE, T, int32_t, int32_t) \
  HITGRAPH_FOR_EDGE_TYPES_OF(INSTANTIATE, T, int64_t, uint8_t) \
  HITGRAPH_FOR_EDGE_TYPES_OF(INSTANTIATE, T, int64_t, int32_t)
#define HITGRAPH_FOR_TRANSPOSED_TYPES(INSTANTIATE)     \
  HITGRAPH_FOR_TRANSPOSED_TYPES_OF(INSTANTIATE, float) \
  HITGRAPH_FOR_TRANSPOSED_TYPES_OF(INSTANTIATE, double)
