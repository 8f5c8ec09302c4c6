// As probe.cpp, for the kernels of GravNet's aggregation and of its gradient.
#include <cstdio>

#include "faults/run_probe.h"
#include "host_gravnet.h"

namespace hitgraph::testing {
namespace {

template <typename T>
bool same(const std::vector<T>& expected, const std::vector<T>& found, const char* what) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (expected[i] == found[i]) continue;
    std::printf("[wrong rows] %s, element %d\n", what, static_cast<int>(i));
    return false;
  }
  return true;
}

bool aggregates(const GravnetSpec& spec, int64_t skew) {
  HostGravnetRun run;
  run.skew = skew;
  GravnetCase<float, int32_t> gravnet(spec);
  const auto expected = gravnet.on_cpu<uint8_t>(best_simd_level(), Executor());
  for (int32_t& end : gravnet.index) end = end < 0 ? static_cast<int32_t>(spec.points) : end;
  GravnetOutput<float, uint8_t> found;
  aggregate_on_host(gravnet, run, found);
  return same(expected.total, found.total, "total") &&
         same(expected.maximum, found.maximum, "maximum") &&
         same(expected.slot, found.slot, "slot");
}

template <typename Sums>
bool close(const Sums& expected, const std::vector<double>& found, const char* what) {
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (std::abs(expected.sum[i] - found[i]) <= 1e-12 * expected.absolute[i]) continue;
    std::printf("[wrong rows] %s, element %d\n", what, static_cast<int>(i));
    return false;
  }
  return true;
}

bool differentiates(const GravnetSpec& spec) {
  const GravnetBackwardCase<double, int32_t, uint8_t, int32_t> backward{
      GravnetCase<double, int32_t>(spec)};
  const auto found = differentiate_on_host(backward, {});
  const auto truth = backward.by_definition();
  return close(truth.features, found.features, "grad_features") &&
         close(truth.values, found.values, "grad_values");
}

bool all_agree() {
  GravnetSpec spec;
  spec.rows = 50;
  spec.k = 21;
  for (const char* features : {"normal", "negative", "ties"}) {
    spec.features = features;
    for (const int64_t channels : {5, 8}) {
      spec.channels = channels;
      spec.divisor = channels == 5 ? Divisor::kPresent : Divisor::kSlots;
      if (!aggregates(spec, 0) || !aggregates(spec, 1) || !differentiates(spec)) return false;
    }
  }
  spec.channels = 70;  // more than one tile of doubles
  if (!differentiates(spec)) return false;
  spec.rows = 300;
  spec.channels = 4;
  spec.hubs = 2;
  return differentiates(spec);
}

}  // namespace
}  // namespace hitgraph::testing

int main() { return hitgraph::testing::run_probe(hitgraph::testing::all_agree); }
