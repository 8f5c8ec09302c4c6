// As probe.cpp, for the kernels of EdgeConv and of its gradient.
#include <cstdio>

#include "faults/run_probe.h"
#include "host_edge_conv.h"

namespace hitgraph::testing {
namespace {

template <typename T>
bool near(double expected, T found, double tolerance, const char* what, std::size_t i) {
  if (std::abs(expected - static_cast<double>(found)) <= tolerance) return true;
  std::printf("[wrong rows] %s, element %d\n", what, static_cast<int>(i));
  return false;
}

bool close(const std::vector<AbsoluteSum>& truth, const std::vector<double>& found,
           const char* what) {
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (!near(truth[i].sum, found[i], 1e-11 * truth[i].absolute, what, i)) return false;
  }
  return true;
}

using Case = EdgeConvCase<double, int32_t, uint8_t>;

bool forward_agrees(const Case& layer, const EdgeConvOutput<double, uint8_t>& found) {
  const auto selected = layer.on_cpu();
  const auto truth = layer.statistics();
  for (std::size_t c = 0; c < truth.mean.size(); ++c) {
    if (!near(truth.mean[c], found.mean[c], 1e-12, "mean", c)) return false;
    if (!near(truth.variance[c], found.variance[c], 1e-12, "variance", c)) return false;
  }
  for (std::size_t i = 0; i < selected.slot.size(); ++i) {
    if (!near(selected.slot[i], found.slot[i], 0, "slot", i)) return false;
    const std::size_t c = i % static_cast<std::size_t>(layer.spec.channels);
    const double root = layer.deviation(truth, static_cast<int64_t>(c), kEdgeConvEps);
    const double z = layer.shift[c] + layer.scale[c] / root * (selected.value[i] - truth.mean[c]);
    const double value = selected.slot[i] == no_slot<uint8_t>() ? 0
                         : z > 0                                ? z
                                                                : layer.spec.slope * z;
    if (!near(value, found.value[i], 1e-10, "value", i)) return false;
  }
  return true;
}

bool agrees(const EdgeConvSpec& spec, int64_t skew) {
  Case layer(spec);
  for (int32_t& end : layer.index) end = end < 0 ? -1 : end;
  HostEdgeConvRun run;
  run.skew = skew;
  const auto found = edge_conv_on_host(layer, run);
  if (!forward_agrees(layer, found)) return false;
  layer.mean = found.mean;
  layer.variance = found.variance;
  const auto gradient = differentiate_on_host(layer, found.slot, run);
  const auto truth = layer.by_definition(found.slot, kEdgeConvEps);
  return close(truth.scale, gradient.scale, "grad_scale") &&
         close(truth.shift, gradient.shift, "grad_shift") &&
         close(truth.center, gradient.center, "grad_center") &&
         close(truth.neighbour, gradient.neighbour, "grad_neighbour");
}

bool all_agree() {
  EdgeConvSpec spec;
  spec.rows = 50;
  spec.k = 11;
  for (const bool trained : {false, true}) {
    spec.trained = trained;
    for (const int64_t channels : {5, 8, 70}) {  // the last more than a tile of doubles
      spec.channels = channels;
      spec.values = channels == 5 ? "ties" : "normal";
      if (!agrees(spec, 0) || !agrees(spec, 1)) return false;
    }
  }
  spec.rows = 300;
  spec.channels = 4;
  spec.hubs = 2;
  return agrees(spec, 0);
}

}  // namespace
}  // namespace hitgraph::testing

int main() { return hitgraph::testing::run_probe(hitgraph::testing::all_agree); }
