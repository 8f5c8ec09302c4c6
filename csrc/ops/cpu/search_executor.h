// How many threads a search deserves: by rule of thumb, from uniform clouds, where the bins cost a
// point 50 to 120 ns.
#pragma once

#include "core/knn.h"
#include "core/radius.h"
#include "ops/cpu/executor.h"

namespace hitgraph {

template <typename T>
int64_t bins_of(const SearchProblem<T>& problem) {
  return problem.points.size * (6 + problem.dim);
}

template <typename T>
Executor executor_for(const KnnProblem<T>& problem) {
  return torch_executor(problem.queries.size * (problem.k + 4 * problem.dim) + bins_of(problem));
}

template <typename T>
Executor executor_for(const RadiusProblem<T>& problem) {
  constexpr int64_t kRow = 30;  // neighbours, whose number nobody knows yet
  return torch_executor(problem.queries.size * (kRow + 4 * problem.dim) + bins_of(problem));
}

}  // namespace hitgraph
