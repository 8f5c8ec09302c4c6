// The kernels of the clustering, run on the host: labels, points and splits of the definition, and
// those of the CPU.
#include <gtest/gtest.h>

#include <limits>

#include "condensate_case.h"

namespace hitgraph::testing {
namespace {

// 300 hits in events of all small sizes.
const std::vector<int64_t> kEvents = {0, 0, 1, 3, 3, 40, 105, 300};

template <typename T>
void expect_definition(const CondensateCase<T>& given, uint64_t seed = 1) {
  const Clusters truth = given.by_definition(), found = given.on_host_cuda(seed);
  EXPECT_EQ(truth.label, found.label);
  EXPECT_EQ(truth.point, found.point);
  EXPECT_EQ(truth.point_splits, found.point_splits);
  EXPECT_EQ(truth.points, found.points);
  EXPECT_TRUE(given.on_cpu() == found);
}

// Both assignments, with radii and without, at thresholds that leave out nobody, many and most.
template <typename T>
void expect_definition_in_every_mode(CondensateCase<T>& given, const std::vector<T>& distances) {
  for (const bool nearest : {false, true}) {
    given.nearest = nearest;
    for (const bool radii : {false, true}) {
      radii ? given.draw_radii() : given.radius.clear();
      for (const T distance : distances) {
        given.distance_threshold = distance;
        given.beta_threshold = distance == distances[0] ? T(0) : T(0.5);
        SCOPED_TRACE(::testing::Message()
                     << "nearest " << nearest << ", radii " << radii << ", distance " << distance);
        expect_definition(given, static_cast<uint64_t>(nearest + 2 * radii));
        if (::testing::Test::HasFailure()) return;
      }
    }
  }
}

class CondensateCuda : public ::testing::TestWithParam<std::string> {
 protected:
  template <typename T>
  static void check(int64_t dim, const std::vector<T>& distances) {
    SCOPED_TRACE(::testing::Message() << "dim = " << dim);
    CondensateCase<T> given(GetParam(), kEvents, dim);
    expect_definition_in_every_mode(given, distances);
  }
};

TEST_P(CondensateCuda, Float) {
  for (const int64_t dim : {1, 3, 12}) check<float>(dim, {0.3f, 1.0f, 0.0f});
}

TEST_P(CondensateCuda, Double) { check<double>(2, {0.2, 1.0}); }

INSTANTIATE_TEST_SUITE_P(Clouds, CondensateCuda, ::testing::ValuesIn(cloud_names()),
                         [](const auto& info) { return info.param; });

// One event of more than a batch, a node and the threads of a small launch, with a point for nearly
// every candidate, for some and for all of them.
TEST(CondensateCudaSizes, LargeEvents) {
  for (const int64_t hits : {600, 1500, 6000}) {
    CondensateCase<float> given("clusters", {0, 17, hits}, 3);
    for (const float distance : {0.001f, 0.05f, 0.3f, 5.0f}) {
      given.distance_threshold = distance;
      given.nearest = distance == 0.05f || hits == 1500;
      SCOPED_TRACE(::testing::Message() << hits << " hits, distance " << distance);
      expect_definition(given);
    }
  }
}

TEST(CondensateCudaSizes, SmallEventsOfEverySize) {
  std::vector<int64_t> splits = {0};
  for (int64_t size = 0; size < 70; ++size) splits.push_back(splits.back() + size);
  CondensateCase<float> given("lattice", splits, 3);
  expect_definition_in_every_mode(given, {1.0f, 1.5f});
}

TEST(CondensateCudaSizes, ManySmallEventsAndALargeOne) {
  std::vector<int64_t> splits = {0};
  for (int64_t event = 0; event < 300; ++event) {
    splits.push_back(splits.back() + (event == 100 ? 2500 : event % 4));
  }
  CondensateCase<float> given("uniform", splits, 3);
  given.distance_threshold = 0.2f;
  expect_definition(given);
}

TEST(CondensateCudaSizes, NothingIsASize) {
  for (const std::vector<int64_t>& splits :
       {std::vector<int64_t>{0}, {0, 0}, {0, 0, 0, 0}, {0, 1}, {0, 0, 1, 1}}) {
    for (const float threshold : {0.0f, 1.0f}) {
      CondensateCase<float> given("uniform", splits, 3);
      given.beta_threshold = threshold;
      given.distance_threshold = 1;
      expect_definition(given);
    }
  }
}

// Radii that are no numbers, and too large ones, as nobody checks them on a GPU; a point with such
// a radius takes nobody, not even itself. Betas alike.
TEST(CondensateCuda, ValuesThatAreNoNumbers) {
  for (const bool nearest : {false, true}) {
    CondensateCase<float> given("huge_range", {0, 80, 200}, 2);
    given.nearest = nearest;
    given.distance_threshold = 1;
    given.radius.assign(200, 1e-3f);
    for (std::size_t i = 0; i < 200; i += 3) {
      given.radius[i] = i % 2 == 0 ? std::numeric_limits<float>::infinity() : std::nanf("");
      given.beta[i + 1] = i % 2 == 0 ? std::nanf("") : 3;
    }
    EXPECT_TRUE(given.on_cpu() == given.on_host_cuda());
    given.distance_threshold = 0;  // times infinity
    EXPECT_TRUE(given.on_cpu() == given.on_host_cuda());
  }
}

TEST(CondensateCuda, DoesNotDependOnTheOrderOfLanes) {
  CondensateCase<float> given("clusters", {0, 900, 1000}, 3);
  given.distance_threshold = 0.1f;
  const Clusters truth = given.by_definition();
  for (uint64_t seed = 1; seed <= 8; ++seed) EXPECT_TRUE(truth == given.on_host_cuda(seed));
}

// Splits that are none must not be followed: nobody has a label, nothing else is touched.
TEST(CondensateCuda, MalformedRowSplits) {
  for (const std::vector<int64_t>& splits : {std::vector<int64_t>{0, 150, 100, 160},
                                             {0, 100, 161},
                                             {-1, 100, 160},
                                             {0, int64_t{1} << 40, 160},
                                             {1 << 30}}) {
    CondensateCase<float> given("uniform", {0, 160}, 3);
    given.row_splits = splits;
    given.distance_threshold = 0.1f;
    const Clusters found = given.on_host_cuda();
    EXPECT_EQ(found.label, std::vector<int64_t>(160, -1));
    EXPECT_EQ(found.point_splits, std::vector<int64_t>(splits.size(), 0));
  }
  CondensateCase<float> inner("uniform", {0, 160}, 3);
  inner.row_splits = {10, 100, 150};
  inner.distance_threshold = 0.1f;
  const Clusters found = inner.on_host_cuda();
  for (int64_t row = 0; row < 160; ++row) {
    const bool outside = row < 10 || row >= 150;
    EXPECT_TRUE(!outside || found.label[row] == -1);
    EXPECT_TRUE(outside || inner.beta[row] == 0 || found.label[row] >= 0) << row;
  }
}

// A launch costs microseconds on a GPU, whatever it does: the forest's, and seven.
TEST(CondensateCuda, LaunchesAreBounded) {
  host_cuda::set_options({1});
  HostDevice device;
  CondensateInput<float> input{};
  const CondensateCase<float> given("uniform", {0, 3000}, 3);
  host_cuda::Buffer<int64_t> label("label", 3000), point("point", 3000), splits("splits", 2);
  input.hits = {device.array<float>("points", given.coordinates),
                nullptr,
                device.array<int64_t>("row_splits", given.row_splits),
                3000,
                3,
                1};
  input.beta = device.array<float>("beta", given.beta);
  input.distance_threshold = 0.1f;
  input.label = label.view();
  input.point = point.view();
  input.point_splits = splits.view();
  launch_condensate(device, input);
  EXPECT_LE(device.launches(), 15);
}

}  // namespace
}  // namespace hitgraph::testing
