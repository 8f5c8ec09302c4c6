// What one condensation point's ball works on, free of any instruction set: filled by
// condensate.cpp, run by condensate_search.h.
#pragma once

#include <cstdint>

#include "core/cpu/search_task.h"

namespace hitgraph {

// `order` names the row that asks; max_distance2 is its own.
template <typename T>
struct CondensateTask : SearchTask<T> {
  int32_t number = 0;               // of the point
  const int32_t* points = nullptr;  // their rows, by number
  bool nearest = false;
  int32_t* owner = nullptr;  // by place in the tree: number of a point, or -1
  T* distance2 = nullptr;    // to it, where `nearest`
  T* query = nullptr;        // room for the coordinates of one
};

// Gives the hits within the ball to the point.
template <typename T>
using CondensateBall = void (*)(const CondensateTask<T>&);

template <typename T>
CondensateBall<T> condensate_ball_portable(int64_t dim);
template <typename T>
CondensateBall<T> condensate_ball_avx2(int64_t dim);
template <typename T>
CondensateBall<T> condensate_ball_avx512(int64_t dim);

}  // namespace hitgraph
