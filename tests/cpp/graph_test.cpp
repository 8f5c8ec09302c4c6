// The transposed graph and the gradient that is gathered through it, against plain loops.
#include "core/graph.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "clouds.h"
#include "knn_case.h"

namespace hitgraph::testing {
namespace {

struct Graph {
  int64_t rows, k, points;
  std::vector<int32_t> index;
};

// Every tenth edge is missing; point 0 is a hub.
Graph random_graph(int64_t rows, int64_t k, int64_t points) {
  std::mt19937_64 random(5);
  Graph graph{rows, k, points, std::vector<int32_t>(rows * k)};
  for (int64_t edge = 0; edge < rows * k; ++edge) {
    if (edge % 10 == 9 || points == 0) {
      graph.index[edge] = -1;
    } else {
      graph.index[edge] = edge % 3 == 0 ? 0 : static_cast<int32_t>(random() % points);
    }
  }
  return graph;
}

template <typename Edge>
void expect_transposed(const Graph& graph, const Executor& executor) {
  std::vector<int64_t> offsets(graph.points + 1, -7);
  std::vector<Edge> edges(graph.rows * graph.k, -7), expected;
  transpose_graph(graph.index.data(), graph.rows, graph.k, graph.points, executor, offsets.data(),
                  edges.data());
  const auto expect_those_that_reach = [&](int64_t point) {
    for (std::size_t edge = 0; edge < graph.index.size(); ++edge) {
      if (graph.index[edge] == point) expected.push_back(static_cast<Edge>(edge));
    }
  };
  for (int64_t point = 0; point < graph.points; ++point) {
    ASSERT_EQ(static_cast<int64_t>(expected.size()), offsets[point]);
    expect_those_that_reach(point);
  }
  ASSERT_EQ(static_cast<int64_t>(expected.size()), offsets[graph.points]);
  expect_those_that_reach(-1);
  EXPECT_EQ(expected, edges);
}

template <typename Integer>
void expect_range_found(int64_t lowest, int64_t past) {
  using Limits = std::numeric_limits<Integer>;
  std::vector<int64_t> tried = {-2, -1, 0, 1, past - 1, past, past + 1};
  if (sizeof(Integer) > 1) tried.insert(tried.end(), {Limits::min(), Limits::max()});
  for (const int64_t number : tried) {
    const int64_t stored = sizeof(Integer) == 1 && number == -1 ? 255 : number;
    if (stored < Limits::min() || stored > Limits::max()) continue;
    for (const int64_t place : {0, 17, 70000}) {  // in a second share, too
      std::vector<Integer> numbers(70001, static_cast<Integer>(past - 1));
      numbers[place] = static_cast<Integer>(stored);
      EXPECT_EQ(number >= lowest && number < past,
                numbers_within(numbers.data(), 70001, lowest, past, two_threads()))
          << number << " in " << lowest << ", " << past;
    }
  }
}

TEST(NumbersWithin, AtTheEndsOfTheRange) {
  for (const int64_t past : {0, 1, 40, 200}) expect_range_found<uint8_t>(-1, past);
  for (const int64_t past : {0, 1, 40, 100000}) {
    expect_range_found<int32_t>(-1, past);
    expect_range_found<int64_t>(-1, past);
  }
  expect_range_found<int32_t>(0, 70001);
  expect_range_found<int64_t>(0, 70001);
  expect_range_found<int32_t>(-1, std::numeric_limits<int32_t>::max());
  expect_range_found<int64_t>(0, int64_t{1} << 40);
  EXPECT_TRUE(numbers_within<int32_t>(std::vector<int32_t>(9, 2147483647).data(), 9, 0,
                                      int64_t{1} << 31, Executor()));
  EXPECT_TRUE(numbers_within<int32_t>(std::vector<int32_t>(9, -1).data(), 9, -1, int64_t{1} << 31,
                                      Executor()));
  EXPECT_TRUE(numbers_within<int32_t>(nullptr, 0, -1, 0, Executor()));
}

TEST(TransposeGraph, KeepsEdgesInOrder) {
  for (const Graph& graph :
       {random_graph(100, 7, 50), random_graph(1, 1, 1), random_graph(3, 5, 90),
        random_graph(0, 4, 6), random_graph(5, 4, 0), random_graph(33, 1, 2)}) {
    expect_transposed<int64_t>(graph, Executor());
    expect_transposed<int32_t>(graph, two_threads());
  }
}

TEST(Distance2Backward, IsTheSumOverEdges) {
  const Graph graph = random_graph(60, 9, 40);
  constexpr int64_t kDim = 3;
  const auto queries = make_cloud<float>("uniform", graph.rows, kDim, 1);
  auto points = make_cloud<float>("uniform", graph.points, kDim, 2);
  std::copy_n(queries.begin(), kDim, points.begin());  // query 0 and point 0 coincide
  auto grad = make_cloud<float>("uniform", graph.rows * graph.k, 1, 3);
  grad[0] = INFINITY;  // on the edge between these two
  for (std::size_t edge = 0; edge < grad.size(); ++edge) {
    if (graph.index[edge] < 0) grad[edge] = NAN;
  }

  std::vector<double> by_query(queries.size()), by_point(points.size());
  for (int64_t edge = 0; edge < graph.rows * graph.k; ++edge) {
    const int64_t i = edge / graph.k, j = graph.index[edge];
    if (j < 0 || edge == 0) continue;
    for (int64_t axis = 0; axis < kDim; ++axis) {
      const double term =
          2.0 * grad[edge] * (double{queries[i * kDim + axis]} - points[j * kDim + axis]);
      by_query[i * kDim + axis] += term;
      by_point[j * kDim + axis] -= term;
    }
  }
  std::vector<int64_t> offsets(graph.points + 1);
  std::vector<int64_t> edges(graph.index.size());
  transpose_graph(graph.index.data(), graph.rows, graph.k, graph.points, Executor(), offsets.data(),
                  edges.data());
  const Distance2Backward<float, int32_t, int64_t> problem{
      grad.data(), queries.data(), points.data(), graph.index.data(), graph.rows,
      graph.k,     graph.points,   kDim,          offsets.data(),     edges.data()};
  for (const Executor& executor : {Executor(), two_threads()}) {
    std::vector<float> grad_queries(queries.size(), -7), grad_points(points.size(), -7);
    distance2_backward_cpu(problem, executor, grad_queries.data(), grad_points.data());
    for (std::size_t i = 0; i < by_query.size(); ++i)
      EXPECT_NEAR(by_query[i], grad_queries[i], 1e-5);
    for (std::size_t i = 0; i < by_point.size(); ++i)
      EXPECT_NEAR(by_point[i], grad_points[i], 2e-5);
  }
}

// Enough points that an order counts, and in no order as they are numbered.
TEST(Distance2Backward, TheOrderDoesNotMatter) {
  const Graph graph = random_graph(20000, 5, 20000);
  const auto points = make_cloud<float>("uniform", graph.points, 3, 1);
  const auto grad = make_cloud<float>("uniform", graph.rows * graph.k, 1, 3);
  std::vector<int64_t> offsets(graph.points + 1);
  std::vector<int32_t> edges(graph.index.size()), backwards(graph.points);
  transpose_graph(graph.index.data(), graph.rows, graph.k, graph.points, Executor(), offsets.data(),
                  edges.data());
  std::iota(backwards.rbegin(), backwards.rend(), 0);
  std::vector<float> by_queries[2], by_points[2];
  for (const int given : {0, 1}) {
    const Distance2Backward<float, int32_t, int32_t> problem{
        grad.data(),
        points.data(),
        points.data(),
        graph.index.data(),
        graph.rows,
        graph.k,
        graph.points,
        3,
        offsets.data(),
        edges.data(),
        given == 1 ? backwards.data() : nullptr};
    by_queries[given].resize(points.size());
    by_points[given].resize(points.size());
    distance2_backward_cpu(problem, two_threads(), by_queries[given].data(),
                           by_points[given].data());
  }
  EXPECT_EQ(by_queries[0], by_queries[1]);
  EXPECT_EQ(by_points[0], by_points[1]);
}

}  // namespace
}  // namespace hitgraph::testing
