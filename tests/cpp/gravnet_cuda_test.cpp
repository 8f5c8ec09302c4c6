// GravNet's kernels, run on the host, against the CPU's: the same bits forward, close backward.
#include "host_gravnet.h"

namespace hitgraph::testing {
namespace {

template <typename T, typename Index, typename Slot>
void expect_cpus_bits(const GravnetSpec& spec, HostGravnetRun run = {}) {
  const GravnetCase<T, Index> gravnet(spec);
  run.seed = spec.seed;
  const auto expected = gravnet.template on_cpu<Slot>(best_simd_level(), Executor());
  GravnetOutput<T, Slot> found;
  aggregate_on_host(gravnet, run, found);
  expect_same(expected, found, spec.name());
}

void expect_cpus_bits_of_some_type(const GravnetSpec& spec, const HostGravnetRun& run = {}) {
  with_some_types(spec, [&](auto number, auto index, auto slot) {
    expect_cpus_bits<decltype(number), decltype(index), decltype(slot)>(spec, run);
  });
}

TEST(GravnetAggregateCuda, HasTheCpusBitsForAnySize) {
  GravnetSpec spec;
  spec.rows = 13;
  for (const int64_t k : {1, 7, 16, 17, 40, 64, 100, 257, 300}) {
    for (const int64_t channels : {1, 2, 3, 4, 8, 22, 32, 33, 64, 128, 200}) {
      spec.k = k;
      spec.channels = channels;
      ++spec.seed;
      expect_cpus_bits_of_some_type(spec);
    }
  }
}

TEST(GravnetAggregateCuda, HasTheCpusBitsForAnyContent) {
  GravnetSpec spec;
  spec.rows = 9;
  spec.k = 19;
  for (const char* features : {"normal", "negative", "ties", "non_finite", "minus_infinity"}) {
    for (const double scale : {-1.0, 0.0, 0.1, 1.0, 10.0, 1e4}) {
      for (const Divisor divisor : {Divisor::kOne, Divisor::kSlots, Divisor::kPresent}) {
        for (const bool missing_is_zero : {false, true}) {
          spec.channels = spec.seed % 2 == 0 ? 8 : 5;
          spec.features = features;
          spec.scale = scale;
          spec.divisor = divisor;
          spec.missing_is_zero = missing_is_zero;
          ++spec.seed;
          expect_cpus_bits_of_some_type(spec);
        }
      }
    }
  }
}

TEST(GravnetAggregateCuda, ManyRows) {
  GravnetSpec spec;
  spec.rows = spec.points = 300;
  spec.k = 20;
  spec.channels = 12;
  for (; spec.seed <= 4; ++spec.seed) expect_cpus_bits_of_some_type(spec);
}

TEST(GravnetAggregateCuda, RowsThatHoldNoVectors) {
  GravnetSpec spec;
  spec.channels = 32;
  HostGravnetRun run;
  for (; spec.seed <= 4; ++spec.seed) {
    run.skew = spec.seed % 2 == 0 ? 1 : 3;
    expect_cpus_bits_of_some_type(spec, run);
  }
}

TEST(GravnetAggregateCuda, NothingIsASize) {
  GravnetSpec spec;
  for (const auto& [rows, points] : {std::pair{0, 5}, {5, 0}, {0, 0}}) {
    spec.rows = rows;
    spec.points = points;
    expect_cpus_bits<float, int64_t, uint8_t>(spec);
    expect_cpus_bits<double, int32_t, int32_t>(spec);
  }
  spec = GravnetSpec();
  spec.k = 0;
  for (const bool missing_is_zero : {false, true}) {
    spec.missing_is_zero = missing_is_zero;
    expect_cpus_bits<float, int64_t, uint8_t>(spec);
  }
}

TEST(GravnetAggregateCuda, WhatIsNotWantedIsNotWritten) {
  GravnetSpec spec;
  for (const int64_t channels : {8, 22}) {
    spec.channels = channels;
    const GravnetCase<float, int32_t> gravnet(spec);
    const auto both = gravnet.on_cpu<uint8_t>(best_simd_level(), Executor());
    for (const bool total : {false, true}) {
      HostGravnetRun run;
      run.total = total;
      run.maximum = !total;
      auto found = both;
      aggregate_on_host(gravnet, run, found);
      expect_same(both, found, spec.name());
    }
  }
}

// Takes some edges to where there is no point, others to none.
template <typename T, typename Index>
void expect_missing(const GravnetSpec& spec, const std::vector<int64_t>& ends) {
  GravnetCase<T, Index> out_of_range(spec), missing(spec);
  for (std::size_t edge = 0; edge < missing.index.size(); edge += 3) {
    out_of_range.index[edge] = static_cast<Index>(ends[edge % ends.size()]);
    missing.index[edge] = -1;
  }
  GravnetOutput<T, uint8_t> found;
  aggregate_on_host(out_of_range, {}, found);
  expect_same(missing.template on_cpu<uint8_t>(best_simd_level(), Executor()), found, spec.name());

  GravnetBackwardCase<T, Index, uint8_t, int32_t> backward(missing);
  backward.forward.index = out_of_range.index;
  const GravnetGradientOutput<T> gradient = differentiate_on_host(backward, {});
  backward.forward.index = missing.index;
  backward.expect_close(gradient, spec.name());
}

TEST(GravnetAggregateCuda, IndicesOutOfRangeAreMissingEdges) {
  GravnetSpec spec;
  for (const Divisor divisor : {Divisor::kSlots, Divisor::kPresent}) {
    spec.divisor = divisor;
    expect_missing<float, int32_t>(spec, {spec.points, -2, 2147483647, -2147483647});
    expect_missing<double, int64_t>(spec,
                                    {spec.points, -5, int64_t{1} << 40, (int64_t{1} << 32) + 1});
  }
}

template <typename T, typename Index, typename Slot, typename Edge>
void expect_gradient(const GravnetSpec& spec, const GradientSpec& gradient = {}, int64_t skew = 0) {
  const GravnetBackwardCase<T, Index, Slot, Edge> backward(GravnetCase<T, Index>(spec), gradient);
  HostGravnetRun run;
  run.skew = skew;
  const GravnetGradientOutput<T> one = differentiate_on_host(backward, run);
  backward.expect_close(one, spec.name());
  run.seed = 2;
  const GravnetGradientOutput<T> again = differentiate_on_host(backward, run);
  expect_same_bits(one.features, again.features, spec.name() + ": features, again");
  expect_same_bits(one.values, again.values, spec.name() + ": values, again");
}

void expect_gradient_of_some_type(const GravnetSpec& spec, const GradientSpec& gradient) {
  with_some_edge_types(spec, [&](auto number, auto index, auto slot, auto edge) {
    expect_gradient<decltype(number), decltype(index), decltype(slot), decltype(edge)>(spec,
                                                                                       gradient);
  });
}

TEST(GravnetBackwardCuda, IsTheSumOverEdges) {
  GravnetSpec spec;
  spec.rows = 13;
  for (const int64_t k : {1, 7, 40, 100, 255}) {
    for (const int64_t channels : {1, 2, 3, 4, 8, 22, 32, 33, 64, 128, 200}) {
      spec.k = k;
      spec.channels = channels;
      spec.divisor = static_cast<Divisor>(spec.seed % 3);
      spec.missing_is_zero = spec.seed % 2 == 0;
      spec.scale = spec.seed % 5 == 0 ? -1 : 1;
      ++spec.seed;
      expect_gradient_of_some_type(spec, {true, true, true, true, spec.seed % 7 == 0 ? 1 : 0});
    }
  }
}

TEST(GravnetBackwardCuda, HubsAreSummedInPieces) {
  GravnetSpec spec;
  spec.rows = 300;
  spec.k = 13;
  for (const int hubs : {1, 2, 3, 5}) {
    for (const int64_t channels : {3, 8, 160}) {
      if (channels > 100 && hubs != 2) continue;
      spec.hubs = hubs;
      spec.channels = channels;
      ++spec.seed;
      expect_gradient_of_some_type(spec, {});
    }
  }
}

TEST(GravnetBackwardCuda, LongSumsAreAccurate) {
  using Backward = GravnetBackwardCase<float, int32_t, uint8_t, int32_t>;
  for (const int64_t rows : {700, 5000}) {
    const auto backward = sum_of_equal_terms<Backward>(rows);
    backward.expect_close(differentiate_on_host(backward, {}), "equal terms");
  }
}

TEST(GravnetBackwardCuda, EdgesThatDoNotExistHaveNoGradient) {
  GravnetBackwardCase<float, int32_t, uint8_t, int32_t> backward{
      GravnetCase<float, int32_t>(GravnetSpec())};
  std::fill(backward.grads.begin(), backward.grads.end(), INFINITY);
  backward.expect_none_of_missing(differentiate_on_host(backward, {}));
}

TEST(GravnetBackwardCuda, GradientsThatAreNotThereOrNotWanted) {
  GravnetSpec spec;
  spec.divisor = Divisor::kPresent;
  for (int choice = 0; choice < 16; ++choice) {
    const auto has = [&](int bit) { return (choice >> bit & 1) != 0; };
    ++spec.seed;
    expect_gradient_of_some_type(spec, {has(0), has(1), has(2), has(3), 0});
  }
}

TEST(GravnetBackwardCuda, RowsThatHoldNoVectors) {
  GravnetSpec spec;
  spec.channels = 32;
  for (const int64_t padding : {0, 1, 4}) {
    for (const int64_t skew : {0, 1}) {
      expect_gradient<float, int32_t, uint8_t, int32_t>(spec, {true, true, true, true, padding},
                                                        skew);
    }
  }
}

TEST(GravnetBackwardCuda, NothingIsASize) {
  GravnetSpec spec;
  for (const auto& [rows, points] : {std::pair{0, 5}, {5, 0}, {0, 0}}) {
    spec.rows = rows;
    spec.points = points;
    expect_gradient<float, int64_t, uint8_t, int32_t>(spec);
  }
  spec = GravnetSpec();
  spec.channels = 0;
  expect_gradient<float, int64_t, uint8_t, int32_t>(spec);
}

TEST(GravnetBackwardCuda, SlotsOutOfRangeAreOfNoEdge) {
  GravnetBackwardCase<float, int32_t, int32_t, int32_t> backward{
      GravnetCase<float, int32_t>(GravnetSpec())};
  for (std::size_t i = 0; i < backward.slot.size(); i += 2) {
    backward.slot[i] = i % 4 == 0 ? std::numeric_limits<int32_t>::max() : 7;
  }
  backward.expect_close(differentiate_on_host(backward, {}), "slots out of range");
}

// What did not win takes no part, not even where it is infinite.
TEST(GravnetBackwardCuda, OfAMaximumAloneIsFiniteWhereTheWinnersAre) {
  GravnetSpec spec;
  spec.features = "non_finite";
  for (const int64_t channels : {8, 5}) {
    spec.channels = channels;
    const GravnetBackwardCase<float, int32_t, uint8_t, int32_t> backward(
        GravnetCase<float, int32_t>(spec), {false, true, true, true, 0});
    const auto expected = backward.on_cpu(best_simd_level(), Executor());
    const auto found = differentiate_on_host(backward, {});
    for (std::size_t i = 0; i < expected.values.size(); ++i) {
      ASSERT_EQ(std::isfinite(expected.values[i]), std::isfinite(found.values[i])) << i;
    }
  }
}

TEST(HubPiece, IsFoundByItsNumberAlone) {
  std::mt19937 random(1);
  const auto draw = [&](int64_t below) { return static_cast<int64_t>(random()) % below; };
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<int64_t> offsets{0};
    const int64_t points = 1 + draw(9);
    for (int64_t point = 0; point < points; ++point) {
      const int64_t sizes[] = {0, 1, kHubPiece, kHubPiece + 1, 2 * kHubPiece, draw(5000)};
      offsets.push_back(offsets.back() + sizes[draw(6)]);
    }
    host_cuda::Buffer<int64_t> buffer("offsets", offsets);
    std::vector<std::pair<int64_t, int64_t>> expected, found;
    for (int64_t point = 0; point < points; ++point) {
      const int64_t begin = offsets[point], end = offsets[point + 1];
      if (end - begin <= kHubPiece) continue;
      for (int64_t piece = begin; piece < end; piece += kHubPiece) {
        expected.emplace_back(piece, std::min(end, piece + kHubPiece));
      }
    }
    const int64_t numbers = HubPiece::count(offsets.back());
    host_cuda::launch({"find", 1, kWarpSize, 0}, [&] {
      for (int64_t number = 0; threadIdx.x == 0 && number < numbers; ++number) {
        HubPiece piece{};
        if (!piece.find(buffer.view(), points, number)) continue;
        EXPECT_EQ(number, HubPiece::number(piece.begin, piece.begin == offsets[piece.point]));
        found.emplace_back(piece.begin, piece.end);
      }
    });
    std::sort(found.begin(), found.end());
    ASSERT_EQ(expected, found);
  }
}

}  // namespace
}  // namespace hitgraph::testing
