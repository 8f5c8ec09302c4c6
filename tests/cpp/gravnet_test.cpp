// GravNet's aggregation on the CPU against plain loops; the exponential against the C library's.
#include "gravnet_case.h"
#include "simd_levels.h"

namespace hitgraph::testing {
namespace {

template <typename T>
void expect_accurate(double least, double most, double step) {
  for (double x = least; x <= most; x += step) {
    const T argument = static_cast<T>(x);
    const double truth = std::exp(static_cast<double>(argument));
    if (truth < std::numeric_limits<T>::min()) continue;
    const T rounded = static_cast<T>(truth);
    const double unit = std::nextafter(rounded, std::numeric_limits<T>::infinity()) - rounded;
    const T found = exponential(argument, T(0));
    ASSERT_LE(std::abs(static_cast<double>(found) - truth), 1.5 * unit) << argument;
  }
}

TEST(Exponential, IsWithinOneAndAHalfUnits) {
  expect_accurate<float>(-87, 88, 1.37e-4);
  expect_accurate<float>(-1, 1, 3.1e-6);
  expect_accurate<double>(-708, 709, 1.37e-3);
  expect_accurate<double>(-1, 1, 3.1e-6);
  EXPECT_EQ(1.0f, exponential(0.0f, 0.0f));
  EXPECT_EQ(1.0, exponential(-0.0, 0.0));
}

template <typename T>
void expect_ends(T low, T high) {
  const T infinity = std::numeric_limits<T>::infinity();
  for (const T x : {std::nextafter(low, -infinity), 2 * low, T(-1e30), -infinity}) {
    EXPECT_EQ(T(0), exponential(x, T(0))) << x;
  }
  for (const T x : {std::nextafter(high, infinity), 2 * high, T(1e30), infinity}) {
    EXPECT_EQ(infinity, exponential(x, T(0))) << x;
  }
  EXPECT_TRUE(std::isnan(exponential(std::numeric_limits<T>::quiet_NaN(), T(0))));
  EXPECT_GT(exponential(low, T(0)), T(0));
  EXPECT_LT(exponential(high, T(0)), infinity);
}

TEST(Exponential, IsZeroAndInfiniteBeyondItsRange) {
  expect_ends<float>(-87, 88);
  expect_ends<double>(-708, 709);
}

// The scale's and the product's roundings would cost |argument| units.
TEST(Exponential, OfAProductIsAsAccurate) {
  for (const double scale : {10.0, 0.1, 1 / 3.0, 7.7}) {
    const auto weighting = Weighting<float>::exponential_of(scale);
    for (float value = 0; value * scale < 87; value += 0.0371f / static_cast<float>(scale)) {
      const double truth = std::exp(-scale * value);
      ASSERT_NEAR(1, weighting.weight(value) / truth, 1.8e-7) << scale << " " << value;
    }
  }
}

template <typename T, typename Index, typename Slot>
void expect_contract(const GravnetSpec& spec) {
  const GravnetCase<T, Index> gravnet(spec);
  const auto expected = gravnet.template by_contract<Slot>();
  for (const SimdLevel level : simd_levels()) {
    for (const int count : {1, 2, 7}) {
      expect_same(expected, gravnet.template on_cpu<Slot>(level, threads(count)),
                  spec.name() + " " + simd_level_name(level));
    }
  }
}

void expect_contract_of_all_types(const GravnetSpec& spec) {
  if (spec.k <= 255) {
    expect_contract<float, int32_t, uint8_t>(spec);
    expect_contract<double, int64_t, uint8_t>(spec);
  }
  expect_contract<float, int64_t, int32_t>(spec);
  expect_contract<double, int32_t, int32_t>(spec);
}

TEST(GravnetAggregate, HoldsItsContractForAnySize) {
  GravnetSpec spec;
  for (const int64_t k : {1, 7, 16, 17, 40, 64, 100, 257}) {
    for (const int64_t channels : {1, 2, 3, 4, 8, 22, 32, 33, 64, 128, 200}) {
      spec.k = k;
      spec.channels = channels;
      ++spec.seed;
      expect_contract_of_all_types(spec);
    }
  }
}

TEST(GravnetAggregate, HoldsItsContractForAnyContent) {
  for (const char* features : {"normal", "negative", "ties", "non_finite", "minus_infinity"}) {
    for (const double scale : {-1.0, 0.0, 0.1, 1.0, 10.0, 1e4}) {
      for (const Divisor divisor : {Divisor::kOne, Divisor::kSlots, Divisor::kPresent}) {
        for (const bool missing_is_zero : {false, true}) {
          GravnetSpec spec;
          spec.rows = 100;
          spec.k = 19;
          spec.channels = 22;
          spec.features = features;
          spec.scale = scale;
          spec.divisor = divisor;
          spec.missing_is_zero = missing_is_zero;
          expect_contract_of_all_types(spec);
        }
      }
    }
  }
}

TEST(GravnetAggregate, NothingIsASize) {
  GravnetSpec spec;
  for (const auto& [rows, points] : {std::pair{0, 5}, {5, 0}, {0, 0}}) {
    spec.rows = rows;
    spec.points = points;
    expect_contract_of_all_types(spec);
  }
}

TEST(GravnetAggregate, WhatIsNotWantedIsNotWritten) {
  const GravnetCase<float, int32_t> gravnet{GravnetSpec()};
  const auto both = gravnet.on_cpu<uint8_t>(best_simd_level(), Executor());
  auto one = both;
  std::fill(one.total.begin(), one.total.end(), -7.0f);
  gravnet_aggregate_cpu<float, int32_t, uint8_t>(gravnet.graph(), false, best_simd_level(),
                                                 Executor(), {one.total.data(), nullptr, nullptr});
  expect_same(both, one, "total");
  std::fill(one.maximum.begin(), one.maximum.end(), -7.0f);
  gravnet_aggregate_cpu<float, int32_t, uint8_t>(gravnet.graph(), false, best_simd_level(),
                                                 Executor(),
                                                 {nullptr, one.maximum.data(), one.slot.data()});
  expect_same(both, one, "maximum");
}

template <typename T, typename Index, typename Slot, typename Edge>
void expect_gradient(const GravnetSpec& spec, const GradientSpec& gradient = {}) {
  const GravnetBackwardCase<T, Index, Slot, Edge> backward(GravnetCase<T, Index>(spec), gradient);
  for (const SimdLevel level : simd_levels()) {
    const GravnetGradientOutput<T> one = backward.on_cpu(level, Executor());
    backward.expect_close(one, spec.name() + " " + simd_level_name(level));
    for (const int count : {2, 7}) {
      const GravnetGradientOutput<T> more = backward.on_cpu(level, threads(count));
      expect_same_bits(one.features, more.features, spec.name() + ": features, threads");
      expect_same_bits(one.values, more.values, spec.name() + ": values, threads");
    }
  }
}

TEST(GravnetBackward, IsTheSumOverEdges) {
  GravnetSpec spec;
  for (const int64_t k : {1, 7, 40, 100, 255}) {
    for (const int64_t channels : {1, 2, 3, 4, 8, 22, 32, 33, 64, 128, 200}) {
      spec.k = k;
      spec.channels = channels;
      spec.divisor = static_cast<Divisor>(spec.seed % 3);
      spec.missing_is_zero = spec.seed % 2 == 0;
      spec.scale = spec.seed % 4 == 0 ? -1 : 1;
      ++spec.seed;
      expect_gradient<float, int32_t, uint8_t, int32_t>(spec, {true, true, true, true, k % 3});
      expect_gradient<double, int64_t, int32_t, int64_t>(spec);
    }
  }
}

TEST(GravnetBackward, HubsAreTheWorkOfMany) {
  GravnetSpec spec;
  spec.rows = 500;
  spec.k = 100;
  spec.channels = 5;
  for (const int hubs : {1, 2, 9}) {
    spec.hubs = hubs;
    expect_gradient<float, int64_t, uint8_t, int32_t>(spec);
    expect_gradient<double, int32_t, int32_t, int64_t>(spec);
  }
}

// Enough features that an order counts, in both passes.
TEST(Gravnet, TheOrderDoesNotMatter) {
  GravnetSpec spec;
  spec.rows = spec.points = 9000;
  spec.channels = 256;
  const GravnetBackwardCase<float, int64_t, uint8_t, int32_t> found{
      GravnetCase<float, int64_t>(spec)};
  spec.backwards = true;
  const GravnetBackwardCase<float, int64_t, uint8_t, int32_t> given{
      GravnetCase<float, int64_t>(spec)};
  expect_same(found.forward.on_cpu<uint8_t>(best_simd_level(), threads(2)),
              given.forward.on_cpu<uint8_t>(best_simd_level(), threads(2)), "order");
  const auto expected = found.on_cpu(best_simd_level(), threads(2));
  const auto gradient = given.on_cpu(best_simd_level(), threads(2));
  expect_same_bits(expected.features, gradient.features, "features, order");
  expect_same_bits(expected.values, gradient.values, "values, order");
}

TEST(GravnetBackward, LongSumsAreAccurate) {
  using Backward = GravnetBackwardCase<float, int32_t, uint8_t, int32_t>;
  for (const int64_t rows : {700, 5000}) {
    const auto backward = sum_of_equal_terms<Backward>(rows);
    backward.expect_close(backward.on_cpu(best_simd_level(), Executor()), "equal terms");
  }
}

TEST(GravnetBackward, EdgesThatDoNotExistHaveNoGradient) {
  GravnetBackwardCase<float, int32_t, uint8_t, int32_t> backward{
      GravnetCase<float, int32_t>(GravnetSpec())};
  std::fill(backward.grads.begin(), backward.grads.end(), INFINITY);
  backward.expect_none_of_missing(backward.on_cpu(best_simd_level(), Executor()));
}

TEST(GravnetBackward, GradientsThatAreNotThereOrNotWanted) {
  for (int choice = 0; choice < 16; ++choice) {
    const auto has = [&](int bit) { return (choice >> bit & 1) != 0; };
    expect_gradient<float, int32_t, uint8_t, int64_t>(GravnetSpec(),
                                                      {has(0), has(1), has(2), has(3), 1});
  }
}

TEST(GravnetBackward, NothingIsASize) {
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

}  // namespace
}  // namespace hitgraph::testing
