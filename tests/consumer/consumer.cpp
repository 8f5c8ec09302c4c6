#include <ATen/ATen.h>
#include <hitgraph/ops.h>
#include <hitgraph/version.h>

#include <cstdio>

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
  std::printf("hitgraph %s: split %d, same %d, gradient %d\n", hitgraph::version(), split, same,
              gradient);
  return split && same && gradient ? 0 : 1;
}
