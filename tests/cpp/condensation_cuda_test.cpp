// Object condensation's kernels, run on the host, against its definitions and the CPU's objects.
#include "host_condensation.h"

#include <functional>
#include <limits>

namespace hitgraph::testing {
namespace {

template <typename T>
ObjectNumbers number_on_cpu(const LabelledHits<T>& given) {
  ObjectNumbers numbers;
  numbers.object.resize(given.hits);
  numbers.order.resize(given.hits);
  numbers.object_splits.resize(given.events + 1);
  condensation_objects_cpu(
      given, Executor(), numbers.object.data(), numbers.order.data(), numbers.object_splits.data(),
      [&](int64_t objects) {
        numbers.offsets.resize(objects + 1);
        numbers.points.resize(objects);
        return CondensationObjects{numbers.offsets.data(), numbers.points.data()};
      });
  return numbers;
}

void expect_same(const ObjectNumbers& expected, const ObjectNumbers& found) {
  EXPECT_EQ(expected.object, found.object);
  EXPECT_EQ(expected.order, found.order);
  EXPECT_EQ(expected.offsets, found.offsets);
  EXPECT_EQ(expected.object_splits, found.object_splits);
  EXPECT_EQ(expected.points, found.points);
}

// Those of the CPU's test, but for its largest event: 29 objects of 40000 hits.
std::vector<CondensationSpec> small_specs() {
  std::vector<CondensationSpec> specs = condensation_specs();
  for (CondensationSpec& spec : specs) {
    for (int64_t& hits : spec.events) hits = std::min<int64_t>(hits, 3000);
  }
  return specs;
}

TEST(CondensationObjectsCuda, AreThoseOfTheDefinition) {
  for (const CondensationSpec& spec : small_specs()) {
    const CondensationCase<float> given(spec);
    const ObjectNumbers found = number_on_host(given.labelled());
    expect_same({given.object, given.order, given.offsets, given.object_splits, given.points},
                found);
  }
}

// Labels at the ends of their type, a noise label within, betas that are equal, NaN (the first and
// others), zeros of both signs; objects of one hit and of several pieces, many events.
TEST(CondensationObjectsCuda, AreThoseOfTheCpu) {
  std::mt19937 random(3);
  const auto draw = [&](int count) { return static_cast<int>(random() % count); };
  const double betas[] = {0.0, -0.0, 0.5, 0.5, 1.0, std::nan(""), 0.25};
  const int64_t labels[] = {std::numeric_limits<int64_t>::min(),
                            std::numeric_limits<int64_t>::max(),
                            -1,
                            0,
                            1,
                            5,
                            5,
                            5,
                            int64_t{1} << 40};
  for (const int64_t noise_label : {std::numeric_limits<int64_t>::min(), int64_t{-1}, int64_t{5},
                                    std::numeric_limits<int64_t>::max()}) {
    for (const int largest : {1, 7, 300, 4000}) {
      std::vector<int64_t> splits = {0}, label;
      std::vector<double> beta;
      for (int event = 0; event < (largest == 4000 ? 2 : 40); ++event) {
        const int size = event == 1 ? largest : draw(largest);
        splits.push_back(splits.back() + size);
        for (int i = 0; i < size; ++i) {
          label.push_back(labels[draw(9)]);
          beta.push_back(betas[draw(largest == 300 ? 7 : 4)]);
        }
      }
      LabelledHits<double> given{label.data(),
                                 beta.data(),
                                 splits.data(),
                                 splits.back(),
                                 static_cast<int64_t>(splits.size()) - 1,
                                 noise_label};
      SCOPED_TRACE(::testing::Message() << "noise " << noise_label << ", largest " << largest);
      expect_same(number_on_cpu(given), number_on_host(given, static_cast<uint64_t>(largest)));
    }
  }
}

TEST(CondensationObjectsCuda, NothingIsASize) {
  for (const std::vector<int64_t>& splits :
       {std::vector<int64_t>{0}, {0, 0}, {0, 0, 0, 0}, {0, 1}, {0, 0, 1, 1}}) {
    const int64_t label = 7;
    const float beta = 0.5f;
    const LabelledHits<float> given{
        &label, &beta, splits.data(), splits.back(), static_cast<int64_t>(splits.size()) - 1, -1};
    expect_same(number_on_cpu(given), number_on_host(given));
  }
}

// Hits that belong to no event are noise, whatever splits say.
TEST(CondensationObjectsCuda, MalformedRowSplits) {
  const std::vector<int64_t> labels(10, 3);
  const std::vector<float> beta(10, 0.5f);
  for (const std::vector<int64_t>& splits :
       {std::vector<int64_t>{2, 5, 8}, {0, 7, 3, 10}, {-4, 5, 20}, {0, int64_t{1} << 40}, {5}}) {
    const LabelledHits<float> given{
        labels.data(), beta.data(), splits.data(), 10, static_cast<int64_t>(splits.size()) - 1, -1};
    const ObjectNumbers found = number_on_host(given);
    EXPECT_EQ(found.object_splits.back(), static_cast<int64_t>(found.points.size()));
    if (splits.size() == 3 && splits[0] == 2) {
      EXPECT_EQ(found.object, (std::vector<int32_t>{-1, -1, 0, 0, 0, 1, 1, 1, -1, -1}));
      EXPECT_EQ(found.order, (std::vector<int32_t>{2, 3, 4, 5, 6, 7, 0, 1, 8, 9}));
    }
  }
}

template <typename T>
void expect_definition_of(const CondensationSpec& spec, double tolerance, uint64_t seed = 1) {
  SCOPED_TRACE(spec.space + " " + std::to_string(spec.dim));
  const CondensationCase<T> given(spec);
  expect_definition(by_definition(given), condense_on_host(given, seed), tolerance);
}

TEST(CondensationCuda, IsItsDefinitionInDouble) {
  for (const CondensationSpec& spec : small_specs()) expect_definition_of<double>(spec, 1e-13);
}

TEST(CondensationCuda, IsItsDefinitionInFloat) {
  for (const CondensationSpec& spec : small_specs()) expect_definition_of<float>(spec, 1e-6);
}

// Around the four and eight axes that fit in registers, and the eight of a gradient.
TEST(CondensationCuda, AnyNumberOfDimensions) {
  CondensationSpec spec;
  spec.events = {90, 260};
  for (const int64_t dim : {1, 2, 4, 5, 8, 9, 16, 19}) {
    spec.dim = dim;
    for (const Repulsion repulsion : {Repulsion::kHinge, Repulsion::kExponential}) {
      spec.repulsion = repulsion;
      expect_definition_of<float>(spec, 1e-6);
      expect_definition_of<double>(spec, 1e-13);
    }
  }
}

// Of objects: as many as a block has threads, more, a few; of events: many small ones beside a
// large one.
TEST(CondensationCuda, AnyNumberOfObjectsAndEvents) {
  for (const int64_t labels : {2, 8, 10, 60, 129, 130, 300}) {
    CondensationSpec spec;
    spec.events = {700, 5, 0, 300};
    spec.labels = labels;
    expect_definition_of<float>(spec, 1e-6, static_cast<uint64_t>(labels));
  }
  CondensationSpec many;
  many.events.assign(150, 3);
  many.events[70] = 1500;
  many.events[3] = 0;
  expect_definition_of<float>(many, 1e-6);
  many.attraction = Attraction::kLogarithmic;
  expect_definition_of<double>(many, 1e-13);
}

// A thousand terms of a float, and the pieces of an event.
TEST(CondensationCuda, LongSums) {
  CondensationSpec spec;
  spec.space = "collapsed";
  spec.labels = 3;
  spec.events = {40000};
  expect_definition_of<float>(spec, 1e-6);
  spec.labels = 1200;
  spec.events = {1500};
  expect_definition_of<float>(spec, 1e-6);
}

TEST(CondensationCuda, NothingIsASize) {
  for (const std::vector<int64_t>& events : {std::vector<int64_t>{}, {0}, {0, 0}, {1}, {0, 1, 0}}) {
    CondensationSpec spec;
    spec.events = events;
    for (const int64_t labels : {1, 9}) {
      spec.labels = labels;
      expect_definition_of<float>(spec, 1e-6);
    }
  }
}

TEST(CondensationCuda, EveryRunGivesTheSameBits) {
  CondensationSpec spec;
  spec.labels = 20;
  const CondensationCase<float> given(spec);
  const auto first = condense_on_host(given, 1);
  for (uint64_t seed = 2; seed < 5; ++seed) EXPECT_TRUE(first == condense_on_host(given, seed));
}

// Distances that overflow are beyond reach of everything.
TEST(CondensationCuda, HitsFarAway) {
  for (const Repulsion repulsion : {Repulsion::kHinge, Repulsion::kExponential}) {
    CondensationSpec spec;
    spec.repulsion = repulsion;
    CondensationCase<float> given(spec);
    for (std::size_t i = 0; i < given.object.size(); ++i) {
      if (given.object[i] < 0) given.coordinates[3 * i] = 1e30f;
    }
    given.factors[0] = 0;
    const auto found = condense_on_host(given);
    for (std::size_t k = 1; k < given.factors.size(); ++k) {
      EXPECT_TRUE(std::isfinite(found.attraction[k]) && std::isfinite(found.repulsion[k])) << k;
      EXPECT_TRUE(std::isfinite(found.factors[k]) && std::isfinite(found.centres[3 * k])) << k;
    }
  }
}

// Nothing is read beyond its array, and all is written.
TEST(CondensationCuda, MalformedSplits) {
  CondensationSpec spec;
  spec.events = {60, 70};
  const CondensationCase<float> good(spec);
  const int64_t hits = good.hits(), objects = good.objects();
  for (const std::vector<int64_t>& rows : {std::vector<int64_t>{0, 60, hits + 5},
                                           {-3, 60, hits},
                                           {10, 60, 61},
                                           {0, int64_t{1} << 40, 5}}) {
    for (const bool of_objects : {false, true}) {
      CondensationCase<float> given = good;
      (of_objects ? given.object_splits : given.row_splits) = rows;
      const auto found = condense_on_host(given);
      EXPECT_EQ(found.weights.size(), static_cast<std::size_t>(hits));
      EXPECT_EQ(found.factors.size(), static_cast<std::size_t>(objects));
      if (!of_objects && rows[0] == 10) {
        EXPECT_EQ(found.weights[3], 0);
        EXPECT_EQ(found.coordinates[3 * 62], 0);
      }
    }
  }
}

// Sums that are kept, and blocks, grow with objects and events, not with the hits.
TEST(CondensationCuda, MemoryIsBounded) {
  EXPECT_EQ(most_hit_pieces(1, 0), kMostHitPieces);
  EXPECT_EQ(most_hit_pieces(1, 5), kMostHitPieces);
  EXPECT_EQ(most_hit_pieces(1, 1000), 65);
  EXPECT_EQ(most_hit_pieces(1, 1'000'000), 1);
  EXPECT_EQ(most_hit_pieces(10'000, 10), 6);
  for (const int64_t objects : {1, 700, 65'000, 70'000, 3'000'000}) {
    EXPECT_LE(most_hit_pieces(3, objects) * objects, std::max(objects, kEnoughSums));
  }
}

}  // namespace
}  // namespace hitgraph::testing
