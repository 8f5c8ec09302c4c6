// A small run of every kernel of object condensation's objects and sums: says what is wrong with
// it, in one line, and returns 1. Compiled by faults.py, with a fault and without.
#include <cstdio>

#include "faults/run_probe.h"
#include "host_condensation.h"

namespace hitgraph::testing {
namespace {

template <typename Number>
bool same(const std::vector<Number>& expected, const std::vector<Number>& found, const char* what) {
  if (expected == found) return true;
  std::printf("[wrong rows] %s\n", what);
  return false;
}

bool close(const CondensationSums& truth, const std::vector<double>& found, const char* what) {
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (std::abs(truth.sum[i] - found[i]) <= 1e-12 * truth.absolute[i] + 1e-300) continue;
    std::printf("[wrong rows] %s, element %d\n", what, static_cast<int>(i));
    return false;
  }
  return true;
}

bool agrees(const CondensationSpec& spec) {
  const CondensationCase<double> given(spec);
  const ObjectNumbers numbers = number_on_host(given.labelled());
  if (!same(given.object, numbers.object, "object")) return false;
  if (!same(given.order, numbers.order, "order")) return false;
  if (!same(given.offsets, numbers.offsets, "offsets")) return false;
  if (!same(given.points, numbers.points, "points")) return false;
  const CondensationTruth truth = by_definition(given);
  const CondensationOutput<double> found = condense_on_host(given);
  return close(truth.attraction, found.attraction, "attraction") &&
         close(truth.repulsion, found.repulsion, "repulsion") &&
         close(truth.coordinates, found.coordinates, "coordinates") &&
         close(truth.weights, found.weights, "weights") &&
         close(truth.centres, found.centres, "centres") &&
         close(truth.factors, found.factors, "factors");
}

// The first beta of an object is no number: it stays the point.
bool first_stays() {
  const std::vector<int64_t> labels(5, 1), splits = {0, 5};
  const std::vector<double> beta = {std::nan(""), 0.5, 0.25, 0.5, 0.125};
  const LabelledHits<double> given{labels.data(), beta.data(), splits.data(), 5, 1, -1};
  return same<int64_t>({0}, number_on_host(given).points, "point of the first");
}

bool all_agree() {
  CondensationSpec spec;
  spec.events = {300, 0, 1, 1400};
  for (const int64_t dim : {3, 6, 11}) {
    spec.dim = dim;
    if (!agrees(spec)) return false;
  }
  spec.repulsion = Repulsion::kExponential;
  spec.labels = 150;  // more objects than a tile
  return agrees(spec) && first_stays();
}

}  // namespace
}  // namespace hitgraph::testing

int main() { return hitgraph::testing::run_probe(hitgraph::testing::all_agree); }
