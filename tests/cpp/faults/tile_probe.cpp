// As probe.cpp, for the search in many dimensions.
#include <cstdio>

#include "clouds.h"
#include "faults/run_probe.h"
#include "host_knn.h"

namespace hitgraph::testing {
namespace {

bool agrees(const KnnCase<float>& knn, int64_t k) {
  const Rows<float> expected = knn.search(k, best_simd_level());
  for (const bool boxes : {false, true}) {
    HostRun run;
    run.boxes = boxes;
    const Rows<float> found = search_on_host_cuda(knn, k, run);
    for (std::size_t place = 0; place < expected.index.size(); ++place) {
      if (expected.index[place] == found.index[place] &&
          expected.distance2[place] == found.distance2[place]) {
        continue;
      }
      std::printf("[wrong rows] row %d, column %d\n", static_cast<int>(place / k),
                  static_cast<int>(place % k));
      return false;
    }
  }
  return true;
}

bool all_agree() {
  for (const char* name : {"clusters", "lattice", "identical", "line"}) {
    for (const int64_t dim : {17, 40}) {
      KnnCase<float> knn(make_cloud<float>(name, 260, dim), dim);
      knn.row_splits = {0, 50, 50, 260};
      for (const int64_t k : {7, 40}) {
        if (!agrees(knn, k)) return false;
      }
    }
  }
  KnnCase<float> within(make_cloud<float>("clusters", 260, 48), 48);
  within.max_distance2 = 0.5f;
  return agrees(within, 20);
}

}  // namespace
}  // namespace hitgraph::testing

int main() { return hitgraph::testing::run_probe(hitgraph::testing::all_agree); }
