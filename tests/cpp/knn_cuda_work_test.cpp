// The work of the CUDA search, counted on the host: within 1.1 times the candidates of the CPU
// search, and what the committed table says. HITGRAPH_WRITE_WORK=1 writes the table anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "clouds.h"
#include "host_knn.h"

namespace hitgraph::testing {
namespace {

// A query's share, but for the last: of the 32 lanes of a distance computation, those with a
// candidate.
const std::vector<std::string> kColumns{"candidates",   "cpu_candidates", "buckets",
                                        "bucket_tests", "nodes",          "accepted",
                                        "selections",   "restarts",       "active_lanes"};

using Line = std::vector<double>;

Line measure(const std::string& cloud, int64_t dim, int64_t k, int64_t points) {
  KnnCase<float> knn(make_cloud<float>(cloud, points, dim), dim);
  KnnCounters work, cpu;
  int64_t bucket_tests = 0;
  HostRun run;
  run.counters = &work;
  run.bucket_tests = &bucket_tests;
  search_on_host_cuda(knn, k, run);
  knn.search(k, best_simd_level(), Executor(), &cpu);
  const auto share = [&](int64_t count) {
    return static_cast<double>(count) / static_cast<double>(work.queries);
  };
  EXPECT_EQ(work.queries, cpu.queries);
  return {share(work.candidates),
          share(cpu.candidates),
          share(work.buckets),
          share(bucket_tests),
          share(work.nodes),
          share(work.accepted),
          share(work.selections),
          share(work.restarts),
          static_cast<double>(work.candidates) / (32.0 * static_cast<double>(work.buckets))};
}

std::map<std::string, Line> committed() {
  std::map<std::string, Line> table;
  std::ifstream file(HITGRAPH_WORK_TABLE);
  std::string text, name;
  while (std::getline(file, text)) {
    std::istringstream line(text);
    if (text.empty() || text[0] == '#' || !(line >> name)) continue;
    Line numbers(kColumns.size());
    for (double& number : numbers) line >> number;
    table[name] = numbers;
  }
  return table;
}

void write(const std::map<std::string, Line>& table) {
  std::ofstream file(HITGRAPH_WORK_TABLE);
  file << "# Work of the CUDA search, a query, counted on the host "
          "(tests/cpp/knn_cuda_work_test.cpp).\n#";
  for (const std::string& column : kColumns) file << ' ' << column;
  file << '\n';
  for (const auto& [name, numbers] : table) {
    file << name;
    for (const double number : numbers) file << ' ' << number;
    file << '\n';
  }
}

struct Case {
  const char* cloud;
  int64_t dim, k, points;
};

class KnnCudaWork : public ::testing::TestWithParam<Case> {};

std::string name_of(const Case& c) {
  return std::string(c.cloud) + "_d" + std::to_string(c.dim) + "_k" + std::to_string(c.k) + "_n" +
         std::to_string(c.points);
}

TEST_P(KnnCudaWork, IsThatOfTheTableAndCloseToTheCpus) {
  const Case& c = GetParam();
  const Line found = measure(c.cloud, c.dim, c.k, c.points);
  std::map<std::string, Line> table = committed();
  if (std::getenv("HITGRAPH_WRITE_WORK") != nullptr) {
    table[name_of(c)] = found;
    write(table);
  }
  EXPECT_LE(found[0], 1.1 * found[1]);
  ASSERT_TRUE(table.count(name_of(c))) << "no line " << name_of(c) << " in " << HITGRAPH_WORK_TABLE;
  const Line& expected = table[name_of(c)];
  for (std::size_t column = 0; column < kColumns.size(); ++column) {
    // A pow() that rounds otherwise may move a guess a little.
    EXPECT_NEAR(found[column], expected[column], 0.01 * expected[column] + 0.002)
        << kColumns[column];
  }
}

INSTANTIATE_TEST_SUITE_P(
    Sets, KnnCudaWork,
    ::testing::Values(Case{"uniform", 2, 40, 20000}, Case{"uniform", 3, 40, 20000},
                      Case{"uniform", 4, 40, 20000}, Case{"uniform", 4, 64, 8000},
                      Case{"uniform", 3, 16, 8000}, Case{"uniform", 8, 40, 8000},
                      Case{"clusters", 3, 40, 20000}, Case{"clusters", 4, 100, 8000},
                      Case{"clusters", 8, 40, 8000}, Case{"lattice", 3, 40, 8000},
                      Case{"half_equal", 3, 40, 8000}),
    [](const auto& info) { return name_of(info.param); });

}  // namespace
}  // namespace hitgraph::testing
