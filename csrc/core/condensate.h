// Clustering by condensation points, event by event: of the hits that belong to none yet, the one
// with the largest beta above the threshold becomes the next point and takes those within its
// radius; and so on until there is none. Equal betas: the smaller row first.
#pragma once

#include <cstdint>
#include <functional>

#include "core/executor.h"
#include "core/simd_level.h"

namespace hitgraph {

template <typename T>
struct CondensateProblem {
  const T* coordinates = nullptr;  // (hits, dim); a hit with one that is not finite has no label
  const T* beta = nullptr;         // (hits)
  const T* radius = nullptr;       // (hits), factors of distance_threshold; null: all 1
  const int64_t* row_splits = nullptr;  // (events + 1)
  int64_t hits = 0, events = 0, dim = 0;
  T beta_threshold = 0, distance_threshold = 0;
  // A hit goes to the nearest of the points that it is within the radius of (equally near: of the
  // smaller row), not to the first. The points are the same.
  bool nearest = false;
};

// Called once, with the number of points, returns memory for their rows: those of event e go from
// point_splits[e] to point_splits[e + 1] - 1, by descending beta.
using AllocatePoints = std::function<int64_t*(int64_t points)>;

// label: (hits), numbers a hit's point within its event; point: (hits), its row. -1: none.
template <typename T>
void condensate_cpu(const CondensateProblem<T>& problem, SimdLevel level, const Executor& executor,
                    int64_t* label, int64_t* point, int64_t* point_splits,
                    const AllocatePoints& allocate);

}  // namespace hitgraph
