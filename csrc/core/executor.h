// How the core runs in parallel without knowing whose threads they are.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

namespace hitgraph {

struct Executor {
  int threads = 1;
  // Calls body(worker) for every worker in [0, workers), possibly at once; returns when all are
  // done. Null: one after the other on the calling thread.
  std::function<void(int workers, const std::function<void(int worker)>& body)> run;
};

// Calls body(task, worker) for every task in [0, tasks). Workers take the next `grain` tasks as
// they become free, so tasks of unequal cost balance; `worker` names the caller's private scratch.
template <typename Body>
void for_each_task(const Executor& executor, int64_t tasks, int64_t grain, const Body& body) {
  const int64_t shares = (tasks + grain - 1) / grain;
  const int workers = static_cast<int>(shares < executor.threads ? shares : executor.threads);
  if (workers <= 1 || !executor.run) {
    for (int64_t task = 0; task < tasks; ++task) body(task, 0);
    return;
  }
  std::atomic<int64_t> next{0};
  executor.run(workers, [&](int worker) {
    for (;;) {
      const int64_t begin = next.fetch_add(grain, std::memory_order_relaxed);
      if (begin >= tasks) return;
      const int64_t end = begin + grain < tasks ? begin + grain : tasks;
      for (int64_t task = begin; task < end; ++task) body(task, worker);
    }
  });
}

}  // namespace hitgraph
