// One layer of EdgeConv's linear edge network, owned, by the CPU and by plain loops.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "core/edge_conv.h"
#include "core/graph.h"
#include "core/gravnet_rules.h"
#include "graph_case.h"

namespace hitgraph::testing {

struct EdgeConvSpec {
  int64_t rows = 30, k = 7, points = 25, channels = 8;
  std::string values = "normal";  // ties, non_finite, far (mean much larger than spread)
  bool normal = true, trained = true;
  double slope = 0.2;
  int hubs = 0;         // points that most edges reach
  int64_t padding = 0;  // between rows of everything that has a stride
  uint64_t seed = 1;

  std::string name() const {
    std::string text = values + (trained ? " trained" : normal ? " normal" : " plain");
    for (const int64_t size : {rows, k, points, channels, padding}) {
      text += " " + std::to_string(size);
    }
    return text;
  }
};

// Sums in double, and of the terms' absolute values.
struct AbsoluteSum {
  double sum = 0, absolute = 0;
  void add(double term) {
    sum += term;
    absolute += std::abs(term);
  }
};

template <typename T, typename Index, typename Slot>
struct EdgeConvCase {
  EdgeConvSpec spec;
  int64_t stride;
  std::vector<T> center, neighbour, scale, shift, mean, variance, grad;
  std::vector<Index> index;

  explicit EdgeConvCase(const EdgeConvSpec& wanted)
      : spec(wanted), stride(wanted.channels + wanted.padding) {
    std::mt19937_64 random(spec.seed);
    std::normal_distribution<double> normal;
    const auto fill = [&](std::vector<T>& array, int64_t size, double far) {
      for (int64_t i = 0; i < size; ++i) array.push_back(value(normal(random), i, far));
    };
    fill(center, spec.rows * stride, 300);
    fill(neighbour, spec.points * stride, 0);
    for (int64_t c = 0; c < spec.channels; ++c) {
      scale.push_back(static_cast<T>(spec.normal ? normal(random) : 1));
      shift.push_back(static_cast<T>(spec.normal ? normal(random) : 0));
      const bool known = spec.normal && !spec.trained;
      mean.push_back(static_cast<T>(known ? normal(random) : 0));
      variance.push_back(static_cast<T>(known ? 0.5 + std::abs(normal(random)) : 0));
    }
    for (int64_t i = 0; i < spec.rows * stride; ++i) {
      grad.push_back(static_cast<T>(normal(random)));
    }
    for (int64_t edge = 0; edge < spec.rows * spec.k; ++edge) {
      index.push_back(static_cast<Index>(end_of_edge(spec, edge, random())));
    }
  }

  EdgeConvGraph<T, Index> graph() const {
    EdgeConvGraph<T, Index> graph;
    graph.center = center.data();
    graph.neighbour = neighbour.data();
    graph.index = index.data();
    graph.rows = spec.rows;
    graph.k = spec.k;
    graph.points = spec.points;
    graph.channels = spec.channels;
    graph.center_stride = graph.neighbour_stride = stride;
    return graph;
  }

  // What the CPU selects: y of the selected edge, before normalisation, and its slot.
  struct Selected {
    std::vector<T> value;
    std::vector<Slot> slot;
  };
  Selected on_cpu() const {
    const auto size = static_cast<std::size_t>(spec.rows * spec.channels);
    Selected output{std::vector<T>(size, -7), std::vector<Slot>(size, 77)};
    std::vector<T> sign;
    for (const T factor : scale) sign.push_back(factor < 0 ? T(-1) : T(1));
    EdgeConvSelection<T, Slot> selection;
    selection.sign = sign.data();
    selection.mean = mean.data();
    selection.value = output.value.data();
    selection.slot = output.slot.data();
    selection.stride = spec.channels;
    edge_conv_select_cpu(graph(), best_simd_level(), Executor(), selection);
    return output;
  }

  double y(int64_t row, int64_t point, int64_t c) const {
    return static_cast<double>(center[row * stride + c]) + neighbour[point * stride + c];
  }

  // Calls visit(row, slot, point) for every edge.
  template <typename Visit>
  void each_edge(const Visit& visit) const {
    for (int64_t edge = 0; edge < spec.rows * spec.k; ++edge) {
      if (index[edge] >= 0) visit(edge / spec.k, edge % spec.k, static_cast<int64_t>(index[edge]));
    }
  }

  // Mean and variance over all edges, or those that were given.
  struct Statistics {
    std::vector<double> mean, variance;
    double edges = 0;
  };
  Statistics statistics() const {
    Statistics all{std::vector<double>(mean.begin(), mean.end()),
                   std::vector<double>(variance.begin(), variance.end()), 0};
    each_edge([&](int64_t, int64_t, int64_t) { all.edges += 1; });
    if (!spec.trained || all.edges == 0) return all;
    for (int64_t c = 0; c < spec.channels; ++c) {
      double sum = 0, squares = 0;
      each_edge([&](int64_t row, int64_t, int64_t point) { sum += y(row, point, c); });
      all.mean[c] = sum / all.edges;
      each_edge([&](int64_t row, int64_t, int64_t point) {
        squares += (y(row, point, c) - all.mean[c]) * (y(row, point, c) - all.mean[c]);
      });
      all.variance[c] = squares / all.edges;
    }
    return all;
  }
  double deviation(const Statistics& all, int64_t c, double eps) const {
    return spec.normal ? std::sqrt(all.variance[c] + eps) : 1;
  }

  // The gradient by the rule of core/edge_conv.h, edge by edge, given what was selected.
  struct Gradient {
    std::vector<AbsoluteSum> center, neighbour, scale, shift;
  };
  Gradient by_definition(const std::vector<Slot>& slot, double eps) const {
    const int64_t channels = spec.channels;
    const auto sums = [](int64_t size) {
      return std::vector<AbsoluteSum>(static_cast<std::size_t>(size));
    };
    Gradient g{sums(spec.rows * channels), sums(spec.points * channels), sums(channels),
               sums(channels)};
    const Statistics all = statistics();
    const auto each_selected = [&](const auto& visit) {
      each_edge([&](int64_t row, int64_t number, int64_t point) {
        for (int64_t c = 0; c < channels; ++c) {
          if (static_cast<int64_t>(slot[row * channels + c]) != number) continue;
          const double root = deviation(all, c, eps);
          const double normal = (y(row, point, c) - all.mean[c]) / root;
          const double dz = shift[c] + scale[c] * normal > 0 ? grad[row * stride + c]
                                                             : spec.slope * grad[row * stride + c];
          visit(row, point, c, normal, dz, scale[c] / root);
        }
      });
    };
    each_selected([&](int64_t row, int64_t point, int64_t c, double normal, double dz, double f) {
      g.scale[c].add(dz * normal);
      g.shift[c].add(dz);
      g.center[row * channels + c].add(f * dz);
      g.neighbour[point * channels + c].add(f * dz);
    });
    if (!spec.trained) return g;
    each_edge([&](int64_t row, int64_t, int64_t point) {
      for (int64_t c = 0; c < channels; ++c) {
        const double root = deviation(all, c, eps);
        const double normal = (y(row, point, c) - all.mean[c]) / root;
        const double f = scale[c] / root / all.edges;
        for (const double term : {-f * g.shift[c].sum, -f * normal * g.scale[c].sum}) {
          g.center[row * channels + c].add(term);
          g.neighbour[point * channels + c].add(term);
        }
      }
    });
    return g;
  }

 private:
  T value(double draw, int64_t i, double far) const {
    if (spec.values == "ties") return static_cast<T>(std::floor(draw));
    if (spec.values == "far") return static_cast<T>(far + 0.005 * draw);
    if (spec.values == "non_finite" && i % 9 == 0) {
      const double infinity = std::numeric_limits<double>::infinity();
      const double odd[] = {infinity, -infinity, std::nan("")};
      return static_cast<T>(odd[i / 9 % 3]);
    }
    return static_cast<T>(draw);
  }
};

}  // namespace hitgraph::testing
