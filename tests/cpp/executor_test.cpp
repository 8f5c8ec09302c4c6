// Every task runs exactly once, whoever runs it.
#include "core/executor.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

#include "knn_case.h"

namespace hitgraph::testing {
namespace {

TEST(ForEachTask, RunsEveryTaskOnce) {
  for (const int64_t tasks : {0, 1, 2, 7, 1000}) {
    for (const int64_t grain : {1, 3, 5000}) {
      for (const Executor& executor : {Executor(), two_threads()}) {
        std::vector<std::atomic<int>> runs(tasks);
        for_each_task(executor, tasks, grain, [&](int64_t task, int worker) {
          EXPECT_GE(worker, 0);
          EXPECT_LT(worker, executor.threads);
          ++runs[task];
        });
        for (const auto& count : runs) EXPECT_EQ(1, count);
      }
    }
  }
}

TEST(ForEachTask, FewTasksTakeFewWorkers) {
  int asked = 0;
  Executor executor;
  executor.threads = 8;
  executor.run = [&](int workers, const std::function<void(int)>& body) {
    asked = workers;
    body(0);
  };
  for_each_task(executor, 10, 4, [](int64_t, int) {});
  EXPECT_EQ(3, asked);
}

TEST(ForEachTask, ARunThatServesOneWorkerOnlyDoesAll) {
  Executor executor;
  executor.threads = 4;
  executor.run = [](int, const std::function<void(int)>& body) { body(2); };
  int64_t sum = 0;
  for_each_task(executor, 100, 7, [&](int64_t task, int) { sum += task; });
  EXPECT_EQ(4950, sum);
}

}  // namespace
}  // namespace hitgraph::testing
