// A small run of every kernel of the CUDA radius search: says what is wrong with it, in one line,
// and returns 1. Compiled by faults.py, with a fault and without.
#include <cstdio>

#include "clouds.h"
#include "faults/run_probe.h"
#include "host_radius.h"

namespace hitgraph::testing {
namespace {

bool agrees(const char* name, const KnnCase<float>& c, int64_t most, const RadiusRun& run) {
  const Edges<float> found = radius_on_host_cuda(c, most, run);
  const std::string difference = first_difference(every_pair_within(c, most), found);
  if (difference.empty()) return true;
  std::printf("[wrong rows] %s, most = %lld: %s\n", name, static_cast<long long>(most),
              difference.c_str());
  return false;
}

bool all_agree() {
  for (uint64_t seed = 1; seed <= 2; ++seed) {
    RadiusRun run;
    run.seed = seed;
    run.enough_groups = seed == 1 ? 8192 : 1;
    for (const char* name : {"uniform", "lattice", "non_finite"}) {
      for (const int64_t dim : {2, 12}) {
        KnnCase<float> c(make_cloud<float>(name, 200, dim), dim);
        c.max_distance2 = distance2_of_rank(c, 20);
        if (!agrees(name, c, kEveryNeighbour, run) || !agrees(name, c, 10, run)) return false;
      }
    }
    KnnCase<float> split(make_cloud<float>("clusters", 2400, 2), 2);
    split.row_splits = {0, 0, 100, 2300, 2400};
    split.query_mask = Mask::where(2400, [](int64_t i) { return i % 19 == 0; });
    split.max_distance2 = 0.005f;
    if (!agrees("segments", split, kEveryNeighbour, run)) return false;
    // Rows of two and of three pieces, and short ones.
    KnnCase<float> all(make_cloud<float>("lattice", 2600, 3), 3);
    all.row_splits = {0, 1200, 1230, 1300, 2600};
    all.query_mask = Mask::where(2600, [](int64_t i) { return i % 120 == 7; });
    if (!agrees("long rows", all, kEveryNeighbour, run)) return false;
    all.row_splits = {0, 2560, 2600};
    if (!agrees("longer rows", all, kEveryNeighbour, run)) return false;
  }
  KnnCase<float> far(make_cloud<float>("uniform", 100, 2), 2);
  radius_of_far_edges(far, kEveryNeighbour, 7'000'000'000);
  return true;
}

}  // namespace
}  // namespace hitgraph::testing

int main() { return hitgraph::testing::run_probe(hitgraph::testing::all_agree); }
