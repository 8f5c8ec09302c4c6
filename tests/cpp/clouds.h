// Point clouds that are hard in different ways, for the tests of the search.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace hitgraph::testing {

inline const std::vector<std::string>& cloud_names() {
  static const std::vector<std::string> names{
      "uniform",  "clusters",   "identical",        "collapsed_and_outliers",
      "line",     "lattice",    "duplicate",        "half_equal",
      "far_away", "non_finite", "line_and_outlier", "huge_range"};
  return names;
}

// Row-major (n, dim).
template <typename T>
std::vector<T> make_cloud(const std::string& name, int64_t n, int64_t dim, uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(0, 1);
  std::normal_distribution<double> normal;
  std::vector<double> x(static_cast<std::size_t>(n * dim));
  for (double& value : x) value = uniform(random);
  const auto row = [&](int64_t i) { return x.begin() + i * dim; };
  const auto copy_row = [&](int64_t from, int64_t to) { std::copy_n(row(from), dim, row(to)); };

  if (name == "clusters") {
    for (int64_t i = 0; i < n; ++i) {
      const double width = std::pow(10.0, -1.0 - static_cast<double>(i % 7) / 2);
      for (int64_t a = 0; a < dim; ++a) {
        row(i)[a] = static_cast<double>((i % 7 * 31 + a * 17) % 11) / 11 + width * normal(random);
      }
    }
  } else if (name == "identical") {
    for (int64_t i = 1; i < n; ++i) copy_row(0, i);
  } else if (name == "collapsed_and_outliers") {
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t a = 0; a < dim; ++a) row(i)[a] *= i < n - 10 ? 1e-6 : 1e6;
    }
  } else if (name == "line") {
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t a = 1; a < dim; ++a) row(i)[a] = row(i)[0] * static_cast<double>(a);
    }
  } else if (name == "lattice") {
    for (double& value : x) value = std::floor(value * 4);
  } else if (name == "duplicate") {
    for (int64_t i = 9; i < n; i += 10) copy_row(i - 3, i);
  } else if (name == "half_equal") {
    for (int64_t i = 2; i < n; i += 2) copy_row(0, i);
  } else if (name == "far_away") {
    for (double& value : x) value = 1e9 + std::floor(value * 1000);
  } else if (name == "non_finite") {
    const double bad[] = {std::nan(""), std::numeric_limits<double>::infinity(),
                          -std::numeric_limits<double>::infinity()};
    for (int64_t i = 0; i < n; i += 5) row(i)[i % dim] = bad[i / 5 % 3];
  } else if (name == "line_and_outlier") {
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t a = 1; a < dim; ++a) row(i)[a] = 0;
    }
    if (n > 0) row(n / 2)[0] = 1e6;
  } else if (name == "huge_range") {
    // Distances that overflow float, and others that are subnormal.
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t a = 0; a < dim; ++a) row(i)[a] *= i % 2 == 0 ? 3e38 : 1e-21;
    }
  }
  return std::vector<T>(x.begin(), x.end());
}

}  // namespace hitgraph::testing
