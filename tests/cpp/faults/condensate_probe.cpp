// As condensation_probe.cpp, for the clustering.
#include "condensate_case.h"
#include "faults/run_probe.h"

namespace hitgraph::testing {
namespace {

bool agrees(const char* name, const CondensateCase<float>& given) {
  const Clusters truth = given.by_definition(), found = given.on_host_cuda();
  if (truth == found) return true;
  std::printf("[wrong rows] %s: %s\n", name,
              truth.points != found.points ? "points"
              : truth.label != found.label ? "labels"
                                           : "rows of points or splits");
  return false;
}

bool all_agree() {
  for (const char* name : {"clusters", "lattice"}) {
    for (const bool nearest : {false, true}) {
      CondensateCase<float> given(name, {0, 3, 3, 60, 1900}, 2);
      given.nearest = nearest;
      // A point for every candidate but duplicates, for some and for few.
      for (const float distance : {0.0005f, 0.1f, 1.0f}) {
        given.distance_threshold = distance;
        given.radius.clear();
        if (!agrees(name, given)) return false;
        given.draw_radii();
        if (!agrees(name, given)) return false;
      }
    }
  }
  return true;
}

}  // namespace
}  // namespace hitgraph::testing

int main() { return hitgraph::testing::run_probe(hitgraph::testing::all_agree); }
