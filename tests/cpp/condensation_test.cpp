// Object condensation on the CPU against its definitions.
#include "condensation_case.h"
#include "simd_levels.h"

#include <functional>

namespace hitgraph::testing {
namespace {

// Three workers that take turns in an order of their own.
Executor three_workers() {
  Executor executor;
  executor.threads = 3;
  executor.run = [](int workers, const std::function<void(int)>& body) {
    for (int worker = workers - 1; worker >= 0; --worker) body(worker);
  };
  return executor;
}

template <typename T>
CondensationOutput<T> on_cpu(const CondensationCase<T>& given, SimdLevel level,
                             const Executor& executor) {
  const CondensationProblem<T> problem = given.problem();
  const auto dim = static_cast<std::size_t>(problem.dim);
  CondensationOutput<T> results{
      std::vector<T>(problem.objects, -7),       std::vector<T>(problem.objects, -7),
      std::vector<T>(problem.hits * dim, -7),    std::vector<T>(problem.hits, -7),
      std::vector<T>(problem.objects * dim, -7), std::vector<T>(problem.objects, -7)};
  condensation_potential_cpu(problem, level, executor, results.attraction.data(),
                             results.repulsion.data());
  CondensationGradient<T> gradient;
  gradient.attraction = given.grad_attraction.data();
  gradient.repulsion = given.grad_repulsion.data();
  gradient.coordinates = results.coordinates.data();
  gradient.weights = results.weights.data();
  gradient.centres = results.centres.data();
  gradient.factors = results.factors.data();
  condensation_backward_cpu(problem, gradient, level, executor);
  return results;
}

template <typename T>
void expect_definitions(double tolerance) {
  for (const CondensationSpec& spec : condensation_specs()) {
    const CondensationCase<T> given(spec);
    const CondensationTruth truth = by_definition(given);
    for (const SimdLevel level : simd_levels()) {
      SCOPED_TRACE(spec.space + " " + simd_level_name(level) + " " + std::to_string(spec.dim));
      const CondensationOutput<T> found = on_cpu(given, level, Executor());
      expect_definition(truth, found, tolerance);
    }
  }
}

TEST(Condensation, IsItsDefinitionInDouble) { expect_definitions<double>(1e-13); }
TEST(Condensation, IsItsDefinitionInFloat) { expect_definitions<float>(1e-6); }

TEST(Condensation, DoesNotDependOnThreads) {
  for (const CondensationSpec& spec : condensation_specs()) {
    const CondensationCase<float> given(spec);
    const CondensationOutput<float> one = on_cpu(given, best_simd_level(), Executor());
    const CondensationOutput<float> three = on_cpu(given, best_simd_level(), three_workers());
    EXPECT_TRUE(one == three);
  }
}

TEST(Condensation, NumbersObjects) {
  for (const CondensationSpec& spec : condensation_specs()) {
    for (const Executor& executor : {Executor(), three_workers()}) {
      const CondensationCase<float> given(spec);
      std::vector<int32_t> object(given.hits(), -7), order(given.hits(), -7);
      std::vector<int64_t> splits(given.events() + 1, -7), offsets, points;
      condensation_objects_cpu(given.labelled(), executor, object.data(), order.data(),
                               splits.data(), [&](int64_t objects) {
                                 offsets.assign(objects + 1, -7);
                                 points.assign(objects, -7);
                                 return CondensationObjects{offsets.data(), points.data()};
                               });
      EXPECT_EQ(given.object, object);
      EXPECT_EQ(given.order, order);
      EXPECT_EQ(given.object_splits, splits);
      EXPECT_EQ(given.offsets, offsets);
      EXPECT_EQ(given.points, points);
    }
  }
}

}  // namespace
}  // namespace hitgraph::testing
