// How many threads a search deserves: by rule of thumb, from uniform clouds.
#pragma once

#include "core/knn.h"
#include "core/radius.h"
#include "ops/cpu/executor.h"

namespace hitgraph {

template <typename T>
Executor executor_for(const KnnProblem<T>& problem) {
  return torch_executor(problem.queries.size * (problem.k + 4 * problem.dim));
}

template <typename T>
Executor executor_for(const RadiusProblem<T>& problem) {
  constexpr int64_t kRow = 30;  // neighbours, whose number nobody knows yet
  return torch_executor(problem.queries.size * (kRow + 4 * problem.dim) +
                        problem.points.size * problem.dim);
}

}  // namespace hitgraph
