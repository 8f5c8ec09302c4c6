#include <ATen/ATen.h>
#include <hitgraph/ops.h>
#include <hitgraph/version.h>

#include <cstdio>
#include <tuple>

int main() {
  const at::Tensor points = at::rand({100, 3}).requires_grad_(true);
  const at::Tensor batch = at::arange(100).floor_divide(50);
  hitgraph::KnnOptions options;
  options.row_splits = hitgraph::row_splits_from_batch(batch, 2);
  const auto [index, distance2] = hitgraph::knn(points, 5, options);
  distance2.sum().backward();

  const at::Tensor near = index.slice(0, 0, 50), far = index.slice(0, 50, 100);
  const bool split = near.max().item<int64_t>() < 50 && far.min().item<int64_t>() >= 50;
  const at::Tensor difference = points.unsqueeze(1) - points.index({index});
  const bool same = at::allclose(difference.square().sum(-1), distance2);
  const bool gradient = points.grad().defined() && points.grad().abs().sum().item<float>() > 0;

  const at::Tensor features = at::rand({100, 4}).requires_grad_(true);
  hitgraph::GravnetOptions how;
  std::tie(how.offsets, how.edges, how.order) = hitgraph::transpose_graph(index, 100);
  const auto [mean, maximum, slot] =
      hitgraph::gravnet_aggregate(features, index, distance2.detach(), 1.0, how);
  (mean.sum() + maximum.sum()).backward();
  const at::Tensor products =
      distance2.detach().neg().exp().unsqueeze(-1) * features.index({index});
  const bool aggregated = at::allclose(products.mean(1), mean) &&
                          at::allclose(products.amax(1), maximum) &&
                          features.grad().abs().sum().item<float>() > 0;
  std::printf("hitgraph %s: split %d, same %d, gradient %d, aggregated %d\n", hitgraph::version(),
              split, same, gradient, aggregated);
  return split && same && gradient && aggregated ? 0 : 1;
}
