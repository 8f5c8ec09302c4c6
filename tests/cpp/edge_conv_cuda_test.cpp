// EdgeConv's kernels, run on the host: what the CPU selects, bit for bit, statistics and gradients
// near those of plain sums over the edges.
#include <array>
#include <cstring>

#include "host_edge_conv.h"

namespace hitgraph::testing {
namespace {

template <typename T>
constexpr double kRoundings =
    std::is_same_v<T, float> ? 2e-6 : 2e-14;  // of double the oracle's own

template <typename T, typename Index, typename Slot>
void expect_statistics(const EdgeConvCase<T, Index, Slot>& layer,
                       const EdgeConvOutput<T, Slot>& found, const std::string& name) {
  const auto truth = layer.statistics();
  for (std::size_t c = 0; c < truth.mean.size(); ++c) {
    const double mean = truth.mean[c], variance = truth.variance[c];
    ASSERT_NEAR(mean, found.mean[c], kRoundings<T> * (std::abs(mean) + std::sqrt(variance)))
        << name;
    // Values are rounded before they are compared with the mean, which is rounded too.
    const double lost = kRoundings<T> * (std::abs(mean) + std::sqrt(variance));
    ASSERT_NEAR(variance, found.variance[c],
                4 * kRoundings<T> * variance + 2 * lost * std::sqrt(variance) + lost * lost)
        << name;
  }
}

// The result, from what the CPU selects and the statistics of the kernels.
template <typename T, typename Index, typename Slot>
void expect_forward(const EdgeConvSpec& spec, HostEdgeConvRun run = {}) {
  const EdgeConvCase<T, Index, Slot> layer(spec);
  run.seed = spec.seed;
  auto selected = layer.on_cpu();
  const EdgeConvOutput<T, Slot> found = edge_conv_on_host(layer, run);
  expect_same_bits(selected.slot, found.slot, spec.name() + ": slot");
  if (spec.values != "non_finite") expect_statistics(layer, found, spec.name());
  for (std::size_t i = 0; i < selected.value.size(); ++i) {
    if (selected.slot[i] == no_slot<Slot>()) continue;
    const std::size_t c = i % static_cast<std::size_t>(spec.channels);
    const double deviation = spec.normal ? std::sqrt(found.variance[c] + kEdgeConvEps) : 1;
    const T factor = static_cast<T>(layer.scale[c] / deviation);
    const T z = layer.shift[c] + factor * (selected.value[i] - found.mean[c]);
    selected.value[i] = z > 0 ? z : static_cast<T>(spec.slope) * z;
  }
  expect_same_bits(selected.value, found.value, spec.name() + ": value");
}

template <typename T>
void expect_close(const std::vector<AbsoluteSum>& truth, const std::vector<T>& found,
                  const std::string& what) {
  ASSERT_EQ(truth.size(), found.size()) << what;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double tolerance = 4 * kRoundings<T> * truth[i].absolute + std::numeric_limits<T>::min();
    ASSERT_NEAR(truth[i].sum, found[i], tolerance) << what << ", element " << i;
  }
}

template <typename T, typename Index, typename Slot, typename Edge>
void expect_backward(const EdgeConvSpec& spec, HostEdgeConvRun run = {}) {
  EdgeConvCase<T, Index, Slot> layer(spec);
  const EdgeConvOutput<T, Slot> forward = edge_conv_on_host(layer, run);
  layer.mean = forward.mean;
  layer.variance = forward.variance;
  const auto one = differentiate_on_host<T, Index, Slot, Edge>(layer, forward.slot, run);
  run.seed = 2;
  const auto again = differentiate_on_host<T, Index, Slot, Edge>(layer, forward.slot, run);
  expect_same_bits(one.center, again.center, spec.name() + ": center, again");
  expect_same_bits(one.neighbour, again.neighbour, spec.name() + ": neighbour, again");
  const auto truth = layer.by_definition(forward.slot, kEdgeConvEps);
  expect_close(truth.center, one.center, spec.name() + ": center");
  expect_close(truth.neighbour, one.neighbour, spec.name() + ": neighbour");
  expect_close(truth.scale, one.scale, spec.name() + ": scale");
  expect_close(truth.shift, one.shift, spec.name() + ": shift");
}

void expect_forward_of_some_type(const EdgeConvSpec& spec, const HostEdgeConvRun& run = {}) {
  with_some_types(spec, [&](auto number, auto index, auto slot) {
    expect_forward<decltype(number), decltype(index), decltype(slot)>(spec, run);
  });
}

void expect_backward_of_some_type(const EdgeConvSpec& spec, const HostEdgeConvRun& run = {}) {
  with_some_edge_types(spec, [&](auto number, auto index, auto slot, auto edge) {
    expect_backward<decltype(number), decltype(index), decltype(slot), decltype(edge)>(spec, run);
  });
}

// Trained, normalised by what is known, and plain.
template <typename Check>
void each_kind(EdgeConvSpec& spec, const Check& check) {
  for (const int kind : {0, 1, 2}) {
    spec.normal = kind > 0;
    spec.trained = kind == 2;
    ++spec.seed;
    check();
  }
}

TEST(EdgeConvCuda, SelectsAsTheCpuForAnySize) {
  EdgeConvSpec spec;
  spec.rows = 13;
  for (const int64_t k : {1, 7, 20, 100, 255, 257}) {
    for (const int64_t channels : {1, 2, 3, 8, 22, 64, 128, 200}) {
      if (k > 20 && channels > 22) continue;
      spec.k = k;
      spec.channels = channels;
      each_kind(spec, [&] { expect_forward_of_some_type(spec); });
    }
  }
}

TEST(EdgeConvCuda, SelectsAsTheCpuForAnyContent) {
  EdgeConvSpec spec;
  for (const char* values : {"normal", "ties", "non_finite", "far"}) {
    for (const double slope : {0.0, 0.2, 1.0}) {
      spec.values = values;
      spec.slope = slope;
      spec.channels = slope == 0 ? 5 : 8;
      each_kind(spec, [&] { expect_forward_of_some_type(spec); });
    }
  }
}

// More than a row a group, and more than one block.
TEST(EdgeConvCuda, ManyRows) {
  EdgeConvSpec spec;
  spec.rows = spec.points = 150;
  for (const int64_t channels : {12, 70}) {
    spec.channels = channels;
    each_kind(spec, [&] { expect_forward_of_some_type(spec); });
    each_kind(spec, [&] { expect_backward_of_some_type(spec); });
  }
}

// More rows than a row for every group of every share.
TEST(EdgeConvCuda, RowsOfASharePassThroughAGroup) {
  EdgeConvSpec spec;
  spec.channels = 65;  // a group is a warp
  spec.rows = kMostShares * kEdgeConvThreads / kWarpSize + 100;
  spec.k = 1;
  EXPECT_EQ(8, row_shares(spec.rows, kWarpSize).rows);
  expect_forward<float, int32_t, uint8_t>(spec);
}

TEST(EdgeConvCuda, RowsThatHoldNoVectors) {
  EdgeConvSpec spec;
  spec.channels = 16;
  for (const int64_t padding : {0, 1, 4}) {
    for (const int64_t skew : {0, 1}) {
      spec.padding = padding;
      HostEdgeConvRun run;
      run.skew = skew;
      each_kind(spec, [&] { expect_forward_of_some_type(spec, run); });
      each_kind(spec, [&] { expect_backward_of_some_type(spec, run); });
    }
  }
}

TEST(EdgeConvCuda, NothingIsASize) {
  EdgeConvSpec spec;
  for (const auto& [rows, points, channels] :
       {std::array<int64_t, 3>{0, 5, 8}, {5, 0, 8}, {0, 0, 3}, {5, 5, 0}}) {
    spec.rows = rows;
    spec.points = points;
    spec.channels = channels;
    each_kind(spec, [&] { expect_forward<float, int64_t, uint8_t>(spec); });
    each_kind(spec, [&] { expect_backward<float, int64_t, uint8_t, int32_t>(spec); });
  }
}

TEST(EdgeConvCuda, IndicesOutOfRangeAreMissingEdges) {
  EdgeConvSpec spec;
  each_kind(spec, [&] {
    EdgeConvCase<float, int64_t, uint8_t> missing(spec), out_of_range(spec);
    const int64_t ends[] = {spec.points, -5, int64_t{1} << 40, (int64_t{1} << 32) + 1};
    for (std::size_t edge = 0; edge < missing.index.size(); edge += 3) {
      missing.index[edge] = -1;
      out_of_range.index[edge] = ends[edge % 4];
    }
    const auto expected = edge_conv_on_host(missing), found = edge_conv_on_host(out_of_range);
    expect_same_bits(expected.slot, found.slot, "slot");
    expect_same_bits(expected.value, found.value, "value");
    expect_same_bits(differentiate_on_host(missing, found.slot).center,
                     differentiate_on_host(out_of_range, found.slot).center, "grad_center");
  });
}

TEST(EdgeConvBackwardCuda, IsTheSumOverEdges) {
  EdgeConvSpec spec;
  spec.rows = 13;
  for (const int64_t k : {1, 7, 40, 100}) {
    for (const int64_t channels : {1, 3, 8, 22, 64, 130}) {
      if (k > 7 && channels > 22) continue;
      spec.k = k;
      spec.channels = channels;
      spec.slope = spec.seed % 2 == 0 ? 0 : 0.2;
      each_kind(spec, [&] { expect_backward_of_some_type(spec); });
    }
  }
}

TEST(EdgeConvBackwardCuda, HubsAreSummedInPieces) {
  EdgeConvSpec spec;
  spec.rows = 300;
  spec.k = 13;
  for (const int hubs : {1, 2, 5}) {
    for (const int64_t channels : {3, 8}) {
      spec.hubs = hubs;
      spec.channels = channels;
      each_kind(spec, [&] { expect_backward_of_some_type(spec); });
    }
  }
}

// Deviations of a mean that is much larger: sums of values far from zero would lose them.
TEST(EdgeConvBackwardCuda, StatisticsFarFromZero) {
  EdgeConvSpec spec;
  spec.values = "far";
  spec.slope = 1;  // where an activation bends, a rounding decides
  spec.rows = 200;
  for (const int hubs : {0, 1}) {
    spec.hubs = hubs;
    EdgeConvCase<float, int32_t, uint8_t> layer(spec);
    const auto forward = edge_conv_on_host(layer);
    layer.mean = forward.mean;
    layer.variance = forward.variance;
    const auto found = differentiate_on_host(layer, forward.slot);
    const auto truth = layer.by_definition(forward.slot, kEdgeConvEps);
    // The rounding of a value and of the mean, 300 times 6e-8 each, is 0.4 % of the spread.
    for (std::size_t i = 0; i < found.neighbour.size(); ++i) {
      const AbsoluteSum& sum = truth.neighbour[i];
      ASSERT_NEAR(sum.sum, found.neighbour[i], 0.03 * sum.absolute) << i;
    }
  }
}

TEST(EdgeConvBackwardCuda, SlotsOutOfRangeAreOfNoEdge) {
  EdgeConvSpec spec;
  const EdgeConvCase<float, int32_t, int32_t> layer(spec);
  auto slot = edge_conv_on_host(layer).slot;
  for (std::size_t i = 0; i < slot.size(); i += 2) {
    slot[i] = i % 4 == 0 ? std::numeric_limits<int32_t>::max() : 7;
  }
  const auto found = differentiate_on_host(layer, slot);  // reads nothing beyond its arrays
  EXPECT_EQ(found.center.size(), slot.size());
}

}  // namespace
}  // namespace hitgraph::testing
