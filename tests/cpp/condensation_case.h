// Events of labelled hits, and object condensation's sums by their definitions.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/condensation.h"

namespace hitgraph::testing {

struct CondensationSpec {
  std::vector<int64_t> events = {700, 0, 1, 90, 1500};  // hits
  int64_t labels = 9;                                   // of an event, noise among them
  int64_t dim = 3;
  // "clusters", "collapsed" (all hits in one place, but for a few), "spread"
  std::string space = "clusters";
  Attraction attraction = Attraction::kQuadratic;
  Repulsion repulsion = Repulsion::kHinge;
  double epsilon = 0, label_step = 1;
};

template <typename T>
struct CondensationCase {
  explicit CondensationCase(const CondensationSpec& spec, unsigned seed = 7) : spec(spec) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> uniform(0, 1);
    std::normal_distribution<double> normal;
    row_splits = {0};
    for (const int64_t size : spec.events) {
      row_splits.push_back(row_splits.back() + size);
      for (int64_t i = 0; i < size; ++i) {
        const auto number = static_cast<int64_t>(uniform(random) * spec.labels) - 1;
        labels.push_back(number < 0 ? -1 : static_cast<int64_t>(number * spec.label_step));
        // Few values: the largest is there more than once.
        beta.push_back(static_cast<T>(std::floor(uniform(random) * 64) / 64));
        weights.push_back(static_cast<T>(0.1 + uniform(random)));
        for (int64_t axis = 0; axis < spec.dim; ++axis) {
          double x = 0.3 * normal(random);
          if (spec.space == "clusters" && number >= 0) x += (number * 7 + axis * 3) % 5;
          if (spec.space == "collapsed") x = i % 50 == 0 ? x : 0.25;
          if (spec.space == "spread") x *= 10;
          coordinates.push_back(static_cast<T>(x));
        }
      }
    }
    number_objects();
    const auto objects = static_cast<int64_t>(points.size());
    for (int64_t k = 0; k < objects; ++k) {
      for (int64_t axis = 0; axis < spec.dim; ++axis) {
        // The centre is a hit: a distance of 0.
        centres.push_back(coordinates[points[k] * spec.dim + axis]);
      }
      factors.push_back(static_cast<T>(spec.repulsion == Repulsion::kHinge ? 0.7 + uniform(random)
                                                                           : 2 * uniform(random)));
      grad_attraction.push_back(static_cast<T>(normal(random)));
      grad_repulsion.push_back(static_cast<T>(normal(random)));
    }
  }

  int64_t hits() const { return row_splits.back(); }
  int64_t events() const { return static_cast<int64_t>(row_splits.size()) - 1; }
  int64_t objects() const { return static_cast<int64_t>(points.size()); }

  LabelledHits<T> labelled() const {
    LabelledHits<T> given;
    given.labels = labels.data();
    given.beta = beta.data();
    given.row_splits = row_splits.data();
    given.hits = hits();
    given.events = events();
    return given;
  }

  CondensationProblem<T> problem() const {
    CondensationProblem<T> problem;
    problem.coordinates = coordinates.data();
    problem.weights = weights.data();
    problem.centres = centres.data();
    problem.factors = factors.data();
    problem.object = object.data();
    problem.order = order.data();
    problem.offsets = offsets.data();
    problem.row_splits = row_splits.data();
    problem.object_splits = object_splits.data();
    problem.hits = hits();
    problem.objects = objects();
    problem.events = events();
    problem.dim = spec.dim;
    problem.attraction = spec.attraction;
    problem.repulsion = spec.repulsion;
    problem.epsilon = static_cast<T>(spec.epsilon);
    return problem;
  }

  CondensationSpec spec;
  std::vector<int64_t> row_splits, labels, object_splits, offsets, points;
  std::vector<int32_t> object, order;
  std::vector<T> beta, weights, coordinates, centres, factors, grad_attraction, grad_repulsion;

 private:
  // By the definition, with maps.
  void number_objects() {
    object.assign(hits(), -1);
    object_splits = {0};
    std::vector<std::vector<int32_t>> members;
    std::vector<int32_t> noise;
    for (int64_t event = 0; event < events(); ++event) {
      std::map<int64_t, std::vector<int32_t>> by_label;
      for (int64_t i = row_splits[event]; i < row_splits[event + 1]; ++i) {
        (labels[i] < 0 ? noise : by_label[labels[i]]).push_back(static_cast<int32_t>(i));
      }
      for (const auto& [label, rows] : by_label) {
        int32_t best = rows[0];
        for (const int32_t row : rows) {
          object[row] = static_cast<int32_t>(members.size());
          if (beta[row] > beta[best]) best = row;
        }
        points.push_back(best);
        members.push_back(rows);
      }
      object_splits.push_back(static_cast<int64_t>(members.size()));
    }
    offsets = {0};
    for (const auto& rows : members) {
      order.insert(order.end(), rows.begin(), rows.end());
      offsets.push_back(static_cast<int64_t>(order.size()));
    }
    order.insert(order.end(), noise.begin(), noise.end());
  }
};

// Sums in double, and the sums of the absolute terms, which errors are measured by.
struct CondensationSums {
  std::vector<double> sum, absolute;
  explicit CondensationSums(std::size_t size) : sum(size, 0.0), absolute(size, 0.0) {}
  void add(std::size_t i, double term, double roundings) {
    sum[i] += term;
    absolute[i] += std::abs(term) * roundings;
  }
};

struct CondensationTruth {
  CondensationSums attraction, repulsion, coordinates, weights, centres, factors;
};

// How much of its rounding a potential hands on: the hinge is 1 less a root, two terms; the
// exponential's argument u is rounded before.
inline double roundings_of(const CondensationSpec& spec, bool own, double u) {
  if (own) return 1;
  if (spec.repulsion == Repulsion::kExponential) return 1 + u;
  const double root = std::sqrt(u + spec.epsilon);
  return root < 1 ? (1 + root) / (1 - root) : 1;
}

inline PairValue<double> true_pair(const CondensationSpec& spec, bool own, double u) {
  if (own && spec.attraction == Attraction::kQuadratic) return {u, 1};
  if (own) return {std::log(std::exp(1.0) * u + 1), std::exp(1.0) / (std::exp(1.0) * u + 1)};
  if (spec.repulsion == Repulsion::kExponential) return {std::exp(-u), -std::exp(-u)};
  const double root = std::sqrt(u + spec.epsilon);
  if (root >= 1) return {0, 0};
  return {1 - root, root > 0 ? -0.5 / root : 0};
}

template <typename T>
CondensationTruth by_definition(const CondensationCase<T>& given) {
  const std::size_t hits = given.weights.size(), objects = given.factors.size();
  const auto dim = static_cast<std::size_t>(given.spec.dim);
  CondensationTruth truth{CondensationSums(objects),       CondensationSums(objects),
                          CondensationSums(hits * dim),    CondensationSums(hits),
                          CondensationSums(objects * dim), CondensationSums(objects)};
  for (int64_t event = 0; event < given.events(); ++event) {
    for (int64_t k = given.object_splits[event]; k < given.object_splits[event + 1]; ++k) {
      for (int64_t i = given.row_splits[event]; i < given.row_splits[event + 1]; ++i) {
        double distance2 = 0;
        for (std::size_t axis = 0; axis < dim; ++axis) {
          const double gap = static_cast<double>(given.coordinates[i * dim + axis]) -
                             given.centres[k * dim + axis];
          distance2 += gap * gap;
        }
        const bool own = given.object[i] == k;
        const double factor = given.factors[k], weight = given.weights[i];
        const PairValue<double> pair = true_pair(given.spec, own, factor * distance2);
        const double roundings = roundings_of(given.spec, own, factor * distance2);
        const double of_slope = given.spec.repulsion == Repulsion::kHinge ? 1 : roundings;
        (own ? truth.attraction : truth.repulsion).add(k, weight * pair.value, roundings);
        const double grad = own ? given.grad_attraction[k] : given.grad_repulsion[k];
        truth.weights.add(i, grad * pair.value, roundings);
        truth.factors.add(k, grad * weight * pair.slope * distance2, of_slope);
        for (std::size_t axis = 0; axis < dim; ++axis) {
          const double gap = static_cast<double>(given.coordinates[i * dim + axis]) -
                             given.centres[k * dim + axis];
          const double term = grad * weight * pair.slope * 2 * factor * gap;
          truth.coordinates.add(i * dim + axis, term, of_slope);
          truth.centres.add(k * dim + axis, -term, of_slope);
        }
      }
    }
  }
  return truth;
}

template <typename T>
void expect_sums(const CondensationSums& truth, const std::vector<T>& found, double tolerance,
                 const char* what) {
  constexpr double kSmallest = 1e-36;  // the exponential of float ends near there
  ASSERT_EQ(truth.sum.size(), found.size()) << what;
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_NEAR(truth.sum[i], found[i], tolerance * truth.absolute[i] + kSmallest)
        << what << " " << i;
  }
}

// All that is computed of a case.
template <typename T>
struct CondensationOutput {
  std::vector<T> attraction, repulsion, coordinates, weights, centres, factors;

  bool operator==(const CondensationOutput& other) const {
    return attraction == other.attraction && repulsion == other.repulsion &&
           coordinates == other.coordinates && weights == other.weights &&
           centres == other.centres && factors == other.factors;
  }
};

template <typename T>
void expect_definition(const CondensationTruth& truth, const CondensationOutput<T>& found,
                       double tolerance) {
  expect_sums(truth.attraction, found.attraction, tolerance, "attraction");
  expect_sums(truth.repulsion, found.repulsion, tolerance, "repulsion");
  expect_sums(truth.coordinates, found.coordinates, tolerance, "coordinates");
  expect_sums(truth.weights, found.weights, tolerance, "weights");
  expect_sums(truth.centres, found.centres, tolerance, "centres");
  expect_sums(truth.factors, found.factors, tolerance, "factors");
}

// All potentials and spaces, with sizes around those of blocks and tiles.
inline std::vector<CondensationSpec> condensation_specs() {
  std::vector<CondensationSpec> specs;
  for (const char* space : {"clusters", "collapsed", "spread"}) {
    for (const Repulsion repulsion : {Repulsion::kHinge, Repulsion::kExponential}) {
      CondensationSpec spec;
      spec.space = space;
      spec.repulsion = repulsion;
      spec.attraction =
          repulsion == Repulsion::kHinge ? Attraction::kQuadratic : Attraction::kLogarithmic;
      specs.push_back(spec);
      spec.dim = 5;
      spec.events = {128, 1024, 129, 1025};
      spec.epsilon = 1e-3;
      spec.label_step = 1e15;  // no table of labels
      specs.push_back(spec);
    }
  }
  CondensationSpec many;
  many.dim = 1;
  many.events = {40000};
  many.labels = 30;
  specs.push_back(many);
  many.labels = 1;  // noise alone
  many.events = {300, 20};
  specs.push_back(many);
  return specs;
}

}  // namespace hitgraph::testing
