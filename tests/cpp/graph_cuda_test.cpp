// The kernels of the graph operations, run on the host, against the CPU's.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "host_device.h"
// After the vocabulary.
#include "core/cuda/graph_launches.h"
#include "core/graph.h"

namespace hitgraph::testing {
namespace {

template <typename Index>
std::vector<Index> random_graph(int64_t rows, int64_t k, int64_t points, int hubs) {
  std::mt19937 random(5);
  std::vector<Index> index(static_cast<std::size_t>(rows * k));
  for (Index& end : index) {
    const auto draw = static_cast<int64_t>(random());
    end = static_cast<Index>(
        draw % 7 == 0 || points == 0 ? -1 : draw % (hubs > 0 && draw % 3 != 0 ? hubs : points));
  }
  return index;
}

template <typename Edge>
void expect_transposed(int64_t rows, int64_t k, int64_t points, int hubs) {
  const auto index = random_graph<int64_t>(rows, k, points, hubs);
  std::vector<int64_t> offsets(static_cast<std::size_t>(points + 1));
  std::vector<Edge> edges(index.size());
  transpose_graph(index.data(), rows, k, points, Executor(), offsets.data(), edges.data());

  HostDevice device;
  const Global<const int64_t> view = device.array<int64_t>("index", index);
  host_cuda::Buffer<int64_t> found_offsets("offsets", points + 1);
  host_cuda::Buffer<Edge> found_edges("edges", rows * k);
  launch_transpose<Edge>(device, view, rows * k, points, found_offsets.view(), found_edges.view());
  EXPECT_EQ(offsets, found_offsets.values());
  EXPECT_EQ(edges, found_edges.values());
}

TEST(TransposeCuda, IsTheCpusResult) {
  expect_transposed<int32_t>(100, 7, 60, 0);
  expect_transposed<int64_t>(100, 7, 60, 3);
  expect_transposed<int32_t>(400, 20, 500, 2);
  expect_transposed<int32_t>(0, 5, 4, 0);
  expect_transposed<int32_t>(3, 1, 1, 0);
  expect_transposed<int64_t>(3, 4, 0, 0);
}

template <typename T, typename Index>
void expect_gradients(int64_t rows, int64_t k, int64_t points, int64_t dim, int hubs) {
  std::mt19937 random(3);
  std::normal_distribution<double> normal;
  const auto numbers = [&](int64_t count) {
    std::vector<T> values(static_cast<std::size_t>(count));
    for (T& value : values) value = static_cast<T>(normal(random));
    return values;
  };
  const auto index = random_graph<Index>(rows, k, points, hubs);
  const auto grad = numbers(rows * k), queries = numbers(rows * dim),
             others = numbers(points * dim);
  std::vector<int64_t> offsets(static_cast<std::size_t>(points + 1));
  std::vector<int32_t> edges(index.size());
  transpose_graph(index.data(), rows, k, points, Executor(), offsets.data(), edges.data());
  Distance2Backward<T, Index, int32_t> problem{
      grad.data(), queries.data(), others.data(), index.data(),   rows,
      k,           points,         dim,           offsets.data(), edges.data()};
  std::vector<T> by_queries(queries.size()), by_points(others.size());
  distance2_backward_cpu(problem, Executor(), by_queries.data(), by_points.data());

  HostDevice device;
  host_cuda::Buffer<T> grad_queries("grad_queries", rows * dim),
      grad_points("grad_points", points * dim);
  Distance2Gradient<T, Index, int32_t> gradient{};
  gradient.grad = device.array<T>("grad", grad);
  gradient.queries = device.array<T>("queries", queries);
  gradient.points = device.array<T>("points", others);
  gradient.index = device.array<Index>("index", index);
  gradient.rows = rows;
  gradient.k = k;
  gradient.dim = static_cast<int>(dim);
  gradient.graph =
      transposed_graph<int32_t>(points, rows * k, device.array<int64_t>("offsets", offsets),
                                device.array<int32_t>("edges", edges));
  gradient.grad_queries = grad_queries.view();
  gradient.grad_points = grad_points.view();
  launch_distance2_backward(device, gradient);

  // Both sum in double, in their own order, and round once; a sum of n terms of size 1 or so may
  // differ by n roundings of double.
  const double tolerance = 2 * std::numeric_limits<T>::epsilon();
  const double order = 4 * std::numeric_limits<double>::epsilon() * static_cast<double>(rows * k);
  const auto expect_close = [&](const std::vector<T>& truth, const std::vector<T>& found) {
    for (std::size_t i = 0; i < truth.size(); ++i) {
      ASSERT_NEAR(truth[i], found[i], tolerance * (1 + std::abs(truth[i])) + order) << i;
    }
  };
  expect_close(by_queries, grad_queries.values());
  expect_close(by_points, grad_points.values());
}

TEST(Distance2BackwardCuda, IsTheCpusResult) {
  expect_gradients<float, int64_t>(200, 9, 150, 3, 0);
  expect_gradients<float, int32_t>(50, 40, 70, 5, 0);
  expect_gradients<double, int64_t>(60, 5, 60, 2, 0);
  expect_gradients<double, int32_t>(10, 3, 4, 17, 0);
}

TEST(Distance2BackwardCuda, HubsAreSummedInPieces) {
  // 8000 edges, most of them to two points: eight pieces each.
  expect_gradients<float, int64_t>(400, 20, 300, 3, 2);
  expect_gradients<double, int32_t>(400, 20, 300, 1, 1);
}

TEST(Distance2BackwardCuda, SizesOfNothing) {
  expect_gradients<float, int64_t>(0, 4, 5, 3, 0);
  expect_gradients<float, int64_t>(5, 4, 1, 3, 0);
  // No points, and more missing edges than a piece has.
  expect_gradients<float, int64_t>(300, 8, 0, 2, 0);
}

TEST(Distance2BackwardCuda, IndicesOutOfRangeAreMissingEdges) {
  HostDevice device;
  host_cuda::Buffer<float> grad_queries("grad_queries", 2), grad_points("grad_points", 3);
  Distance2Gradient<float, int64_t, int32_t> gradient{};
  gradient.grad = device.array<float>("grad", {1, 1, 1, 1});
  gradient.queries = device.array<float>("queries", {0, 1});
  gradient.points = device.array<float>("points", {0, 1, 3});
  const Global<int64_t> index = device.array<int64_t>("index", {2, 3, int64_t{1} << 40, -5});
  gradient.index = index;
  gradient.rows = 2;
  gradient.k = 2;
  gradient.dim = 1;
  const Global<int64_t> offsets = device.array<int64_t>("offsets", 4);
  const Global<int32_t> edges = device.array<int32_t>("edges", 4);
  launch_transpose<int32_t, int64_t>(device, index, 4, 3, offsets, edges);
  gradient.graph = transposed_graph<int32_t>(3, 4, offsets, edges);
  gradient.grad_queries = grad_queries.view();
  gradient.grad_points = grad_points.view();
  launch_distance2_backward(device, gradient);
  EXPECT_EQ(grad_queries.values(), (std::vector<float>{-6, 0}));
  EXPECT_EQ(grad_points.values(), (std::vector<float>{0, 0, 6}));
}

}  // namespace
}  // namespace hitgraph::testing
