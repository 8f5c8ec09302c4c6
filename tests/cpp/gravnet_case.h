// One call of GravNet's aggregation and of its gradient, owned, and what plain loops make of it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "core/graph.h"
#include "core/gravnet.h"
#include "graph_case.h"
#include "knn_case.h"

namespace hitgraph::testing {

struct GravnetSpec {
  int64_t rows = 30, k = 7, points = 25, channels = 8;
  std::string features = "normal";  // negative, ties, non_finite, minus_infinity
  double scale = 1;                 // below 0: the weights are given
  Divisor divisor = Divisor::kSlots;
  bool missing_is_zero = false;
  int hubs = 0;            // points that most edges reach
  bool backwards = false;  // an order is given: the last point first
  uint64_t seed = 1;

  std::string name() const {
    std::string text = features;
    for (const int64_t size : {rows, k, points, channels}) text += " " + std::to_string(size);
    return text + " scale " + std::to_string(scale) + " divisor " +
           std::to_string(static_cast<int>(divisor)) + (missing_is_zero ? " missing is zero" : "");
  }
};

template <typename T, typename Slot>
struct GravnetOutput {
  std::vector<T> total, maximum;
  std::vector<Slot> slot;
};

template <typename T>
struct GravnetGradientOutput {
  std::vector<T> features, values;
};

template <typename T, typename Index>
struct GravnetCase {
  GravnetSpec spec;
  std::vector<T> features, values;
  std::vector<Index> index;
  std::vector<int32_t> order;
  Weighting<T> weighting;

  explicit GravnetCase(const GravnetSpec& wanted) : spec(wanted) {
    std::mt19937_64 random(spec.seed);
    std::normal_distribution<double> normal;
    std::uniform_real_distribution<double> uniform(0, 4);
    for (int64_t i = 0; i < spec.points * spec.channels; ++i) {
      features.push_back(feature(normal(random), i));
    }
    for (int64_t edge = 0; edge < spec.rows * spec.k; ++edge) {
      const double value = spec.scale < 0 ? normal(random) : uniform(random);
      values.push_back(static_cast<T>(spec.features == "ties" ? std::floor(value) : value));
      index.push_back(static_cast<Index>(end_of_edge(spec, edge, random())));
    }
    for (int64_t i = spec.backwards ? spec.points : 0; i > 0; --i) {
      order.push_back(static_cast<int32_t>(i - 1));
    }
    weighting =
        spec.scale < 0 ? Weighting<T>::as_given() : Weighting<T>::exponential_of(spec.scale);
  }

  GravnetGraph<T, Index> graph() const {
    GravnetGraph<T, Index> graph;
    graph.features = features.data();
    graph.index = index.data();
    graph.values = values.data();
    graph.weighting = weighting;
    graph.rows = spec.rows;
    graph.k = spec.k;
    graph.points = spec.points;
    graph.channels = spec.channels;
    graph.divisor = spec.divisor;
    graph.order = order.empty() ? nullptr : order.data();
    return graph;
  }

  template <typename Slot>
  GravnetOutput<T, Slot> on_cpu(SimdLevel level, const Executor& executor) const {
    const std::size_t size = static_cast<std::size_t>(spec.rows * spec.channels);
    GravnetOutput<T, Slot> output{std::vector<T>(size, -7), std::vector<T>(size, -7),
                                  std::vector<Slot>(size, 77)};
    gravnet_aggregate_cpu<T, Index, Slot>(
        graph(), spec.missing_is_zero, level, executor,
        {output.total.data(), output.maximum.data(), output.slot.data()});
    return output;
  }

  // The contract of core/gravnet.h, word by word.
  template <typename Slot>
  GravnetOutput<T, Slot> by_contract() const {
    GravnetOutput<T, Slot> output;
    for (int64_t row = 0; row < spec.rows; ++row) {
      for (int64_t c = 0; c < spec.channels; ++c) {
        T sum = 0, block = 0, best = 0;
        int64_t best_slot = -1, present = 0;
        for (int64_t slot = 0; slot < spec.k; ++slot) {
          if (slot % kSumBlock == 0) {
            sum += block;
            block = 0;
          }
          const int64_t edge = row * spec.k + slot, point = index[edge];
          if (point < 0 && !spec.missing_is_zero) continue;
          T product = 0;
          if (point >= 0) {
            product = weighting.weight(values[edge]) * features[point * spec.channels + c];
          }
          present += point >= 0 ? 1 : 0;
          block += product;
          if (best_slot < 0 || product > best || (std::isnan(product) && !std::isnan(best))) {
            best = product;
            best_slot = slot;
          }
        }
        sum += block;
        output.total.push_back(spec.divisor == Divisor::kOne || best_slot < 0 ? sum
                               : spec.divisor == Divisor::kSlots
                                   ? sum / static_cast<T>(spec.k)
                                   : sum / static_cast<T>(std::max<int64_t>(present, 1)));
        output.maximum.push_back(best);
        output.slot.push_back(best_slot < 0 ? no_slot<Slot>() : static_cast<Slot>(best_slot));
      }
    }
    return output;
  }

 private:
  T feature(double draw, int64_t i) const {
    const double infinity = std::numeric_limits<double>::infinity();
    if (spec.features == "negative") return static_cast<T>(-std::abs(draw));
    if (spec.features == "minus_infinity") return static_cast<T>(-infinity);
    if (spec.features == "ties") return static_cast<T>(std::floor(draw));
    if (spec.features == "non_finite" && i % 5 == 0) {
      const double odd[] = {infinity, -infinity, std::nan(""), -infinity, 0.0};
      return static_cast<T>(odd[i / 5 % 5]);
    }
    return static_cast<T>(draw);
  }
};

template <typename T, typename Slot>
void expect_same(const GravnetOutput<T, Slot>& expected, const GravnetOutput<T, Slot>& found,
                 const std::string& name) {
  expect_same_bits(expected.total, found.total, name + ": total");
  expect_same_bits(expected.maximum, found.maximum, name + ": maximum");
  expect_same_bits(expected.slot, found.slot, name + ": slot");
}

struct GradientSpec {
  bool total = true, maximum = true;    // gradients that there are
  bool features = true, values = true;  // that are wanted
  int64_t padding = 0;                  // between rows of the gradients
};

// What a long sum in one number loses where all terms are alike: too much for `expect_close`.
template <typename Backward>
Backward sum_of_equal_terms(int64_t rows) {
  GravnetSpec spec;
  spec.rows = rows;
  spec.k = spec.points = spec.hubs = 1;
  spec.scale = -1;
  Backward backward{decltype(Backward::forward)(spec)};
  std::fill(backward.forward.values.begin(), backward.forward.values.end(), 0.1f);
  std::fill(backward.grads.begin(), backward.grads.end(), 1);
  return backward;
}

// Gradients that come from the outputs; both lie in one array, as those of a concatenation do.
template <typename T, typename Index, typename Slot, typename Edge>
struct GravnetBackwardCase {
  GravnetCase<T, Index> forward;
  GradientSpec spec;
  std::vector<T> grads;
  std::vector<Slot> slot;
  std::vector<int64_t> offsets;
  std::vector<Edge> edges;

  explicit GravnetBackwardCase(const GravnetCase<T, Index>& of, const GradientSpec& wanted = {})
      : forward(of),
        spec(wanted),
        slot(of.template on_cpu<Slot>(best_simd_level(), Executor()).slot),
        offsets(static_cast<std::size_t>(of.spec.points + 1)),
        edges(of.index.size()) {
    std::mt19937_64 random(of.spec.seed + 1);
    std::normal_distribution<double> normal;
    for (int64_t i = 0; i < of.spec.rows * stride(); ++i) {
      grads.push_back(static_cast<T>(normal(random)));
    }
    transpose_graph(of.index.data(), of.spec.rows, of.spec.k, of.spec.points, Executor(),
                    offsets.data(), edges.data());
  }
  int64_t stride() const { return 2 * forward.spec.channels + spec.padding; }

  GravnetGradientOutput<T> on_cpu(SimdLevel level, const Executor& executor) const {
    GravnetGradientOutput<T> output{std::vector<T>(forward.features.size(), -7),
                                    std::vector<T>(forward.values.size(), -7)};
    GravnetGradient<T, Slot, Edge> gradient;
    gradient.grad_total = spec.total ? grads.data() : nullptr;
    gradient.grad_maximum = spec.maximum ? grads.data() + forward.spec.channels : nullptr;
    gradient.total_stride = gradient.maximum_stride = stride();
    gradient.slot = slot.data();
    gradient.offsets = offsets.data();
    gradient.edges = edges.data();
    gradient.grad_features = spec.features ? output.features.data() : nullptr;
    gradient.grad_values = spec.values ? output.values.data() : nullptr;
    gravnet_backward_cpu(forward.graph(), gradient, level, executor);
    return output;
  }

  // Sums over the edges in double, and of the terms' absolute values.
  struct Sums {
    std::vector<double> sum, absolute;
    void add(std::size_t i, double term) {
      sum[i] += term;
      absolute[i] += std::abs(term);
    }
  };
  struct Truth {
    Sums features, values;
  };
  Truth by_definition() const {
    const GravnetSpec& s = forward.spec;
    Truth truth;
    for (auto* sums : {&truth.features.sum, &truth.features.absolute}) {
      sums->resize(forward.features.size());
    }
    for (auto* sums : {&truth.values.sum, &truth.values.absolute}) {
      sums->resize(forward.values.size());
    }
    for (int64_t edge = 0; edge < s.rows * s.k; ++edge) {
      const int64_t row = edge / s.k, point = forward.index[edge];
      if (point < 0) continue;
      const double weight = forward.weighting.weight(forward.values[edge]);
      const double by_value = s.scale < 0 ? 1 : -s.scale * weight;
      for (int64_t c = 0; c < s.channels; ++c) {
        const double feature = forward.features[point * s.channels + c];
        const bool won = static_cast<int64_t>(slot[row * s.channels + c]) == edge % s.k;
        const double by_total = spec.total ? grads[row * stride() + c] / divisor(row) : 0;
        const double by_maximum =
            spec.maximum && won ? grads[row * stride() + s.channels + c] : 0.0;
        for (const double grad : {by_total, by_maximum}) {
          truth.features.add(static_cast<std::size_t>(point * s.channels + c), weight * grad);
          truth.values.add(static_cast<std::size_t>(edge), by_value * feature * grad);
        }
      }
    }
    return truth;
  }

  // In units of the sum of absolute terms; what is not wanted stays as it was.
  void expect_close(const GravnetGradientOutput<T>& found, const std::string& name) const {
    const Truth truth = by_definition();
    expect_close(truth.features, spec.features, found.features, name + ": features");
    expect_close(truth.values, spec.values, found.values, name + ": values");
  }
  void expect_none_of_missing(const GravnetGradientOutput<T>& found) const {
    for (std::size_t edge = 0; edge < found.values.size(); ++edge) {
      if (forward.index[edge] < 0) {
        ASSERT_EQ(T(0), found.values[edge]) << edge;
      }
    }
  }

 private:
  double divisor(int64_t row) const {
    const GravnetSpec& s = forward.spec;
    if (s.divisor == Divisor::kOne) return 1;
    if (s.divisor == Divisor::kSlots) return static_cast<double>(s.k);
    const auto begin = forward.index.begin() + row * s.k;
    const auto present = std::count_if(begin, begin + s.k, [](Index end) { return end >= 0; });
    return static_cast<double>(std::max<int64_t>(present, 1));
  }

  static void expect_close(const Sums& truth, bool wanted, const std::vector<T>& found,
                           const std::string& name) {
    const double part = std::is_same_v<T, float> ? 1e-6 : 2e-15;
    ASSERT_EQ(truth.sum.size(), found.size()) << name;
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (!wanted) {
        ASSERT_EQ(T(-7), found[i]) << name << ", element " << i;
        continue;
      }
      const double tolerance = part * truth.absolute[i] + std::numeric_limits<T>::min();
      ASSERT_NEAR(truth.sum[i], static_cast<double>(found[i]), tolerance)
          << name << ", element " << i;
    }
  }
};

}  // namespace hitgraph::testing
